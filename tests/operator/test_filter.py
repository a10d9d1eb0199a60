"""The operator against a slow double loop in exact fractions, and what follows from its rule."""

from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import rfout
from rfout import rfout1d

# Few clients are tested on purpose; tests/test_rfout1d_family.py holds the warning itself.
pytestmark = pytest.mark.filterwarnings("ignore:nothing can be flagged")

relaxed = settings(deadline=None, max_examples=200)
seeds = st.integers(0, 2**32 - 1)
EPS = 2.0**-52

# float64 stays away from where a square overflows or underflows.
moderate = st.one_of(st.just(0.0), st.floats(1e-50, 1e50), st.floats(-1e50, -1e-50))
any_float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
small_integers = st.integers(-1000, 1000)


def shapes(max_trailing_dims=3):
    trailing = st.one_of(
        st.just(()), array_shapes(min_dims=1, max_dims=max_trailing_dims, max_side=3)
    )
    return st.tuples(st.integers(1, 40), trailing).map(lambda pair: (pair[0], *pair[1]))


def updates_of(dtype, elements):
    return shapes().flatmap(lambda shape: arrays(dtype, shape, elements=elements))


def integer_updates(dtype=np.float64):
    return updates_of(np.int64, small_integers).map(lambda x: x.astype(dtype))


def slow(updates, threshold=3.0):
    """The rule, value by value, without rounding. Also: which values are too near to call.

    Gives lists over the coordinates: aggregates, tuples of flags, tuples of squared z (None where
    nothing varies), and whether float64 may decide one of the flags either way.
    """
    n = len(updates)
    aggregates, flags, squares, close = [], [], [], []
    for column in updates.reshape(n, -1).T:
        values = [Fraction(float(v)) for v in column]
        mean = sum(values, Fraction(0)) / n
        variance = sum(((v - mean) ** 2 for v in values), Fraction(0)) / n
        flagged = [(v - mean) ** 2 > Fraction(threshold) ** 2 * variance for v in values]
        kept = [mean if outlier else v for v, outlier in zip(values, flagged, strict=True)]
        aggregates.append(sum(kept, Fraction(0)) / n)
        flags.append(tuple(flagged))
        squares.append(tuple((v - mean) ** 2 / variance if variance else None for v in values))
        rounding = 4 * n * EPS * float(max(abs(v) for v in values))
        reach = threshold * sqrt(variance)
        margin = rounding * (1 + threshold) + 1e-9 * reach
        close.append(any(abs(abs(float(v - mean)) - reach) <= margin for v in values))
        if not variance:  # every value is the mean: only a threshold below 1 may be in doubt
            close[-1] = threshold <= 1
    return aggregates, flags, squares, close


def assert_is_aggregate(got, want, updates):
    """Within one unit in the last place, on top of what float64 loses in the sums."""
    n = len(updates)
    lost = 4 * n * EPS * np.abs(updates, dtype=np.float64).reshape(n, -1).max(axis=0)
    size = np.abs(np.array([float(w) for w in want], dtype=got.dtype))
    almost = np.nextafter(np.finfo(got.dtype).max, 0, dtype=got.dtype)  # nothing is after the last
    last_place = np.spacing(np.minimum(size, almost))
    for g, w, tolerance in zip(got.ravel(), want, lost + last_place, strict=True):
        assert abs(Fraction(float(g)) - w) <= Fraction(float(tolerance))


@relaxed
@given(
    st.one_of(
        updates_of(np.float32, any_float32),
        updates_of(np.float64, moderate),
        integer_updates(np.float32),
        integer_updates(np.float64),
    ),
    st.one_of(st.just(3.0), st.floats(0.25, 4.0)),
)
def test_agrees_with_the_slow_double_loop(updates, threshold):
    want, flags, _, close = slow(updates, threshold)
    assume(not any(close))
    event(f"flags something: {any(map(any, flags))}")
    got = rfout1d(updates, threshold=threshold)
    assert got.shape == updates.shape[1:]
    assert got.dtype == updates.dtype
    assert_is_aggregate(got, want, updates)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [11, 20, 40])
def test_agrees_with_the_slow_double_loop_where_outliers_are(n, dtype):
    rng = np.random.default_rng(n)
    updates = rng.normal(size=(n, 10, 5)).astype(dtype)
    updates[rng.integers(n, size=10), range(10), :] *= 100
    want, flags, _, close = slow(updates)
    assert sum(map(any, flags)) >= 10
    assert not any(close)
    assert_is_aggregate(rfout1d(updates), want, updates)


