"""The rivals, each against its definition written out."""

from fractions import Fraction

import flower_peer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rfout.defences import clip_updates, mean, norm_clipping, rlr, weak_dp


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([np.float32, np.float64]).flatmap(
        lambda dtype: arrays(
            dtype,
            array_shapes(min_dims=1, max_dims=4, max_side=12),
            elements=st.floats(-(2.0**100), 2.0**100, width=32),
        )
    )
)
def test_mean_is_the_sum_over_the_clients_divided_by_their_number(updates):
    before = updates.copy()
    got = mean(updates)
    assert got.shape == updates.shape[1:]
    assert got.dtype == updates.dtype
    np.testing.assert_array_equal(updates, before)
    n = len(updates)
    for g, column in zip(got.ravel(), updates.reshape(n, -1).T, strict=True):
        want = sum((Fraction(float(v)) for v in column), Fraction(0)) / n
        lost = 4 * n * 2.0**-52 * float(np.abs(column).max())
        last_place = float(np.spacing(np.abs(updates.dtype.type(float(want)))))
        assert abs(Fraction(float(g)) - want) <= Fraction(lost + last_place)


def test_mean_sums_in_double():
    updates = np.array([[2.0**30], [1.0], [-(2.0**30)], [1.0]], np.float32)
    assert mean(updates).tolist() == [0.5]  # in float32 the first 1 is lost


def test_every_client_counts_once():
    assert mean(np.array([[0.0, 3.0], [0.0, 3.0], [6.0, 0.0]])).tolist() == [2.0, 2.0]


@pytest.mark.parametrize("boost", [1.0, 1e6])
def test_mean_is_no_defence(boost):
    updates = np.zeros((20, 3))
    updates[0] = boost
    np.testing.assert_allclose(mean(updates), boost / 20)


def honest(n=20, shape=(30,), seed=0, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype(dtype)


def norms(updates):
    return np.linalg.norm(updates.reshape(len(updates), -1), axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_clipping_is_flowers(seed):
    """Flower clips in place, layer lists of one client at a time."""
    x = honest(seed=seed, shape=(4, 5), dtype=np.float32)
    x[3] *= 50
    want = [[layer.copy()] for layer in x]
    for one in want:
        flower_peer.clip_inputs_inplace(one, 4.0)
    np.testing.assert_allclose(clip_updates(x, 4.0), [one[0] for one in want], rtol=1e-5)
    np.testing.assert_allclose(
        norm_clipping(x, 4.0), np.mean([one[0] for one in want], axis=0), atol=1e-6
    )


@settings(deadline=None, max_examples=50)
@given(
    arrays(np.float64, array_shapes(min_dims=2, max_dims=3), elements=st.floats(-1e6, 1e6)),
    st.floats(1e-3, 1e3),
)
def test_clipped_updates_point_as_before_and_are_no_longer_than_the_norm(x, max_norm):
    clipped = clip_updates(x, max_norm)
    assert (norms(clipped) <= max_norm * (1 + 1e-12)).all()
    for before, after in zip(x, clipped, strict=True):
        norm = np.sqrt((before**2).sum())
        want = before * (max_norm / norm) if norm > max_norm else before
        np.testing.assert_allclose(after, want, rtol=1e-9, atol=1e-12)


def test_the_median_norm_of_the_round():
    x = honest(dtype=np.float32)
    x[0] *= 1000
    limit = np.median(norms(x))
    np.testing.assert_allclose(clip_updates(x, "median"), clip_updates(x, limit), rtol=1e-6)
    np.testing.assert_allclose(norm_clipping(x), norm_clipping(x, limit), atol=1e-6)
    assert clip_updates(np.zeros((5, 3)), "median").tolist() == np.zeros((5, 3)).tolist()


def test_layers_are_clipped_together():
    x = honest(n=6)
    layered = [[one[:10], one[10:].reshape(4, 5)] for one in x]
    for one, flat in zip(clip_updates(layered, 2.0), clip_updates(x, 2.0), strict=True):
        np.testing.assert_allclose(np.concatenate([a.ravel() for a in one]), flat)


@pytest.mark.parametrize("max_norm", [0, -1.0, np.nan, np.inf, "mean"])
def test_a_norm_that_cannot_be(max_norm):
    with pytest.raises(ValueError, match="max_norm must be a positive number"):
        norm_clipping(honest(), max_norm)


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_weak_dp_is_clipping_a_mean_and_noise_of_the_promised_size(noise):
    x = honest(shape=(20_000,))
    apart = weak_dp(x, 2.0, noise, np.random.default_rng(3)) - norm_clipping(x, 2.0)
    assert apart.std() == pytest.approx(flower_peer.compute_stdv(noise, 2.0, 20), rel=0.05)
    assert abs(apart.mean()) <= 0.001


def test_weak_dp_from_a_number_holds_no_state():
    x = honest()
    once = weak_dp(x, "median", 0.1, 7)
    np.testing.assert_array_equal(once, weak_dp(x, "median", 0.1, 7))
    assert not np.array_equal(once, weak_dp(x, "median", 0.1, 8))
    noise = once - norm_clipping(x), weak_dp(2 * x, "median", 0.1, 7) - norm_clipping(2 * x)
    assert abs(np.corrcoef(*noise)[0, 1]) < 0.9  # other updates, other noise


def slow_rlr(x, threshold):
    """Coordinate by coordinate, as the paper's formula reads."""
    result = []
    for column in x.reshape(len(x), -1).T:
        up, down = sum(v > 0 for v in column), sum(v < 0 for v in column)
        rate = 1 if abs(up - down) >= threshold else -1
        result.append(rate * sum(column) / len(column))
    return np.reshape(result, x.shape[1:])


@settings(deadline=None, max_examples=100)
@given(
    arrays(np.float64, array_shapes(min_dims=2, max_dims=3), elements=st.integers(-2, 2)), st.data()
)
def test_rlr_turns_the_sign_where_too_few_agree(x, data):
    threshold = data.draw(st.integers(0, len(x)))
    np.testing.assert_allclose(rlr(x, threshold), slow_rlr(x, threshold), atol=1e-12)
    np.testing.assert_allclose(rlr(x, 0), mean(x), atol=1e-12)


@pytest.mark.parametrize("threshold", [-1, 21, np.nan])
def test_a_threshold_that_cannot_be(threshold):
    with pytest.raises(ValueError, match="threshold must be from 0 to 20 clients"):
        rlr(honest(), threshold)


@pytest.mark.parametrize(
    "rival", [norm_clipping, lambda x: rlr(x, 4), lambda x: weak_dp(x, 1, 0, 0)]
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_an_error(rival, value):
    x = honest()
    x[13, 2] = value
    with pytest.raises(ValueError, match="client 13: the update has"):
        rival(x)
