"""A round that did nothing says why, and a run of such rounds ends with an error."""

import logging

import numpy as np
import pytest
from flower_messages import app, arrays, configured, grid, record, reply, run
from flwr.app import Error
from flwr.client.mod import secaggplus_mod
from flwr.clientapp.mod import fixedclipping_mod
from flwr.serverapp.exception import AggregationError
from flwr.serverapp.strategy import DifferentialPrivacyClientSideFixedClipping

from rfout.flower import InProcessGrid, RFOut1d
from rfout.flower._round import client_error

MODEL = {"w": np.zeros(3, np.float32)}
NAN = {"w": np.full(3, np.nan, np.float32)}


def strategy(**settings):
    return RFOut1d(fraction_evaluate=0.0, **settings)


def failing_in(*rounds):
    """All clients send NaN in these rounds."""
    calls = []

    def train(i, layers):
        calls.append(i)
        return NAN if (len(calls) - 1) // 12 + 1 in rounds else {"w": layers["w"] + np.float32(1)}

    return train


def test_the_first_empty_round_ends_the_run_with_the_reason():
    made = strategy()
    with pytest.raises(AggregationError, match=r"round 2: no valid reply.*of 12: layer 'w': nan"):
        run(made, failing_in(2, 3), MODEL, rounds=3)
    np.testing.assert_array_equal(arrays(made.arrays)["w"], 1)  # what round 1 has made is not lost
    assert made.history["outcome"].value_counts().to_dict() == {"aggregated": 12, "dropped": 12}


def test_a_few_in_a_row_may_be_allowed(flower_log):
    result = run(strategy(max_empty_rounds=2), failing_in(2, 4), MODEL, rounds=5)
    np.testing.assert_array_equal(arrays(result.arrays)["w"], 3)
    assert flower_log.text.count("no valid reply, the global model stays") == 2
    with pytest.raises(AggregationError, match=r"round 3: .*max_empty_rounds=2"):
        run(strategy(max_empty_rounds=2), failing_in(2, 3), MODEL, rounds=5)


def test_the_result_always_holds_a_model():
    for settings, rounds in ({"max_empty_rounds": 9}, 2), ({"fraction_train": 0.0}, 2), ({}, 0):
        result = run(strategy(**settings), failing_in(1, 2), MODEL, rounds=rounds)
        np.testing.assert_array_equal(arrays(result.arrays)["w"], 0)


def test_no_training_is_asked_for_and_none_is_missed(flower_log):
    run(strategy(fraction_train=0.0), failing_in(), MODEL)
    assert "no valid reply" not in flower_log.text
    assert "fewer than" not in flower_log.text


def test_the_commonest_reason_is_told_with_its_number():
    def train(i, layers):
        return NAN if i < 7 else {"w": np.zeros((2, i), np.float32)}

    with pytest.raises(AggregationError, match="of 12: 7 of them: layer 'w': nan at index"):
        run(strategy(), train, MODEL)


def test_a_client_that_fails_everywhere_shows_its_error_once(flower_log):
    def train(i, layers):
        raise RuntimeError(f"no memory\nleft for {layers.keys()}")

    with pytest.raises(AggregationError, match="of 12: RuntimeError: no memory left for"):
        run(strategy(), train, MODEL)
    assert flower_log.text.count("raise RuntimeError") == 1  # the traceback, with the line


def test_nobody_replies_in_time():
    made = strategy()
    configured(made, MODEL, 3)
    with pytest.raises(AggregationError, match="of 3: no reply in time"):
        made.aggregate_train(1, [])


def test_secure_aggregation_is_refused_with_the_sentence_that_helps():
    client = app(lambda i, layers: layers)
    grid_ = InProcessGrid(lambda m, c: secaggplus_mod(m, c, client), 12)
    with pytest.raises(AggregationError, match=r"Secure aggregation hides .* secaggplus_mod away"):
        strategy().start(grid_, record(MODEL), num_rounds=1)


def test_a_wrapper_that_keeps_the_replies_to_itself_is_noticed():
    """Flower's differential privacy skips a round in which a client fails."""

    def train(i, layers):
        if i == 3:
            raise RuntimeError("once")
        return layers

    wrapped = DifferentialPrivacyClientSideFixedClipping(strategy(), 0.0, 1.0, 12)
    client = app(train)
    nodes = InProcessGrid(lambda m, c: fixedclipping_mod(m, c, client), 12)
    with pytest.raises(AggregationError, match="round 1: the replies did not reach RFOut1d"):
        wrapped.start(nodes, record(MODEL), num_rounds=3)


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("<class 'RuntimeError'>:<'no memory left'>", "RuntimeError: no memory left"),
        (
            "<class 'ray.exceptions.RayTaskError(ClientAppException)'>:<'\x1b[36mray::run()\x1b[39m"
            ' (pid=1, ip=192.0.2.2)\n  File "app.py", line 1, in train\nKeyError: "no: \'x\'"\n\n'
            "The above exception was the direct cause of the following exception:\n\n  File\n"
            "package.errors.LoadError: no data\n\nThe above exception was ...\n\n"
            "flwr.clientapp.client_app.ClientAppException: \nException ClientAppException occurred."
            " Message: no data'>",
            "LoadError: no data",
        ),
        ("out of\n memory \x1b[31m\x07", "out of memory ?"),
        ("", "an error without a reason"),
        (None, "an error without a reason"),
        ("x" * 5000, "x" * 197 + "..."),
    ],
)
def test_a_clients_own_words_are_found(reason, says):
    assert client_error(reason) == says


def test_a_round_of_errors_only(caplog):
    made = strategy()
    configured(made, MODEL, 2)
    sent = [reply(node, Error(2, "<class 'OSError'>:<'disk'>")) for node in grid(2).get_node_ids()]
    with caplog.at_level(logging.DEBUG), pytest.raises(AggregationError, match="of 2: OSError: d"):
        made.aggregate_train(1, sent)


@pytest.mark.parametrize("value", [0, -1, float("nan"), True])
def test_a_number_of_rounds_that_is_none(value):
    with pytest.raises(ValueError, match="max_empty_rounds must be at least 1"):
        strategy(max_empty_rounds=value)
