"""Which layers are aggregated: the model's in any dtype, or what most replies agree on."""

import ml_dtypes
import numpy as np
import pytest
from flower_messages import arrays, record, run
from flwr.app import Array, ArrayRecord, ConfigRecord, MetricRecord, RecordDict
from flwr.serverapp.exception import AggregationError
from flwr.serverapp.strategy import FedAvg

from rfout import rfout1d
from rfout.flower import RFOut1d

MODEL = {
    "net.w": np.zeros(3, np.float32),
    "bn.mean": np.zeros(2, np.float32),
    "bn.num_batches_tracked": np.asarray(0, np.int64),
}


def step(i, layers):
    """What client i makes of a model: 1 more, the odd ones 3, of every number."""
    return {name: layer + layer.dtype.type(1 + 2 * (i % 2)) for name, layer in layers.items()}


def as_dtype(dtype, only=slice(None)):
    def train(i, layers):
        sent = step(i, layers)
        some = range(12)[only]
        return {
            k: a.astype(dtype) if a.dtype.kind == "f" and i in some else a for k, a in sent.items()
        }

    return train


def end(train, model=MODEL, **settings):
    return arrays(run(RFOut1d(fraction_evaluate=0.0, **settings), train, model).arrays)


def assert_trained(found, model=MODEL, names=tuple(MODEL)):
    assert {k: (a.dtype, a.shape) for k, a in found.items()} == {
        k: (a.dtype, a.shape) for k, a in model.items()
    }
    for name, layer in model.items():
        np.testing.assert_allclose(found[name], layer + (4 if name in names else 0))


@pytest.mark.parametrize("dtype", ["f2", "f8", ">f4", ">f8"])
@pytest.mark.parametrize("only", [slice(None), slice(4, None), slice(2)])
def test_floats_are_cast_whoever_sends_them(dtype, only):
    assert_trained(end(as_dtype(np.dtype(dtype), only)))


@pytest.mark.parametrize("dtype", ["f2", "f8"])
def test_a_model_keeps_its_dtype(dtype):
    model = {name: a.astype(dtype) if a.dtype.kind == "f" else a for name, a in MODEL.items()}
    assert_trained(
        end(lambda i, a: step(i, {k: np.float32(v) for k, v in a.items()}), model), model
    )


def test_a_mean_of_halves_is_as_fine_as_the_model():
    model = {"w": np.zeros(1, np.float32)}
    found = end(lambda i, _: {"w": np.asarray([2048 + 2 * (i == 0)], np.float16)}, model)
    assert found["w"] == pytest.approx(2048 + 2 / 12**2, abs=1e-3)  # float16 has 2048 and 2050


@pytest.mark.parametrize("counter", ["i4", "u8", "f4", "f8"])
def test_counters_are_whole_numbers_or_floats(counter):
    name = "bn.num_batches_tracked"
    assert_trained(end(lambda i, a: {**step(i, a), name: step(i, a)[name].astype(counter)}))


def test_a_checkpoint_of_fedavg_goes_on():
    """Its counter of batches is a float, and the clients' are whole numbers."""

    def train(i, layers):
        counted = np.rint(layers["bn.num_batches_tracked"]).astype(np.int64)
        return step(i, {**layers, "bn.num_batches_tracked": counted})

    kept = arrays(run(FedAvg(fraction_evaluate=0.0), train, MODEL).arrays)
    assert kept["bn.num_batches_tracked"].dtype == np.float64
    assert_trained(end(train, kept), kept)


@pytest.mark.parametrize("value", [1e300, np.nan, np.inf, -1e19])
def test_a_counter_that_is_none_is_dropped(value, flower_log):
    name = "bn.num_batches_tracked"
    train = lambda i, a: {**step(i, a), **({name: np.asarray(value)} if i == 3 else {})}  # noqa: E731
    strategy = RFOut1d(fraction_evaluate=0.0)
    result = run(strategy, train, MODEL, rounds=1)
    assert result.train_metrics_clientapp[1]["dropped-node-ids"] == [103]
    assert f"layer '{name}': {value}" in flower_log.text


def test_a_value_too_large_for_the_model_is_dropped_and_an_aggregate_ends_the_run():
    huge = {"net.w": np.full(3, 1e300)}
    result = run(
        RFOut1d(fraction_evaluate=0.0),
        lambda i, a: {**step(i, a), **(huge if i == 5 else {})},
        MODEL,
        rounds=1,
    )
    assert result.train_metrics_clientapp[1]["dropped-node-ids"] == [105]
    with pytest.raises(AggregationError, match=r"'net\.w': the aggregate .* the model's float32"):
        end(lambda i, a: {**step(i, a), **huge})


def test_a_counter_is_neither_measured_nor_blurred_whatever_its_dtype():
    """A step of a thousand batches is no long update."""
    model = {**MODEL, "bn.num_batches_tracked": np.asarray(0.0)}  # as FedAvg leaves it

    def train(i, layers):
        sent = {name: layer + np.float32(1) for name, layer in layers.items()}
        return {**sent, "bn.num_batches_tracked": np.asarray(1000, np.int64)}

    settings = {"clip_norm": 50.0, "noise": 1e-3, "rng": np.random.default_rng(0)}
    found = end(train, model, **settings)
    assert found["bn.num_batches_tracked"] == 1000
    np.testing.assert_allclose(found["net.w"], 2, atol=0.1)


