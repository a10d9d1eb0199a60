"""The adapter by itself: nests, updates, clipping, noise, and what a hostile node may send."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfout import rfout1d
from rfout.defences import clip_updates, weak_dp
from rfout.sherpa import RFOut1d

few = pytest.mark.filterwarnings("ignore:nothing can be flagged:UserWarning")
SHAPES = [(3, 2), (4,), ()]


def clients(n=12, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return [[(scale * rng.normal(size=s)).astype(np.float32) for s in SHAPES] for _ in range(n)]


def start(seed=99):
    return clients(1, seed)[0]


def flat(params):
    return np.concatenate([np.ravel(layer) for layer in params])


# Nests


def nests():
    return st.recursive(
        st.just("layer"),
        lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple),
        max_leaves=6,
    ).filter(lambda nest: depth(nest) <= 4)


def depth(nest):
    return 1 + max(map(depth, nest), default=0) if isinstance(nest, (list, tuple)) else 0


def filled(nest, rng):
    if isinstance(nest, (list, tuple)):
        return type(nest)(filled(one, rng) for one in nest)
    return rng.normal(size=rng.integers(1, 3)).astype(np.float32)


def by_recursion(sent):
    """Aggregate as the framework's own aggregators do: down the nest, layer by layer."""
    if isinstance(sent[0], (list, tuple)):
        return type(sent[0])(by_recursion(layer) for layer in zip(*sent, strict=True))
    return rfout1d(np.array(sent))


def assert_same(a, b):
    assert type(a) is type(b)
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for one, two in zip(a, b, strict=True):
            assert_same(one, two)
    else:
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@given(nests(), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_any_nest_comes_back_as_it_was(nest, seed):
    sent = [filled(nest, np.random.default_rng(seed)) for _ in range(12)]
    assert_same(RFOut1d()(sent), by_recursion(sent))


def test_numbers_stay_numbers_and_integers_become_floats():
    result = RFOut1d()([[1, (np.float32(2), 3.0)]] * 12)
    assert isinstance(result[1], tuple)
    assert [float(result[0]), *map(float, result[1])] == [1, 2, 3]
    assert [result[0].dtype, *(one.dtype for one in result[1])] == [
        np.float64,
        np.float32,
        np.float64,
    ]


def test_both_apis_are_one():
    sent = clients()
    assert_same(RFOut1d().aggregate_weights(sent), RFOut1d()(sent))


# Updates


def test_with_a_start_it_is_the_rule_on_updates_to_the_bit():
    old, aggregator = start(), RFOut1d(start=start())
    for seed in range(3):
        sent = clients(seed=seed)
        sent[3][0][:] *= 30
        new = aggregator(sent)
        updates = [[layer - before for layer, before in zip(one, old, strict=True)] for one in sent]
        moves, report = rfout1d(updates, return_report=True)
        old = [before + move for before, move in zip(old, moves, strict=True)]
        np.testing.assert_array_equal(flat(new), flat(old))
        np.testing.assert_array_equal(aggregator.reports[-1].flagged, report.flagged)
        for layer in new[:2]:  # the framework trains it in place
            layer[:] = 7
    assert len(aggregator.reports) == 3


def test_with_and_without_a_start_agree_but_for_rounding():
    sent = clients()
    np.testing.assert_allclose(flat(RFOut1d(start=start())(sent)), flat(RFOut1d()(sent)), atol=1e-6)


def test_the_start_is_copied():
    given, sent = start(), clients()
    aggregator = RFOut1d(start=given, max_norm=0.5)
    given[0][:] = 100
    assert_same(aggregator(sent), RFOut1d(start=start(), max_norm=0.5)(sent))


@given(st.floats(1e-3, 1e3), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_clipping_is_on_updates_and_over_all_layers(max_norm, seed):
    sent, old = clients(seed=seed), flat(start(seed + 1))
    updates = np.array([flat(one) - old for one in sent])
    expected = old + rfout1d(clip_updates(updates, max_norm))
    given = RFOut1d(start=start(seed + 1), max_norm=max_norm)(sent)
    np.testing.assert_allclose(flat(given), expected, rtol=1e-5, atol=1e-6)


def test_noise_is_weak_differential_privacy():
    sent, old = clients(60), start()
    updates = np.array([flat(one) - flat(old) for one in sent])
    rngs = (np.random.default_rng(5), np.random.default_rng(5))
    given = RFOut1d(start=old, max_norm=2.0, noise=40.0, rng=rngs[0])(sent)
    expected = flat(old) + weak_dp(updates, 2.0, 40.0, rngs[1], aggregator=rfout1d)
    np.testing.assert_allclose(flat(given), expected, rtol=1e-4, atol=1e-5)
    plain = RFOut1d(start=old, max_norm=2.0)(sent)
    assert abs(flat(given) - flat(plain)).max() > 0.1


def test_noise_is_measured_in_those_who_counted():
    """One of the twelve is left out: what is left is what eleven would have got."""
    sent = clients()
    sent[4][1][0] = np.nan
    with pytest.warns(UserWarning, match="left out of the aggregate: client 4, layer 1"):
        given = noisy(on_invalid="drop")(sent)
    np.testing.assert_array_equal(flat(given), flat(noisy()(sent[:4] + sent[5:])))


def noisy(**settings):
    rng = np.random.default_rng(5)
    return RFOut1d(start=start(), max_norm=2.0, noise=40.0, rng=rng, **settings)


@few
def test_the_rule_is_passed_on():
    sent = clients(7)
    robust = {"center": "median", "scale": "mad", "replacement": "drop", "threshold": 2.0}
    np.testing.assert_array_equal(flat(RFOut1d(**robust)(sent)), flat(rfout1d(sent, **robust)))


# What is wrong


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"threshold": 0}, ValueError, "threshold must be a positive"),
        ({"threshold": "3"}, TypeError, "threshold must be a positive"),
        ({"center": "mode"}, ValueError, "center must be"),
        ({"on_invalid": "ignore"}, ValueError, "on_invalid must be"),
        ({"max_norm": 1.0}, ValueError, "start=model.get_model_params"),
        ({"max_norm": 0.0, "start": [np.zeros(2)]}, ValueError, "max_norm must be a positive"),
        ({"max_norm": np.nan, "start": [np.zeros(2)]}, ValueError, "max_norm must be a positive"),
        ({"noise": -1.0}, ValueError, "noise must be"),
        ({"noise": np.inf}, ValueError, "noise must be"),
        ({"noise": 1.0}, ValueError, "give both"),
        ({"noise": 1.0, "max_norm": 1.0, "start": [np.zeros(2)]}, ValueError, "give both"),
    ],
)
def test_a_wrong_setting_is_refused_at_once(settings, error, words):
    with pytest.raises(error, match=words):
        RFOut1d(**settings)


