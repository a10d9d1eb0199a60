"""What a run's log says to who operates a federation."""

import logging
import re
import warnings

import numpy as np
import pytest
from flower_messages import MODEL, app, bad_nodes, configured, record, replies, reply, run, strategy
from flwr.app import Error

from rfout.flower import InProcessGrid, RFOut1d
from rfout.operator import paths, walk


def lines(log, *parts):
    return [r.getMessage() for r in log.records if all(part in r.getMessage() for part in parts)]


def test_one_line_a_round_names_what_matters(flower_log):
    run(strategy(), bad_nodes, MODEL, n=20, rounds=3)
    (first,) = lines(flower_log, "round 1: ")
    assert first == (
        "round 1: 18 replies, 2 dropped (1 of them: RuntimeError: no memory), "
        "most flagged: node 102, 100 % of the parameters"
    )
    # Beside it, Flower's own: its round, its sampling, its record.
    assert len([r for r in flower_log.records if "strategy_utils" not in r.pathname]) < 70
    flower_log.clear()
    flower_log.set_level(logging.DEBUG, logger="flwr")
    run(strategy(), bad_nodes, MODEL, n=20, rounds=1)
    assert lines(flower_log, "round 1: the reply of node 103 is invalid: layer 'w': nan")
    assert lines(flower_log, "round 1: the reply of node 104 is invalid: RuntimeError: no memory")


def test_the_log_does_not_grow_with_the_nodes(flower_log):
    """Nor the record that Flower logs, nor what it says of nodes that fail."""
    sizes = []
    for n in (20, 200):
        flower_log.clear()
        made = strategy()
        configured(made, MODEL, n)
        sent = replies([{"w": np.full(8, i % 7, np.float32)} for i in range(n)])
        for i in range(0, n, 2):
            sent[i] = reply(100 + i, Error(2, "<class 'OSError'>:<'disk'>"))
        _, numbers = made.aggregate_train(1, sent[: n - n // 4])
        sizes.append(len(flower_log.text) + len(str(numbers)))
    assert sizes[1] < sizes[0] + 40


@pytest.mark.parametrize(
    ("settings", "n", "says"),
    [
        (
            {"fraction_train": 0.5},
            14,
            "7 replies: .* Of 14 nodes 7 are asked: set min_train_nodes=11",
        ),
        ({}, 5, "5 replies: .* Start more nodes, and set min_available_nodes=11"),
        ({"threshold": 2.0}, 4, "a threshold of 2 flags nothing in fewer than 6"),
        ({"fraction_train": 0.5, "min_train_nodes": 11}, 14, None),
        ({"center": "median", "scale": "mad"}, 5, None),
        ({"threshold": 2.0}, 6, None),
    ],
)
def test_too_few_for_the_rule_is_said_once_at_the_start(flower_log, settings, n, says):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(strategy(**settings), lambda i, layers: layers, MODEL, n=n, rounds=3)
    found = lines(flower_log, "flags nothing in fewer than")
    assert len(found) == (says is not None)
    if says:
        assert re.search(says, found[0])
        messages = [record.getMessage() for record in flower_log.records]
        assert messages.index(found[0]) < messages.index(lines(flower_log, "round 1: ")[0])


def test_where_flowers_log_is_off_it_is_a_warning_at_the_callers_line(monkeypatch):
    monkeypatch.setattr(logging.getLogger("flwr"), "level", logging.ERROR)
    logging.getLogger("flwr").manager._clear_cache()
    nodes_ = InProcessGrid(app(lambda i, layers: layers), 5)
    with pytest.warns(UserWarning, match="5 replies: a threshold of 3 flags nothing") as said:
        strategy().start(nodes_, record(MODEL), num_rounds=3)
    monkeypatch.undo()
    logging.getLogger("flwr").manager._clear_cache()
    assert [one.filename for one in said] == [__file__]


def test_too_few_is_said_where_no_round_was_configured(flower_log):
    made = strategy()
    for n, found in ((11, 0), (10, 1), (10, 1)):
        made.aggregate_train(1, replies([MODEL] * n))
        assert len(lines(flower_log, "flags nothing in fewer than 11")) == found


def test_failures_of_the_evaluation_are_a_line(flower_log):
    sent = [reply(100 + i, Error(2, "<class 'OSError'>:<'disk'>")) for i in range(3)]
    assert RFOut1d().aggregate_evaluate(1, sent) is None
    assert lines(flower_log, "1: 3 of 3 nodes failed in the evaluation: OSError: disk")
    assert "Received error" not in flower_log.text


class Slow:
    """A compiler that takes its time, and has not compiled anything yet."""

    signatures = ()


def test_a_slow_compilation_says_so(flower_log, monkeypatch):
    monkeypatch.setattr(walk, "LARGE", 1)
    monkeypatch.setattr("rfout.flower._notices.SLOW", 0.0)

    class Kernels:
        aggregate = Slow

    monkeypatch.setattr(paths, "kernels", lambda papers=True: Kernels)
    monkeypatch.setattr(walk, "in_kernels", paths.in_blocks)
    run(strategy(), lambda i, layers: layers, MODEL, rounds=1)
    assert len(lines(flower_log, "compiling RFOut-1d for large models")) == 1
    flower_log.clear()
    Slow.signatures = ("known",)
    run(strategy(), lambda i, layers: layers, MODEL, rounds=1)
    assert not lines(flower_log, "compiling")
