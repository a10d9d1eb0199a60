"""The theorems of the chapter on limits, each against the operator and exact arithmetic."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rfout import rfout1d
from rfout.limits import false_positives, fewest_clients, hidden_reach, largest_z, residue

relaxed = settings(deadline=None, max_examples=150)
whole = st.integers(-(10**6), 10**6)


def run(values, **rule):
    """Aggregate and who is flagged, at one coordinate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that nothing can be flagged
        aggregate, report = rfout1d(
            np.array(values, np.float64)[:, None], return_report=True, **rule
        )
    return float(aggregate[0]), report.flagged == 1


@st.composite
def attacked(draw, most=0.5):
    """k values A, and n - k honest integers in pairs ±h (and a 0): their mean is exactly 0."""
    n = draw(st.integers(3, 60))
    k = draw(st.integers(1, max(1, int(most * n))))
    half = (n - k) // 2
    spread = draw(st.lists(st.integers(1, 1000), min_size=half, max_size=half))
    assume(half)
    honest = [*spread, *(-h for h in spread), *([0] * (n - k - 2 * half))]
    return k, honest


def exactly_flagged(values, threshold=3):
    """The rule in rational numbers."""
    mean = Fraction(sum(values), len(values))
    variance = sum((v - mean) ** 2 for v in values) / len(values)
    return [(v - mean) ** 2 > threshold**2 * variance for v in values]


def variance(honest):
    return Fraction(sum(h * h for h in honest), len(honest))


# A value is at most sqrt(n - 1) sigma away


@relaxed
@given(st.lists(whole, min_size=2, max_size=40))
def test_no_value_is_further_than_the_bound(values):
    mean = Fraction(sum(values), len(values))
    spread = sum((v - mean) ** 2 for v in values) / len(values)
    assert all((v - mean) ** 2 <= (len(values) - 1) * spread for v in values)
    assert largest_z(len(values)) ** 2 == pytest.approx(len(values) - 1)


@pytest.mark.parametrize("n", [2, 5, 10, 11, 50])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_colluders_come_as_near_to_their_bound_as_they_like(n, k):
    k = min(k, n)
    values = np.zeros(n)
    values[:k] = 1.0
    reached = (1 - values.mean()) / values.std() if k < n else 0.0
    assert reached == pytest.approx(largest_z(n, k))


@relaxed
@given(st.integers(2, 10).flatmap(lambda n: st.lists(whole, min_size=n, max_size=n)))
@example([0] * 9 + [10**6])
@example([-7] * 9 + [0])
def test_ten_clients_or_fewer_flag_nothing(values):
    assert not run(values)[1].any()


@pytest.mark.parametrize("n", [11, 12, 30])
def test_from_eleven_on_a_lone_outlier_can_be_flagged(n):
    assert run([*range(n - 1), 10**9])[1].tolist() == [False] * (n - 1) + [True]


@relaxed
@given(st.integers(1, 30), st.sampled_from([2.0, 2.5, 3.0, 4.0]))
def test_the_fewest_clients_are_the_first_that_see(k, threshold):
    n = fewest_clients(k, threshold)
    assert largest_z(n, k) > threshold
    assert n == k + 1 or largest_z(n - 1, k) <= threshold
    assert fewest_clients(1) == 11


# The wall, and the detection threshold


@relaxed
@given(attacked(), st.integers(1, 10**7))
def test_colluders_are_flagged_exactly_beyond_the_threshold(case, value):
    k, honest = case
    n = k + len(honest)
    expected = value**2 * (n - 10 * k) > 9 * n * variance(honest)
    assert exactly_flagged([value] * k + honest)[0] == expected
    assert run([value] * k + honest)[1][:k].tolist() == [expected] * k
    reach = hidden_reach(n, k) * math.sqrt(variance(honest))
    if not math.isclose(value, reach, rel_tol=1e-9):
        assert (value > reach) == expected


@relaxed
@given(attacked(), st.integers(1, 10**9))
def test_from_one_in_ten_on_nobody_is_flagged_however_far(case, value):
    k, honest = case
    assume(10 * k >= k + len(honest))
    assert not run([value] * k + honest)[1][:k].any()
    assert hidden_reach(k + len(honest), k) == math.inf


@pytest.mark.parametrize(
    ("n", "k", "reach"),
    [(11, 1, 9.95), (20, 1, 4.24), (30, 1, 3.67), (30, 2, 5.20), (50, 4, 6.71), (100, 9, 9.49)],
)
def test_the_threshold_in_numbers(n, k, reach):
    assert hidden_reach(n, k) == pytest.approx(reach, abs=0.005)


