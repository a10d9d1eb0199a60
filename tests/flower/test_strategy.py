"""RFOut1d: the operator's aggregate of valid replies, and what an invalid one costs."""

import random

import numpy as np
import pytest
from flower_messages import arrays, configured, grid, record, replies, reply
from flwr.app import Array, ConfigRecord, Error, Message, MetricRecord, RecordDict
from flwr.common.serde import metric_record_from_proto, metric_record_to_proto
from flwr.serverapp.exception import AggregationError, InconsistentMessageReplies
from flwr.serverapp.strategy import (
    Bulyan,
    FedAvg,
    FedMedian,
    FedTrimmedAvg,
    Krum,
    MultiKrum,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from rfout import rfout1d
from rfout.defences import clip_updates
from rfout.flower import RFOut1d

SHAPES = {"conv": (2, 3), "bias": (4,), "scalar": ()}
MODEL = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
FLOWERS_OWN = [FedAvg, FedMedian, FedTrimmedAvg, Krum, MultiKrum, Bulyan]


def clients(n=12, seed=0, boosted=(0,)):
    rng = np.random.default_rng(seed)
    made = [
        {name: np.asarray(rng.normal(size=shape), np.float32) for name, shape in SHAPES.items()}
        for _ in range(n)
    ]
    for client in boosted:
        made[client] = {name: np.float32(1000) * layer for name, layer in made[client].items()}
    return made


def stacked(sent, name):
    return np.stack([client[name] for client in sent])


def aggregate(strategy, sent, **metrics):
    found, numbers = strategy.aggregate_train(1, replies(sent, **metrics))
    return arrays(found), numbers


def after_sending(strategy, sent, broken, n=12, model=MODEL):
    """The aggregate of `sent`, of which the clients in `broken` send something else."""
    configured(strategy, model, n)
    messages = replies(sent)
    for client, content in broken.items():
        messages[client] = reply(100 + client, *content)
    found, numbers = strategy.aggregate_train(1, messages)
    return arrays(found), numbers


# What it computes


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(11, 20),
    seed=st.integers(0, 2**31),
    threshold=st.sampled_from([1.0, 2.5, 3.0]),
    replacement=st.sampled_from(["center", "drop"]),
)
def test_the_aggregate_is_the_operators(n, seed, threshold, replacement):
    sent = clients(n, seed)
    rule = {"threshold": threshold, "replacement": replacement}
    found, numbers = aggregate(RFOut1d(**rule), sent)
    for name in SHAPES:
        want, _ = rfout1d(stacked(sent, name), return_report=True, **rule)
        np.testing.assert_array_equal(found[name], want)
        assert found[name].dtype == np.float32
    flat = np.stack([np.concatenate([np.ravel(layer) for layer in c.values()]) for c in sent])
    report = rfout1d(flat, return_report=True, **rule)[1]
    np.testing.assert_allclose(numbers["flagged-share"], report.flagged)
    np.testing.assert_allclose(numbers["largest-z"], report.largest_z)
    assert numbers["node-ids"] == list(range(100, 100 + n))
    assert (numbers["replies"], numbers["replies-dropped"]) == (n, 0)


def test_a_boosted_reply_is_flagged_and_hardly_counts():
    sent = clients(20)
    found, numbers = aggregate(RFOut1d(), sent)
    averaged, _ = FedAvg().aggregate_train(1, replies(sent))
    assert numbers["flagged-share"][0] == 1
    assert sum(numbers["flagged-share"][1:]) == 0
    assert numbers["largest-z"][0] == pytest.approx(np.sqrt(19), rel=1e-3)
    for name in SHAPES:
        assert np.abs(found[name]).max() < np.abs(averaged[name].numpy()).max() / 5