# Other layers


def test_a_part_of_the_layers_is_aggregated_and_the_rest_stays(flower_log):
    """FedBN: what a client normalises with is its own."""
    train = lambda i, a: {"net.w": step(i, a)["net.w"]}  # noqa: E731
    assert_trained(end(train), names=("net.w",))
    said = "agree on other layers than the model's: layer 'bn.mean' and 1 more missing"
    assert flower_log.text.count(said) == 1


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "base_model.model."])
def test_a_prefix_is_put_on_or_taken_off(prefix, flower_log):
    assert_trained(end(lambda i, a: {prefix + name: b for name, b in step(i, a).items()}))
    model = {prefix + name: layer for name, layer in MODEL.items()}
    train = lambda i, a: {n.removeprefix(prefix): b for n, b in step(i, a).items()}  # noqa: E731
    assert_trained(end(train, model), model, tuple(model))
    assert f"'{prefix}net.w' for 'net.w'. These are aggregated" in flower_log.text
    part = lambda i, a: {prefix + "net.w": step(i, a)["net.w"]}  # noqa: E731
    assert_trained(end(part), names=("net.w",))


def test_layers_of_another_shape_or_name_are_those_of_fedavg():
    def train(i, layers):
        return {**step(i, layers), "bn.mean": np.full(5, i, np.float32), "new": np.full(1, i / 2)}

    found = end(train)
    want = arrays(run(FedAvg(fraction_evaluate=0.0), train, MODEL).arrays)
    assert list(found) == [*MODEL, "new"]
    for name, layer in want.items():
        np.testing.assert_allclose(found[name], layer, rtol=1e-6)


def test_without_initial_layers_the_clients_bring_them():
    assert_trained(end(lambda i, a: step(i, a or MODEL), {}), MODEL)


def test_updates_of_a_part_are_added_to_it():
    def train(i, layers):
        return {"net.w": np.full(3, 1 + 2 * (i % 2), np.float32)}

    assert_trained(end(train, sends="updates", clip_norm=100.0), names=("net.w",))
    with pytest.raises(AggregationError, match=r"other layers.*'net\.w' not exp|missing.*not exp"):
        end(lambda i, a: {"other": a["net.w"]}, sends="updates")


def test_a_minority_changes_no_layout():
    """Six of twelve are no majority: the model's own layers it is, and theirs are dropped."""

    def train(i, layers):
        return {"net.w": layers["net.w"]} if i < 6 else step(i, layers)

    result = run(RFOut1d(fraction_evaluate=0.0), train, MODEL, rounds=1)
    assert result.train_metrics_clientapp[1]["dropped-node-ids"] == list(range(100, 106))


def test_groups_that_leave_too_few_for_the_rule_are_reported(flower_log):
    def train(i, layers):
        return {"net.w": layers["net.w"]} if i < 4 else step(i, layers)

    run(RFOut1d(fraction_evaluate=0.0), train, MODEL, n=14, rounds=1)
    said = "round 1: 10 replies, 4 dropped (layer 'bn.mean' and 1 more missing), too few to flag"
    assert said in flower_log.text


def test_where_nobody_agrees_the_run_ends_with_the_difference():
    with pytest.raises(AggregationError, match=r"no valid reply.*of 12: .*'own_0' not expected"):
        end(lambda i, a: {f"own_{i}": a["net.w"]})


# No numbers


def trees(n):
    return ArrayRecord([np.frombuffer(b"t" * n, np.uint8)])


def test_bytes_are_refused_before_the_first_round():
    """As XGBoost's trees come; the first model of Flower's own example is empty."""
    for n in (0, 20):
        with pytest.raises(AggregationError, match=r"bytes, as XGBoost's trees are.*FedXgbBagging"):
            RFOut1d().configure_train(1, trees(n), ConfigRecord(), None)


def test_replies_of_bytes_are_refused_in_the_first_round():
    def train(i, _):
        content = {"arrays": trees(20), "metrics": MetricRecord({"num-examples": 1})}
        return RecordDict(content)

    with pytest.raises(AggregationError, match="the replies are bytes"):
        end(train)


def test_bfloat16_is_named_with_what_to_do():
    half = np.zeros(2, ml_dtypes.bfloat16)
    with pytest.raises(AggregationError, match=r"the initial arrays, layer 'bn\.mean': .*bfloat16"):
        end(step, {**MODEL, "bn.mean": half})
    with pytest.raises(AggregationError, match=r"of 12: layer 'bn\.mean': .*Send .* as float32"):
        end(lambda i, a: {**step(i, a), "bn.mean": half})


def test_the_same_dtypes_give_the_operators_bytes():
    rng = np.random.default_rng(0)
    sent = [{"w": rng.normal(size=(4, 5)).astype(np.float32)} for _ in range(13)]
    found = run(
        RFOut1d(fraction_evaluate=0.0), lambda i, _: sent[i], {"w": sent[0]["w"]}, n=13, rounds=1
    )
    want = rfout1d(np.stack([one["w"] for one in sent]))
    assert found.arrays["w"].data == Array(want).data == record({"w": want})["w"].data
