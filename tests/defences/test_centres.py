"""Geometric median, centred clipping and mixing: against an optimiser and slow oracles."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize

from rfout.defences import centred_clipping, geometric_median, mean, median, mix_nearest, mixed

updates = arrays(
    np.float64,
    st.tuples(st.integers(3, 12), st.integers(1, 4)),
    elements=st.floats(-100, 100, width=32),
)


def total_distance(x, centre):
    return np.linalg.norm(x - centre, axis=1).sum()


@settings(max_examples=60, deadline=None)
@given(updates)
@example(np.array([[4.0, 2.0**-14], [0.0, 4.0], [0.0, 0.0]]))  # starts just beside an update
def test_no_point_has_a_smaller_sum_of_distances(x):
    found = total_distance(x, geometric_median(x))
    best = min(
        minimize(lambda c: total_distance(x, c), start, method="Nelder-Mead").fun
        for start in (np.median(x, axis=0), x.mean(axis=0))
    )
    assert found <= best + 1e-3 * (1 + best)


def slow_centred_clipping(x, radius, n_iterations):
    centre = np.median(x, axis=0)
    if radius is None:
        radius = np.median([np.linalg.norm(one - centre) for one in x])
    for _ in range(n_iterations):
        steps = []
        for one in x:
            apart = one - centre
            length = np.linalg.norm(apart)
            steps.append(apart * min(1, radius / length) if length else apart)
        centre = centre + np.mean(steps, axis=0)
    return centre


@settings(max_examples=60, deadline=None)
@given(updates, st.none() | st.floats(0.1, 50), st.integers(1, 4))
def test_centred_clipping_is_the_published_iteration(x, radius, n_iterations):
    found = centred_clipping(x, radius=radius, n_iterations=n_iterations)
    np.testing.assert_allclose(found, slow_centred_clipping(x, radius, n_iterations), atol=1e-9)


def slow_mixing(x, f):
    mixed = []
    for one in x:
        order = sorted(range(len(x)), key=lambda j: (round(((one - x[j]) ** 2).sum(), 6), j))
        mixed.append(x[order[: len(x) - f]].mean(axis=0))
    return np.array(mixed)


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.float64,
        st.tuples(st.integers(5, 12), st.integers(1, 4)),
        elements=st.integers(-5, 5).map(float),
    ),
    st.integers(0, 2),
)
def test_mixing_averages_the_nearest(x, f):
    np.testing.assert_allclose(mix_nearest(x, f), slow_mixing(x, f), atol=1e-9)
    np.testing.assert_allclose(mixed(x, f), np.median(slow_mixing(x, f), axis=0), atol=1e-9)
    np.testing.assert_allclose(mixed(x, f, mean), slow_mixing(x, f).mean(axis=0), atol=1e-9)


@pytest.mark.parametrize("aggregator", [geometric_median, centred_clipping])
@pytest.mark.parametrize("far", [1e6, 1e150, -1e300])
def test_a_minority_far_away_is_bounded(aggregator, far):
    x = np.random.default_rng(0).normal(size=(20, 30))
    x[:4] = far
    assert np.linalg.norm(aggregator(x)) < 20


@pytest.mark.parametrize("aggregator", [geometric_median, centred_clipping, mean, median])
def test_equal_updates_are_their_own_centre(aggregator):
    x = np.full((12, 3), 0.25, np.float32)
    assert aggregator(x).tolist() == [0.25] * 3
    assert aggregator(x).dtype == np.float32
    assert aggregator(np.zeros((12, 2, 3))).shape == (2, 3)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: centred_clipping(x, radius=0.0),
        lambda x: centred_clipping(x, n_iterations=0),
        lambda x: mix_nearest(x, 2),
        lambda x: mix_nearest(x, -1),
        lambda x: geometric_median(x * np.nan),
    ],
)
def test_what_makes_no_sense_is_refused(call):
    with pytest.raises(ValueError, match=r"radius|assume|at least|nan"):
        call(np.ones((4, 2)))