def test_without_outliers_it_is_fedavg():
    sent = clients(12, boosted=())
    found, numbers = aggregate(RFOut1d(threshold=100.0, center="median", scale="std"), sent)
    averaged, _ = FedAvg().aggregate_train(1, replies(sent))
    assert sum(numbers["flagged-share"]) == 0
    for name in SHAPES:
        np.testing.assert_allclose(found[name], averaged[name].numpy(), atol=1e-6)


def test_the_order_of_arrival_changes_nothing():
    sent = clients(15)
    messages = replies(sent)
    first, numbers = RFOut1d().aggregate_train(1, messages)
    random.Random(1).shuffle(messages)
    second, same = RFOut1d().aggregate_train(1, iter(messages))
    assert {k: a.data for k, a in first.items()} == {k: a.data for k, a in second.items()}
    assert dict(numbers) == dict(same)


def test_the_model_keeps_its_form():
    model = {"weights": np.zeros(3, np.float64), "seen": np.asarray(7, np.int64)}
    sent = [{"weights": np.full(3, i / 7), "seen": np.asarray(i)} for i in range(12)]
    found, _ = after_sending(RFOut1d(), sent, {}, model=model)
    assert {name: (layer.dtype, layer.shape) for name, layer in found.items()} == {
        name: (layer.dtype, layer.shape) for name, layer in model.items()
    }
    assert found["seen"] == 6  # 5.5, to the even one


def test_nothing_that_came_is_changed_or_copied():
    messages = replies(clients())
    before = [reply.content["arrays"]["conv"].data for reply in messages]
    RFOut1d().aggregate_train(1, messages)
    assert all(
        reply.content["arrays"]["conv"].data is data
        for reply, data in zip(messages, before, strict=True)
    )


# Invalid replies, next to Flower's own strategies

NAN = {**MODEL, "bias": np.array([0, np.nan, 0, 0], np.float32)}
SHAPE = {**MODEL, "conv": np.zeros((3, 2), np.float32)}


def flowers(strategy, sent):
    extra = {"num_malicious_nodes": 1} if strategy in (Krum, MultiKrum, Bulyan) else {}
    extra |= {"num_nodes_to_select": 10} if strategy is MultiKrum else {}
    found, _ = strategy(**extra).aggregate_train(1, replies(sent))
    return arrays(found)


@pytest.mark.parametrize(
    "bad", [NAN, {**MODEL, "bias": MODEL["bias"] - np.inf}], ids=["nan", "inf"]
)
def test_a_reply_that_is_not_finite(bad):
    sent = clients(12, boosted=())
    for strategy in (FedAvg, FedMedian) if np.isnan(bad["bias"]).any() else (FedAvg,):
        assert not np.isfinite(flowers(strategy, [*sent[:11], bad])["bias"]).all()
    found, numbers = after_sending(RFOut1d(), sent, {11: (bad,)})
    for name in SHAPES:
        np.testing.assert_array_equal(found[name], rfout1d(stacked(sent[:11], name)))
    assert (numbers["replies"], numbers["dropped-node-ids"]) == (11, [111])
    assert numbers["dropped-layers"] == [1]


@pytest.mark.parametrize("strategy", FLOWERS_OWN)
def test_a_wrong_shape_ends_a_run_of_flowers_own(strategy):
    longer = {**MODEL, "conv": np.zeros((4, 3), np.float32)}
    with pytest.raises((ValueError, AggregationError)):
        flowers(strategy, [*clients(11, boosted=()), longer])


def test_a_wrong_shape_is_dropped_here():
    sent = clients(12, boosted=())
    found, numbers = after_sending(RFOut1d(), sent, {0: (SHAPE,)})
    np.testing.assert_array_equal(found["conv"], rfout1d(stacked(sent[1:], "conv")))
    assert (numbers["dropped-node-ids"], numbers["dropped-layers"]) == ([100], [0])


