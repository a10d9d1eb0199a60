"""What is known of a run beside its log: metrics that any logger takes, and the history."""

import json

import numpy as np
import pytest
from flower_messages import MODEL, arrays, bad_nodes, configured, replies, run, strategy
from flwr.app import ConfigRecord, RecordDict
from flwr.common.serde import recorddict_from_proto, recorddict_to_proto

from rfout.plots import nodes

LISTS = {
    "node-ids",
    "flagged-share",
    "largest-z",
    "dropped-node-ids",
    "dropped-layers",
    "missing-node-ids",
}


@pytest.fixture(scope="module")
def ran():
    made = strategy()
    return made, run(made, bad_nodes, MODEL, n=20, rounds=3)


def test_any_logger_takes_the_metrics(ran):
    _, result = ran
    metrics = result.train_metrics_clientapp[1]
    rounded = {name: round(value, 3) for name, value in metrics.items()}
    assert json.loads(json.dumps(rounded)) == {
        "replies": 18,
        "replies-dropped": 2,
        "replies-missing": 0,
        "flagged-share-mean": round(1 / 18, 3),
        "flagged-share-max": 1.0,
        "most-flagged-node": 102,
        "largest-z-max": round(17**0.5, 3),
    }
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
        run(made, bad_nodes, MODEL, n=20, rounds=1)
    assert len(made.history) == 20
    configured(made, MODEL, 13)
    made.aggregate_train(2, replies([MODEL] * 12))
    missing = made.history[made.history["outcome"] == "missing"]
    assert missing[["round", "node"]].values.tolist() == [[2, 112]]
    assert made.history["node"].dtype == np.uint64  # as wide as Flower's numbers


def test_the_history_is_what_the_figure_takes(ran):
    made, _ = ran
    axes = nodes(made.history).axes[0]
    assert np.asarray(axes.images[0].get_array()).shape == (20, 3)
    with pytest.raises(ValueError, match="no round yet"):
        nodes(strategy().history)


def test_the_model_that_was_sent_last_is_kept():
    made = strategy()
    run(made, lambda i, a: {"w": a["w"] + np.float32(1)}, MODEL, rounds=3)
    np.testing.assert_array_equal(arrays(made.arrays)["w"], 2)