@relaxed
@given(st.integers(1, 40), st.sampled_from([1.5, 2.0, 3.0]), st.integers(1, 400))
def test_the_wall_stands_where_the_reach_ends(k, threshold, more):
    n = k + more
    assert math.isinf(hidden_reach(n, k, threshold)) == (k * (1 + threshold**2) >= n)
    assert math.isinf(hidden_reach(n, k, threshold)) == (n < fewest_clients(k, threshold))


# What is left behind


@relaxed
@given(attacked(most=0.09), st.integers(10**4, 10**9))
def test_what_flagged_colluders_leave(case, value):
    k, honest = case
    n = k + len(honest)
    aggregate, flagged = run([value] * k + honest)
    assume(flagged[:k].all() and not flagged[k:].any())
    assert aggregate == pytest.approx(residue(value, n, k), rel=1e-9)
    assert aggregate == pytest.approx(value * k**2 / n**2, rel=1e-9)


@relaxed
@given(attacked(most=0.09), st.integers(10**4, 10**9))
def test_dropping_leaves_nothing(case, value):
    k, honest = case
    aggregate, flagged = run([value] * k + honest, replacement="drop")
    assume(flagged[:k].all() and not flagged[k:].any())
    assert aggregate == pytest.approx(0, abs=1e-9 * value)


@relaxed
@given(attacked(), st.integers(10**4, 10**9))
def test_dropping_sees_no_more(case, value):
    k, honest = case
    values = [value] * k + honest
    np.testing.assert_array_equal(run(values)[1], run(values, replacement="drop")[1])


# Median and MAD: fewer than half cannot move the aggregate far


@relaxed
@given(st.data(), st.lists(st.integers(-1000, 1000), min_size=3, max_size=40))
def test_a_minority_moves_the_robust_form_by_a_bounded_amount(data, honest):
    k = data.draw(st.integers(0, len(honest) - 1))
    bad = data.draw(st.lists(st.integers(-(10**9), 10**9), min_size=k, max_size=k))
    aggregate, _ = run(bad + honest, center="median", scale="mad")
    low, high = min(honest), max(honest)
    room = 3 * 1.4826 * (high - low)
    assert low - room <= aggregate <= high + room


@relaxed
@given(attacked(most=0.45), st.integers(10**6, 10**9))
def test_the_robust_form_flags_a_far_minority_beyond_the_wall(case, value):
    k, honest = case
    _, flagged = run([value] * k + honest, center="median", scale="mad")
    assert flagged[:k].all()


# False positives


@pytest.mark.parametrize(
    ("n", "share"), [(20, 8e-4), (30, 1.4e-3), (50, 1.9e-3), (100, 2.3e-3), (1000, 2.7e-3)]
)
def test_false_positives_are_those_of_simulated_gaussians(n, share):
    assert false_positives(n) == pytest.approx(share, rel=0.08)
    x = np.random.default_rng(n).normal(size=(n, 400_000 // n))
    z = np.abs(x - x.mean(axis=0)) / x.std(axis=0)
    for threshold in (1.0, 2.0):
        assert np.mean(z > threshold) == pytest.approx(false_positives(n, threshold), abs=0.003)


def test_false_positives_begin_where_the_bound_ends():
    assert false_positives(10) == 0
    assert 0 < false_positives(11) < 2e-5
    assert false_positives(10**6) == pytest.approx(math.erfc(3 / math.sqrt(2)), rel=1e-3)


# Errors


@pytest.mark.parametrize("function", [largest_z, hidden_reach])
@pytest.mark.parametrize(("n", "k"), [(5, 0), (5, 6), (0, 1)])
def test_colluders_that_cannot_be_are_an_error(function, n, k):
    with pytest.raises(ValueError, match=f"{k} colluders among {n} clients"):
        function(n, k)
    with pytest.raises(ValueError, match="colluders"):
        residue(1.0, n, k)


@pytest.mark.parametrize("bad", [0, -1, math.inf, math.nan])
def test_a_threshold_that_is_none_is_an_error(bad):
    for call in (lambda: hidden_reach(20, 1, bad), lambda: fewest_clients(1, bad)):
        with pytest.raises(ValueError, match="positive number"):
            call()
    with pytest.raises(ValueError, match="too few"):
        false_positives(2)