def test_a_claim_of_many_examples_owns_fedavg_and_counts_once_here():
    sent = clients(12, boosted=())
    messages = replies(sent)
    messages[3] = reply(103, sent[3], {"num-examples": 10**12})
    averaged, _ = FedAvg().aggregate_train(1, messages)
    np.testing.assert_allclose(averaged["conv"].numpy(), sent[3]["conv"], rtol=1e-5)
    found, numbers = RFOut1d().aggregate_train(1, messages)
    np.testing.assert_array_equal(found["conv"].numpy(), rfout1d(stacked(sent, "conv")))
    assert numbers["replies"] == 12


@pytest.mark.parametrize("weight", [-1, 0, float("nan"), float("inf"), [1, 2]])
def test_a_weight_that_is_none_is_dropped(weight):
    _, numbers = after_sending(RFOut1d(), clients(12), {5: (MODEL, {"num-examples": weight})})
    assert (numbers["dropped-node-ids"], numbers["dropped-layers"]) == ([105], [-1])


def broken(name, **fields):
    """MODEL with one layer's serialised form tampered with."""
    sent = record(MODEL)
    for field, value in fields.items():
        setattr(sent[name], field, value)
    return sent


def npy(old, new):
    """The bytes of a layer, with something else in the header, which keeps its length."""
    data, old = Array(CONV).data, old.encode()
    assert old in data
    rest = data[data.index(old) + len(old) :]
    spaces = len(new) - len(old)
    assert spaces <= 0 or b" " * (spaces + 1) in rest
    return data.replace(old, new.encode()).replace(b" " * max(0, spaces) + b"\n", b"\n", 1)


CONV = MODEL["conv"]
INVALID = {
    "a layer is missing": {"conv": CONV, "bias": MODEL["bias"]},
    "a layer too many": {**MODEL, "more": CONV},
    "another name": {**{k: v for k, v in MODEL.items() if k != "conv"}, "Conv": CONV},
    "too large for the dtype": {**MODEL, "conv": CONV.astype(np.float64) + 1e300},
    "complex": {**MODEL, "conv": CONV.astype(complex)},
    "text": {**MODEL, "conv": np.full((2, 3), "abcd")},
    "structured": {**MODEL, "conv": np.zeros((2, 3), "f2,f2")},
    "no bytes": broken("conv", data=b""),
    "half the bytes": broken("conv", data=Array(CONV).data[:-4]),
    "more bytes": broken("conv", data=Array(CONV).data + b"0" * 4),
    "no .npy": broken("conv", data=b"garbage" * 30),
    "pickled": broken("conv", data=npy("'<f4'", "'|O8'")),
    "unending": broken("conv", data=npy("(2, 3)", "((((((")),
    "huge": broken("conv", data=npy("(2, 3)", "(2, 1000000000000000000)")),
    "negative": broken("conv", data=npy("(2, 3)", "(-2, -3)")),
    "empty and huge": broken("conv", data=npy("(2, 3)", "(0, 99999999999999999999)")[:-24]),
    "serialised otherwise": broken("conv", stype="pickle"),
    "no records": RecordDict(),
    "two records": RecordDict({"a": record(MODEL), "b": record(MODEL)}),
    "an error": Error(2, "out of memory"),
}


@pytest.mark.parametrize("content", INVALID.values(), ids=INVALID)
def test_an_invalid_reply_costs_itself_alone(content):
    sent = clients(13)
    found, numbers = after_sending(RFOut1d(), sent, {4: (content,)}, n=13)
    rest = sent[:4] + sent[5:]
    np.testing.assert_array_equal(found["conv"], rfout1d(stacked(rest, "conv")))
    assert (numbers["replies"], numbers["replies-dropped"]) == (12, 1)
    assert numbers["dropped-node-ids"] == [104]
    assert 104 not in numbers["node-ids"]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_bytes_come_the_others_are_aggregated(data):
    good = Array(CONV).data
    at = data.draw(st.integers(0, len(good)))
    new = good[:at] + data.draw(st.binary(max_size=8)) + good[at + data.draw(st.integers(0, 9)) :]
    sent = clients(12, boosted=())
    found, numbers = after_sending(RFOut1d(), sent, {0: (broken("conv", data=new),)})
    assert np.isfinite(found["conv"]).all()
    assert numbers["replies"] + numbers["replies-dropped"] == 12
    if numbers["replies-dropped"]:
        np.testing.assert_array_equal(found["conv"], rfout1d(stacked(sent[1:], "conv")))