@relaxed
@given(st.one_of(integer_updates(), updates_of(np.float32, any_float32)))
def test_the_report_is_what_counting_gives(updates):
    n = len(updates)
    _, flags, squares, close = slow(updates)
    varies = [column for column in squares if None not in column]
    assume(not any(close))
    # z itself is in doubt where values differ by little more than their rounding
    spread = updates.astype(np.float64).reshape(n, -1).std(axis=0)
    size = np.abs(updates.astype(np.float64)).reshape(n, -1).max(axis=0)
    assume(np.all((spread == 0) | (spread > 1e-6 * size)))

    aggregate, report = rfout1d(updates, return_report=True)
    np.testing.assert_array_equal(aggregate, rfout1d(updates))
    assert report.flagged.dtype == report.largest_z.dtype == np.float64
    assert report.flagged.shape == report.largest_z.shape == (n,)
    for client in range(n):
        count = sum(column[client] for column in flags)
        assert report.flagged[client] == pytest.approx(count / len(flags), abs=1e-12)
        largest = max((sqrt(column[client]) for column in varies), default=0.0)
        assert report.largest_z[client] == pytest.approx(largest, rel=1e-6, abs=1e-6)


def test_the_report_names_the_outlier():
    updates = np.zeros((20, 4))
    updates[7, :3] = 1.0, 5.0, -2.0
    aggregate, report = rfout1d(updates, return_report=True)
    assert isinstance(report, rfout.Report)
    assert report.flagged.tolist() == [0.0] * 7 + [0.75] + [0.0] * 12
    assert report.largest_z[7] == pytest.approx(sqrt(19))
    np.testing.assert_allclose(aggregate, updates[7] / 20**2)


def test_a_coordinate_without_variation_is_its_value_and_has_no_z():
    updates = np.full((12, 3), np.float32(0.1))
    updates[:, 0] = 0.0
    aggregate, report = rfout1d(updates, return_report=True)
    np.testing.assert_array_equal(aggregate, updates[0])
    assert not report.flagged.any()
    assert not report.largest_z.any()


def test_without_variation_there_is_no_z_in_double_either():
    _, report = rfout1d(np.full((10, 3), 0.1), return_report=True)
    assert not report.largest_z.any()


def test_the_size_of_the_numbers_does_not_matter_however_small():
    updates = np.zeros((9, 1))
    updates[0] = 1e-200
    _, report = rfout1d(updates, return_report=True)
    assert not report.flagged.any()


def test_a_flat_vector_is_one_coordinate():
    aggregate, report = rfout1d([0.0] * 10 + [11.0], return_report=True)
    assert aggregate.shape == ()
    assert aggregate == pytest.approx(1 / 11)
    assert report.flagged.tolist() == [0.0] * 10 + [1.0]


@pytest.mark.parametrize("shape", [(5, 0), (5, 2, 0, 3)])
def test_no_coordinates_give_no_coordinates(shape):
    aggregate, report = rfout1d(np.zeros(shape, np.float32), return_report=True)
    assert aggregate.shape == shape[1:]
    assert report.flagged.tolist() == report.largest_z.tolist() == [0.0] * 5


# What follows from the rule


@relaxed
@given(st.integers(2, 9), seeds, st.floats(-1e12, 1e12))
def test_up_to_nine_clients_a_lone_outlier_is_never_flagged(n, seed, outlier):
    updates = np.random.default_rng(seed).normal(size=(n, 3))
    updates[0] = outlier
    aggregate, report = rfout1d(updates, return_report=True)
    assert not report.flagged.any()
    np.testing.assert_allclose(aggregate, updates.mean(axis=0), rtol=1e-12)


@relaxed
@given(arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=moderate))
def test_up_to_nine_clients_the_rule_is_the_mean(updates):
    n = len(updates)
    aggregate, report = rfout1d(updates, return_report=True)
    assert not report.flagged.any()
    lost = 4 * n * EPS * np.abs(updates).max(axis=0)
    assert np.all(np.abs(aggregate - updates.mean(axis=0)) <= lost)


@relaxed
@given(st.integers(11, 60), seeds, st.sampled_from([-1, 1]), st.floats(1e2, 1e12))
def test_from_eleven_clients_a_far_outlier_is_flagged(n, seed, sign, distance):
    rng = np.random.default_rng(seed)
    updates = rng.uniform(-1, 1, size=(n, 3))
    row = rng.integers(n)
    updates[row] = sign * distance
    _, report = rfout1d(updates, return_report=True)
    assert report.flagged[row] == 1.0
    assert report.flagged.sum() == 1.0


def honest_values(n):
    """Values with mean 0 and population standard deviation 1, none far out."""
    values = np.linspace(-1, 1, n)
    return values / values.std()


def flags_colluders(n, k, value):
    """Whether `k` of `n` clients at `value` are flagged; no honest one is to be."""
    updates = np.concatenate([np.full(k, value), honest_values(n - k)])
    _, report = rfout1d(updates, return_report=True)
    assert not report.flagged[k:].any()
    assert len(set(report.flagged[:k])) == 1
    return bool(report.flagged[0])