def endless():
    nest = []
    nest.append(nest)
    return nest


BAD = {
    "nan": lambda good: [good[0] * np.nan, *good[1:]],
    "infinity": lambda good: [good[0] * np.float32(np.inf), *good[1:]],
    "the largest number, negative": lambda good: [
        np.full_like(good[0], -np.finfo(np.float32).max),
        *good[1:],
    ],
    "another shape": lambda good: [good[0].T, *good[1:]],
    "a shape that would broadcast": lambda good: [good[0][:1], *good[1:]],
    "a layer too few": lambda good: good[:-1],
    "a layer too many": lambda good: [*good, good[0]],
    "nothing": lambda good: None,
    "no layers": lambda good: [],
    "text": lambda good: ["a", "b", "c"],
    "objects": lambda good: [np.array([object()] * 6).reshape(3, 2), *good[1:]],
    "complex numbers": lambda good: [good[0] * 1j, *good[1:]],
    "masked numbers": lambda good: [np.ma.masked_array(good[0], True), *good[1:]],
    "a nest without an end": lambda good: endless(),
}
CLIPPED = {"max_norm": 1.0, "noise": 0.1}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("bad", [0, 7])
@pytest.mark.parametrize("with_start", [False, True])
def test_a_hostile_node_is_named_or_left_out(case, bad, with_start):
    def made(**more):
        if with_start:
            old = [np.abs(layer) + np.float32(1e38) for layer in start()]
            more |= CLIPPED | {"start": old, "rng": np.random.default_rng(0)}
        return RFOut1d(**more)

    sent = clients()
    rest = sent[:bad] + sent[bad + 1 :]
    sent[bad] = BAD[case](sent[bad])
    if case == "the largest number, negative" and not with_start:
        return flat_is_finite(made()(sent))  # nothing is wrong with it
    with pytest.raises((ValueError, TypeError), match=f"client {bad}"):
        made()(sent)
    with pytest.warns(UserWarning, match=f"left out of the aggregate: client {bad}"):
        given = made(on_invalid="drop")(sent)
    assert_same(given, made()(rest))


def flat_is_finite(params):
    assert np.isfinite(flat(params)).all()


def test_a_round_that_fails_changes_nothing():
    aggregator = RFOut1d(start=start())
    bad = clients()
    bad[0][0][0] = np.nan
    with pytest.raises(ValueError, match="client 0"):
        aggregator(bad)
    assert aggregator.reports == []
    assert_same(aggregator(clients()), RFOut1d(start=start())(clients()))


def test_a_start_of_another_model_is_said():
    with pytest.raises(
        ValueError, match=r"start has layers of shapes \[\(2,\)\], and only 0 of 12"
    ):
        RFOut1d(start=[np.zeros(2)])(clients())


@pytest.mark.parametrize("given", [None, {}, "abc", 3])
def test_something_else_than_clients_is_said(given):
    with pytest.raises(TypeError, match="clients_params must be a list"):
        RFOut1d()(given)


@pytest.mark.parametrize("with_start", [False, True])
def test_no_clients_are_said(with_start):
    with pytest.raises(ValueError, match="the list is empty"):
        RFOut1d(**({"start": start()} if with_start else {}))([])


def test_few_clients_get_the_operators_warning():
    with pytest.warns(UserWarning, match="nothing can be flagged: of 7 values"):
        RFOut1d()(clients(7))


def test_nothing_else_is_said():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RFOut1d(start=start(), max_norm=1.0)(clients())