def test_a_column_order_reply_is_read_as_it_is():
    sent = clients(12)
    turned = {**sent[3], "conv": np.asfortranarray(sent[3]["conv"])}
    assert b"'fortran_order': True" in Array(turned["conv"]).data
    found, _ = after_sending(RFOut1d(), sent, {3: (turned,)})
    np.testing.assert_array_equal(found["conv"], rfout1d(stacked(sent, "conv")))


def test_the_model_stays_if_no_reply_is_left():
    strategy = RFOut1d(max_empty_rounds=2)
    configured(strategy, MODEL, 3)
    found, numbers = strategy.aggregate_train(1, [reply(node, NAN) for node in (100, 101, 102)])
    assert found is None
    assert (numbers["replies"], numbers["replies-dropped"]) == (0, 3)


def test_most_replies_decide_where_no_model_was_sent():
    sent = clients(12)
    messages = replies(sent)
    messages[0] = reply(100, SHAPE)  # the first is not taken for the right one
    found, numbers = RFOut1d().aggregate_train(1, messages)
    np.testing.assert_array_equal(found["conv"].numpy(), rfout1d(stacked(sent[1:], "conv")))
    assert numbers["dropped-node-ids"] == [100]


def test_who_was_not_asked_or_answers_twice_is_dropped():
    sent = clients(13)
    strategy = RFOut1d()
    configured(strategy, MODEL, 13)
    messages = [*replies(sent), reply(102, clients(1)[0]), reply(999, clients(1)[0])]
    _, numbers = strategy.aggregate_train(1, messages)
    assert numbers["replies"] == 13
    assert numbers["dropped-node-ids"] == [102, 999]


def test_who_does_not_answer_is_named():
    strategy = RFOut1d()
    configured(strategy, MODEL, 13)
    messages = replies(clients(13))[:12]
    _, numbers = strategy.aggregate_train(1, [*messages, reply(1, Error(5, "node unavailable"))])
    assert (numbers["replies-missing"], numbers["missing-node-ids"]) == (1, [112])
    assert numbers["replies-dropped"] == 0  # the SuperLink's own error is about the missing one


def test_raising_is_a_choice():
    with pytest.raises(InconsistentMessageReplies, match=r"node 102 .*layer 'bias': nan"):
        after_sending(RFOut1d(on_invalid="raise"), clients(12), {2: (NAN,)})


def test_an_invalid_reply_is_named_in_the_log(flower_log):
    flower_log.set_level("DEBUG", logger="flwr")
    after_sending(RFOut1d(), clients(13), {2: (NAN,), 3: (SHAPE,)}, n=13)
    assert "node 102 is invalid: layer 'bias': nan at index (1,)" in flower_log.text
    assert "node 103 is invalid: layer 'conv': the shape is (3, 2) where (2, 3)" in flower_log.text


# Settings


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), max_norm=st.floats(0.1, 1e4))
def test_updates_are_clipped_and_not_weights(seed, max_norm):
    rng = np.random.default_rng(seed)
    model = {name: np.asarray(10 * rng.normal(size=s), np.float32) for name, s in SHAPES.items()}
    sent = clients(12, seed)
    found, _ = after_sending(RFOut1d(clip_norm=max_norm), sent, {}, model=model)
    updates = [[np.asarray(c[name], np.float64) - model[name] for name in SHAPES] for c in sent]
    want = rfout1d(clip_updates(updates, max_norm))
    for name, update in zip(SHAPES, want, strict=True):
        np.testing.assert_allclose(found[name], model[name] + update, rtol=2e-3, atol=2e-3)


