"""What any robust FedAvg owes to Flower, on replies made by hand: no grid, no run, any version.

Other strategies may be held to it, too: name them in ROBUST. tests/flower/test_versions.py runs
this file on the oldest and on the newest Flower.
"""

from unittest.mock import Mock

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict
from flwr.serverapp.strategy import FedAvg, FedProx

from rfout.flower import RFOut1d


class Proximal(FedProx, RFOut1d):
    """Over one of Flower's own."""


ROBUST = {
    "paper's": lambda **settings: RFOut1d(**settings),
    "median": lambda **settings: RFOut1d(center="median", scale="mad", **settings),
    "repaired": lambda **settings: RFOut1d(replacement="drop", threshold=2.5, **settings),
    "over FedProx": lambda **settings: Proximal(proximal_mu=0.1, threshold=3.0, **settings),
}
MODEL = {"w": (2, 3), "b": (4,), "scale": ()}


@pytest.fixture(params=ROBUST)
def robust(request):
    return ROBUST[request.param]


def mock(node, content=None, error=None):
    """A reply with what Flower's strategies look at, and nothing else."""
    message = Mock(spec=Message)
    message.content, message.error = content, error
    message.has_error.return_value = error is not None
    message.has_content.return_value = error is None
    message.metadata.src_node_id = node
    return message


def content(layers, metrics=None, records=("arrays", "metrics")):
    arrays = ArrayRecord({name: Array(np.asarray(layer)) for name, layer in layers.items()})
    claims = MetricRecord({"num-examples": 10} if metrics is None else metrics)
    return RecordDict(dict(zip(records, (arrays, claims), strict=True)))


def layers(seed, spread=1.0):
    rng = np.random.default_rng(seed)
    return {name: spread * rng.normal(size=shape) for name, shape in MODEL.items()}


def mocks(n=13, metrics=None, **how):
    return [mock(10 + i, content(layers(i), metrics and metrics(i), **how)) for i in range(n)]


def aggregate(strategy, replies):
    found, metrics = strategy.aggregate_train(1, replies)
    return {name: array.numpy() for name, array in found.items()}, metrics


def honest_mean(replies):
    sent = [next(iter(r.content.array_records.values())) for r in replies]
    return {name: np.mean([one[name].numpy() for one in sent], axis=0) for name in MODEL}


def test_among_equals_it_is_the_mean_of_fedavg(robust):
    replies = [mock(i, content({"w": [1.0, 2.0 + i / 5, 3.0], "scale": i / 2})) for i in range(12)]
    found, _ = aggregate(robust(), replies)
    want, _ = aggregate(FedAvg(), replies)
    for name, layer in want.items():
        np.testing.assert_allclose(found[name], layer, rtol=1e-6)
        assert found[name].shape == layer.shape


def test_one_client_does_not_own_the_aggregate(robust):
    replies = mocks()
    calm = honest_mean(replies[1:])
    for value in (1e6, -1e30):
        replies[0] = mock(
            10, content({name: np.full(shape, value) for name, shape in MODEL.items()})
        )
        found, _ = aggregate(robust(), replies)
        owned, _ = aggregate(FedAvg(), replies)
        for name in MODEL:
            away = np.abs(found[name] - calm[name]).max()
            assert away < np.abs(owned[name] - calm[name]).max() / 10


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_does_not_get_in(robust, value):
    replies = mocks(14)
    replies[3] = mock(13, content({**layers(3), "b": np.array([0, value, 0, 0])}))
    found, metrics = aggregate(robust(), replies)
    assert all(np.isfinite(layer).all() for layer in found.values())
    assert metrics["replies"] == 13


def test_layers_keep_names_order_and_shape(robust):
    replies = mocks()
    found, _ = aggregate(robust(), replies)
    assert list(found) == list(MODEL)
    assert {name: layer.shape for name, layer in found.items()} == MODEL


def test_lists_of_arrays_have_flowers_names(robust):
    replies = []
    for i in range(12):
        record = ArrayRecord([np.full(3, float(i)), np.array(float(i))])
        claims = MetricRecord({"num-examples": 1})
        replies.append(mock(i, RecordDict({"arrays": record, "metrics": claims})))
    found, _ = robust().aggregate_train(1, replies)
    first, second = found.to_numpy_ndarrays()
    np.testing.assert_allclose(first, 5.5)
    assert second.shape == ()