@pytest.mark.parametrize(
    ("n", "k", "limit"),
    [(11, 1, 9.95), (20, 1, 4.24), (30, 1, 3.67), (30, 2, 5.20), (50, 4, 6.71), (100, 9, 9.49)],
)
def test_colluders_are_flagged_beyond_the_derived_distance_and_not_before(n, k, limit):
    exact = 3 * sqrt(n / (n - 10 * k))
    assert exact == pytest.approx(limit, abs=0.005)
    for sign in (-1, 1):
        assert flags_colluders(n, k, sign * exact * 1.000001)
        assert not flags_colluders(n, k, sign * exact * 0.999999)


@pytest.mark.parametrize(("n", "k"), [(20, 2), (100, 10), (10, 1), (20, 3), (11, 5)])
@pytest.mark.parametrize("value", [1.0, 10.0, 1e3, 1e5])
def test_a_tenth_of_colluders_is_never_flagged(n, k, value):
    assert not flags_colluders(n, k, value)


def test_the_wall_is_at_a_tenth_for_every_number_of_clients():
    for n in range(4, 61):
        for k in range(1, n // 2 + 1):
            assert flags_colluders(n, k, 1e4) == (10 * k < n), (n, k)


def test_a_value_exactly_at_the_threshold_is_kept():
    at_three_sigma = np.array([0.0] * 9 + [10.0])  # mean 1, standard deviation 3, all exact
    aggregate, report = rfout1d(at_three_sigma, return_report=True)
    assert aggregate == 1.0
    assert not report.flagged.any()
    assert report.largest_z[-1] == 3.0
    _, report = rfout1d(at_three_sigma, threshold=2.999, return_report=True)
    assert report.flagged[-1] == 1.0


@pytest.mark.parametrize(("n", "k"), [(20, 1), (30, 2), (100, 9)])
def test_a_flagged_value_leaves_its_share_through_the_mean(n, k):
    value = 1e6
    updates = np.concatenate([np.full(k, value), honest_values(n - k)])
    assert rfout1d(updates) == pytest.approx(k**2 * value / n**2, rel=1e-9)


def test_a_lower_threshold_flags_more():
    updates = np.random.default_rng(0).normal(size=(30, 500))
    shares = [
        rfout1d(updates, threshold=c, return_report=True)[1].flagged.mean()
        for c in (0.5, 1.0, 2.0, 3.0, 5.5)
    ]
    assert shares == sorted(shares, reverse=True)
    np.testing.assert_allclose(shares[:3], [0.617, 0.317, 0.0455], atol=0.02)  # of a Gaussian
    assert shares[-1] == 0.0  # beyond sqrt(n - 1), where no value can be


@pytest.mark.parametrize(("n", "per_value"), [(11, 1e-5), (20, 8e-4), (50, 1.9e-3), (100, 2.3e-3)])
def test_honest_gaussian_values_are_flagged_as_rarely_as_derived(n, per_value):
    updates = np.random.default_rng(n).normal(size=(n, 200_000 // n * 10))
    _, report = rfout1d(updates, return_report=True)
    assert report.flagged.mean() == pytest.approx(per_value, rel=0.1, abs=1e-5)


# Symmetries


@relaxed
@given(st.one_of(integer_updates(), updates_of(np.float32, any_float32)), st.randoms())
def test_the_order_of_clients_does_not_matter(updates, random):
    want, _, _, close = slow(updates)
    assume(not any(close))
    order = list(range(len(updates)))
    random.shuffle(order)
    _, report = rfout1d(updates, return_report=True)
    aggregate, permuted = rfout1d(updates[order], return_report=True)
    assert_is_aggregate(aggregate, want, updates)
    np.testing.assert_array_equal(permuted.flagged, report.flagged[order])


@relaxed
@given(integer_updates(), st.integers(-(10**6), 10**6))
def test_the_rule_moves_with_a_shift(updates, shift):
    assume(not any(slow(updates)[3]))
    aggregate, report = rfout1d(updates, return_report=True)
    moved, moved_report = rfout1d(updates + shift, return_report=True)
    np.testing.assert_allclose(moved, aggregate + shift, rtol=1e-12, atol=1e-9)
    np.testing.assert_array_equal(moved_report.flagged, report.flagged)


@relaxed
@given(integer_updates(), st.integers(-40, 40), st.sampled_from([-1, 1]))
def test_the_rule_scales_exactly(updates, exponent, sign):
    factor = sign * 2.0**exponent
    aggregate, report = rfout1d(updates, return_report=True)
    scaled, scaled_report = rfout1d(factor * updates, return_report=True)
    np.testing.assert_array_equal(scaled, factor * aggregate)
    np.testing.assert_array_equal(scaled_report.flagged, report.flagged)
    np.testing.assert_array_equal(scaled_report.largest_z, report.largest_z)


@relaxed
@given(st.integers(1, 40), seeds, st.sampled_from([np.float32, np.float64]))
def test_a_layer_at_a_time_equals_flat(n, seed, dtype):
    rng = np.random.default_rng(seed)
    layers = [rng.standard_t(1, size=(n, *shape)).astype(dtype) for shape in [(3, 2), (4,), ()]]
    flat = np.concatenate([layer.reshape(n, -1) for layer in layers], axis=1)
    assume(not any(slow(flat)[3]))
    apart = np.concatenate([rfout1d(layer).ravel() for layer in layers])
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(
        apart, rfout1d(flat), rtol=tolerance, atol=n * EPS * np.abs(flat).max()
    )


# The contract of numpy.mean(x, axis=0)


@pytest.mark.parametrize("n", [5, 20])
def test_the_input_is_neither_changed_nor_returned(n):
    updates = np.random.default_rng(0).standard_t(1, size=(n, 30)).astype(np.float32)
    before = updates.copy()
    updates.setflags(write=False)
    aggregate, report = rfout1d(updates, return_report=True)
    np.testing.assert_array_equal(updates, before)
    for result in (aggregate, report.flagged, report.largest_z):
        assert not np.shares_memory(result, updates)


def test_one_client_is_its_own_aggregate():
    update = np.array([[1.5, -2.0, 0.0]], np.float32)
    aggregate, report = rfout1d(update, return_report=True)
    np.testing.assert_array_equal(aggregate, update[0])
    assert report.flagged.tolist() == report.largest_z.tolist() == [0.0]
    assert not np.shares_memory(aggregate, update)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, bool])
def test_integers_give_float64(dtype):
    updates = np.zeros((12, 2), dtype)
    updates[3, 0] = 1
    aggregate = rfout1d(updates)
    assert aggregate.dtype == np.float64
    np.testing.assert_allclose(aggregate, [1 / 144, 0], rtol=1e-14)


def test_half_precision_is_summed_in_double():
    updates = np.full((3000, 2), 30, np.float16)  # the sum is beyond float16
    aggregate = rfout1d(updates)
    assert aggregate.dtype == np.float16
    assert aggregate.tolist() == [30, 30]


def test_lists_and_any_memory_order_will_do():
    updates = np.random.default_rng(0).standard_t(1, size=(20, 6, 4))
    want = rfout1d(updates)
    np.testing.assert_allclose(rfout1d(updates.tolist()), want, rtol=1e-13)
    np.testing.assert_allclose(rfout1d(np.asfortranarray(updates)), want, rtol=1e-13)
    np.testing.assert_allclose(rfout1d(updates[:, ::2]), want[::2], rtol=1e-13)


@pytest.mark.parametrize("updates", [np.zeros((0, 3)), [], np.zeros((0,))])
def test_no_client_is_an_error(updates):
    with pytest.raises(ValueError, match="at least one"):
        rfout1d(updates)


def test_a_number_has_no_clients():
    with pytest.raises(ValueError, match=r"clients on axis 0.*shape is \(\)"):
        rfout1d(3.0)


@pytest.mark.parametrize(
    "updates",
    [
        np.zeros((12, 2), complex),
        np.array([[1.0], [2.0]], object),
        np.array([["1"], ["2"]]),
        np.array([b"1", b"2"]),
        np.zeros(12, "datetime64[s]"),
        np.zeros(12, "timedelta64[s]"),
        [[None], [1.0]],
    ],
    ids=["complex", "object", "str", "bytes", "datetime", "timedelta", "None"],
)
def test_what_is_no_real_number_is_an_error(updates):
    with pytest.raises(TypeError, match=r"real numbers.*dtype"):
        rfout1d(updates)


@pytest.mark.parametrize("threshold", [0, 0.0, -3.0, float("nan"), float("-inf")])
def test_a_threshold_that_is_not_positive_is_an_error(threshold):
    with pytest.raises(ValueError, match="positive"):
        rfout1d(np.zeros((12, 2)), threshold=threshold)


def test_threshold_and_report_are_named():
    with pytest.raises(TypeError):
        rfout1d(np.zeros((12, 2)), 3.0)


@pytest.mark.parametrize("threshold", [1e200, 1e-300])
def test_a_threshold_beyond_reason_is_no_error(threshold):
    """Nothing is flagged, or everything is: the mean, either way."""
    x = np.random.default_rng(0).standard_normal((20, 5), dtype=np.float32)
    np.testing.assert_allclose(rfout1d(x, threshold=threshold), x.mean(axis=0), rtol=1e-5)
