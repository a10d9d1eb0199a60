"""What a run says to who operates a federation: log, metrics, history, figure."""

import json
import logging
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from flower_messages import app, arrays, configured, record, replies, reply, run
from flwr.app import ConfigRecord, Error, RecordDict
from flwr.common.serde import recorddict_from_proto, recorddict_to_proto

from rfout import _engine
from rfout.flower import InProcessGrid, RFOut1d
from rfout.plots_flower import nodes

MODEL = {"w": np.zeros(8, np.float32)}
LISTS = {"node-ids", "flagged-share", "largest-z", "dropped-node-ids", "dropped-layers",
         "missing-node-ids"}  # fmt: skip


def strategy(**settings):
    return RFOut1d(fraction_evaluate=0.0, **settings)


def train(i, layers):
    """Node 2 shouts, node 3 sends nonsense, node 4 fails."""
    if i == 4:
        raise RuntimeError("no memory")
    if i == 3:
        return {"w": np.full(8, np.nan, np.float32)}
    return {"w": layers["w"] + np.float32(1e6 if i == 2 else 1)}


def lines(log, *parts):
    return [r.getMessage() for r in log.records if all(part in r.getMessage() for part in parts)]


# The log


def test_one_line_a_round_names_what_matters(flower_log):
    run(strategy(), train, MODEL, n=20, rounds=3)
    (first,) = lines(flower_log, "round 1: ")
    assert first == (
        "round 1: 18 replies, 2 dropped (1 of them: RuntimeError: no memory), "
        "most flagged: node 102, 100 % of the parameters"
    )
    # Beside it, Flower's own: its round, its sampling, its record.
    assert len([r for r in flower_log.records if "strategy_utils" not in r.pathname]) < 70
    flower_log.clear()
    flower_log.set_level(logging.DEBUG, logger="flwr")
    run(strategy(), train, MODEL, n=20, rounds=1)
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
    monkeypatch.setattr(_engine, "LARGE", 1)
    monkeypatch.setattr("rfout.flower._notices.SLOW", 0.0)

    class Kernels:
        aggregate = Slow

    monkeypatch.setattr(_engine, "kernels", lambda papers=True: Kernels)
    monkeypatch.setattr(_engine, "_compiled", _engine._in_blocks)
    run(strategy(), lambda i, layers: layers, MODEL, rounds=1)
    assert len(lines(flower_log, "compiling RFOut-1d for large models")) == 1
    flower_log.clear()
    Slow.signatures = ("known",)
    run(strategy(), lambda i, layers: layers, MODEL, rounds=1)
    assert not lines(flower_log, "compiling")


# The metrics


@pytest.fixture(scope="module")
def ran():
    made = strategy()
    return made, run(made, train, MODEL, n=20, rounds=3)


def test_any_logger_takes_the_metrics(ran):
    _, result = ran
    metrics = result.train_metrics_clientapp[1]
    rounded = {name: round(value, 3) for name, value in metrics.items()}
    assert json.loads(json.dumps(rounded)) == {
        "replies": 18, "replies-dropped": 2, "replies-missing": 0,
        "flagged-share-mean": round(1 / 18, 3), "flagged-share-max": 1.0,
        "most-flagged-node": 102, "largest-z-max": round(17**0.5, 3),
    }  # fmt: skip
    assert not LISTS & set(metrics)


def test_the_lists_are_read_by_name(ran):
    _, result = ran
    metrics = result.train_metrics_clientapp[1]
    assert metrics["node-ids"][metrics["flagged-share"].index(1.0)] == 102
    assert metrics["dropped-node-ids"] == [103, 104]
    assert LISTS == set(metrics.per_node)
    assert all(name in metrics and metrics.get(name) == metrics.per_node[name] for name in LISTS)
    assert "other" not in metrics
    assert metrics.get("other") is None


def test_they_go_over_the_wire_as_flowers_own(ran):
    _, result = ran
    metrics = result.train_metrics_clientapp[1]
    sent = RecordDict({"m": metrics, "config": ConfigRecord()})
    came = recorddict_from_proto(recorddict_to_proto(sent))["m"]
    assert dict(came) == dict(metrics)
    assert type(metrics).inflate(metrics.deflate()) == metrics
    assert type(metrics).__qualname__ == type(came).__qualname__


def test_nobody_flagged_is_node_0():
    metrics = run(strategy(), lambda i, a: a, MODEL, rounds=1).train_metrics_clientapp[1]
    assert (metrics["most-flagged-node"], metrics["flagged-share-max"]) == (0, 0.0)


# History and figure


def test_the_history_is_a_table(ran):
    made, _ = ran
    history = made.history
    assert list(history) == ["round", "node", "outcome", "flagged", "largest_z", "reason"]
    assert len(history) == 3 * 20
    last = history[history["round"] == 3].set_index("node")
    assert last["flagged"].idxmax() == 102
    assert last.loc[103, "outcome"] == last.loc[104, "outcome"] == "dropped"
    assert last.loc[104, "reason"] == "RuntimeError: no memory"
    assert np.isnan(last.loc[103, "flagged"])
    assert (last.loc[100, "outcome"], last.loc[100, "reason"]) == ("aggregated", "")


def test_the_history_begins_anew_with_a_run_and_names_the_missing():
    made = strategy()
    assert made.history.empty
    for _ in range(2):
        run(made, train, MODEL, n=20, rounds=1)
    assert len(made.history) == 20
    configured(made, MODEL, 13)
    made.aggregate_train(2, replies([MODEL] * 12))
    missing = made.history[made.history["outcome"] == "missing"]
    assert missing[["round", "node"]].values.tolist() == [[2, 112]]
    assert made.history["node"].dtype == np.uint64  # as wide as Flower's numbers


def test_it_is_drawn(ran):
    made, _ = ran
    figure = nodes(made.history)
    (image,), axes = figure.axes[0].images, figure.axes[0]
    shade = np.asarray(image.get_array())
    assert shade.shape == (20, 3)
    assert np.nanargmax(shade[:, 0]) == 2
    (dropped,) = axes.lines
    assert sorted(set(dropped.get_ydata())) == [3, 4]
    assert len(dropped.get_xdata()) == 6
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["dropped"]


def test_a_node_that_was_not_asked_is_blank_and_many_have_no_names():
    history = pd.DataFrame(
        {
            "round": [1, 1, 3] * 50, "node": np.arange(150, dtype=np.uint64) + 2**63,
            "outcome": "aggregated", "flagged": 0.5, "largest_z": 1.0, "reason": "",
        }
    )  # fmt: skip
    figure = nodes(history)
    shade = np.ma.filled(figure.axes[0].images[0].get_array(), np.nan)
    assert shade.shape == (150, 3)
    assert np.isnan(shade).sum() == 2 * 150
    assert "150 in the order" in figure.axes[0].get_ylabel()
    with pytest.raises(ValueError, match="no round yet"):
        nodes(RFOut1d().history)


def test_the_model_that_was_sent_last_is_kept():
    made = strategy()
    run(made, lambda i, a: {"w": a["w"] + np.float32(1)}, MODEL, rounds=3)
    np.testing.assert_array_equal(arrays(made.arrays)["w"], 2)