def test_records_may_have_any_name(robust):
    replies = mocks(records=("my-model", "my-metrics"))
    found, _ = aggregate(robust(), replies)
    same, _ = aggregate(robust(), mocks())
    for name, layer in same.items():
        np.testing.assert_array_equal(found[name], layer)


def test_replies_may_come_once_and_in_any_order(robust):
    same, _ = aggregate(robust(), mocks())
    found, _ = aggregate(robust(), iter(mocks()[::-1]))
    for name, layer in same.items():
        np.testing.assert_array_equal(found[name], layer)


def test_what_came_is_not_changed(robust):
    replies = mocks()
    before = [[a.data for a in r.content["arrays"].values()] for r in replies]
    aggregate(robust(), replies)
    assert before == [[a.data for a in r.content["arrays"].values()] for r in replies]


def test_nobody_replies(robust):
    assert robust().aggregate_train(1, []) == (None, None)
    assert robust().aggregate_evaluate(1, []) is None


def test_errors_cost_themselves(robust):
    replies = mocks()
    failed = mock(99, error=Mock(reason="RuntimeError: no memory"))
    found, metrics = aggregate(robust(), [failed, *replies])
    same, _ = aggregate(robust(), replies)
    for name, layer in same.items():
        np.testing.assert_array_equal(found[name], layer)
    assert (metrics["replies"], metrics["dropped-node-ids"]) == (13, [99])


BROKEN = {
    "no record": RecordDict(),
    "no arrays": RecordDict({"metrics": MetricRecord({"num-examples": 1})}),
    "two models": RecordDict({"a": ArrayRecord([np.ones(2)]), "b": ArrayRecord([np.ones(2)])}),
    "other layers": content({"x": np.ones(3)}),
    "another shape": content({**layers(0), "w": np.ones((3, 2))}),
    "no weight": content(layers(0), {"num-examples": -1.0}),
    "a list as weight": content(layers(0), {"num-examples": [1, 2]}),
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
def test_a_reply_that_flowers_own_would_fail_at_costs_itself(robust, sent):
    replies = mocks()
    found, metrics = aggregate(robust(), [*replies, mock(99, sent)])
    same, _ = aggregate(robust(), replies)
    for name, layer in same.items():
        np.testing.assert_array_equal(found[name], layer)
    assert metrics["dropped-node-ids"] == [99]


# Metrics


def test_the_weight_is_no_metric_and_the_rest_is_combined(robust):
    replies = mocks(metrics=lambda i: {"n": 5, "loss": 0.1 * i, "by-class": [0.1 * i, 1.0]})
    _, metrics = aggregate(robust(weighted_by_key="n"), replies)
    assert metrics["loss"] == pytest.approx(0.6)
    assert metrics["by-class"] == pytest.approx([0.6, 1.0])
    assert "n" not in metrics


def test_replies_need_no_metrics(robust):
    """Nothing is weighted, so no weight has to be sent."""
    replies = [mock(i, RecordDict({"arrays": ArrayRecord([np.ones(2)])})) for i in range(12)]
    found, _ = robust().aggregate_train(1, replies)
    np.testing.assert_array_equal(found.to_numpy_ndarrays()[0], 1)


@pytest.mark.parametrize("which", ["train", "evaluate"])
def test_a_function_of_ones_own_is_called_with_contents_and_key(robust, which):
    def combine(contents, key):
        assert all(isinstance(one, RecordDict) for one in contents)
        return MetricRecord({"sum": sum(one["metrics"][key] for one in contents)})

    strategy = robust(**{f"{which}_metrics_aggr_fn": combine})
    if which == "train":
        _, metrics = aggregate(strategy, mocks())
    else:
        metrics = strategy.aggregate_evaluate(1, mocks())
    assert metrics["sum"] == 130


def test_evaluations_are_combined(robust):
    claims = [{"num-examples": 4, "accuracy": 0.1 * i, "list": [float(i)] * 3} for i in range(5)]
    replies = [mock(i, RecordDict({"m": MetricRecord(claim)})) for i, claim in enumerate(claims)]
    replies.append(mock(9, error=Mock(reason="ValueError: no data")))
    metrics = robust().aggregate_evaluate(1, replies)
    assert dict(metrics) == {"accuracy": pytest.approx(0.2), "list": [2.0] * 3}