def test_noise_is_weak_differential_privacy():
    shape = 20_000
    model = {"w": np.zeros(shape, np.float32)}
    sent = [{"w": np.zeros(shape, np.float32)} for _ in range(12)]

    def noisy(seed):
        rng = np.random.default_rng(seed)
        strategy = RFOut1d(clip_norm=6.0, noise=2.0, rng=rng)
        return after_sending(strategy, sent, {}, model=model)[0]["w"]

    np.testing.assert_array_equal(noisy(1), noisy(1))
    assert not np.array_equal(noisy(1), noisy(2))
    assert noisy(1).std() == pytest.approx(2.0 * 6.0 / 12, rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"weighted": True}, "refused: a reply's weight is what its client claims"),
        ({"threshold": 0}, "threshold must be"),
        ({"center": "middle"}, "center must be"),
        ({"on_invalid": "ignore"}, "on_invalid must be"),
        ({"clip_norm": -1}, "clip_norm must be"),
        ({"noise": -1}, "noise must be"),
        ({"noise": 1.0}, "give a clip_norm"),
        ({"noise": 1.0, "clip_norm": 1.0}, "needs a generator"),
        ({"node_timeout": float("nan")}, "node_timeout must be"),
    ],
)
def test_settings_that_mean_nothing(arguments, says):
    with pytest.raises(ValueError, match=says):
        RFOut1d(**arguments)


def test_clipping_needs_the_global_model():
    with pytest.raises(ValueError, match="configure_train"):
        aggregate(RFOut1d(clip_norm=1.0), clients(12))


def test_it_gives_up_on_nodes_that_do_not_come(flower_log):
    strategy = RFOut1d(min_available_nodes=3, node_timeout=0.2)
    with pytest.raises(AggregationError, match="gave up: 2 of 3 nodes after"):
        strategy.configure_train(1, record(MODEL), ConfigRecord(), grid(2))
    assert "waiting for 1 more nodes: 2 of 3" in flower_log.text
    assert len(configured(strategy, MODEL, 3)) == 3


# The clients' own metrics are claims


def test_metrics_of_the_clients_are_their_median():
    messages = replies(clients(13))
    claims = [0.1] * 11 + [1e9, float("nan")]
    for one, claim in zip(messages, claims, strict=True):
        one.content["metrics"]["loss"] = claim
    messages[0].content["metrics"]["replies"] = 10**6
    messages[1].content["metrics"]["only-mine"] = 1.0
    _, numbers = RFOut1d().aggregate_train(1, messages)
    assert numbers["loss"] == pytest.approx(0.1)
    assert numbers["replies"] == 13
    assert not {"only-mine", "num-examples"} & set(numbers)


def test_evaluation_survives_strange_replies():
    nodes = grid(3).get_node_ids()
    sent = [{"num-examples": 5, "accuracy": 0.5}, {"accuracy": [1.0]}, {"accuracy": 0.7}]
    messages = []
    for node, metrics in zip(nodes, sent, strict=True):
        content = RecordDict({"metrics": MetricRecord(metrics)})
        messages.append(Message(content, reply_to=Message(RecordDict(), node, "evaluate")))
    with pytest.raises(InconsistentMessageReplies):
        FedAvg().aggregate_evaluate(1, messages)
    assert dict(RFOut1d().aggregate_evaluate(1, messages)) == {"accuracy": pytest.approx(0.6)}
    assert RFOut1d().aggregate_evaluate(1, []) is None


def test_metrics_survive_the_wire():
    """Node ids take 64 bits without a sign."""
    messages = replies(clients(11))
    messages[3].metadata.__dict__["_src_node_id"] = 2**64 - 1
    _, numbers = RFOut1d().aggregate_train(1, messages)
    assert dict(metric_record_from_proto(metric_record_to_proto(numbers))) == dict(numbers)
