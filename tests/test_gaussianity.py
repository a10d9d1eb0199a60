"""Tests of normality: right on Gaussians, able to see others, and blind to what does not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from rfout import gaussianity as g

relaxed = settings(deadline=None, max_examples=60)
each_test = pytest.mark.parametrize("test", g.TESTS)
N = 40


def rng(seed=0):
    return np.random.default_rng(seed)


def normal(m=4000, n=N, seed=0):
    return rng(seed).normal(size=(n, m))


# P-values


@each_test
def test_on_gaussians_p_values_are_uniform(test):
    """Every decile gets its tenth: 4000 coordinates put one standard error at 0.005."""
    counts, _ = np.histogram(g.p_values(normal(), test), bins=10, range=(0, 1))
    np.testing.assert_allclose(counts / 4000, 0.1, atol=0.03)


@each_test
@pytest.mark.parametrize("n", [20, 40, 200])
def test_false_alarms_are_as_many_as_the_level_says(test, n):
    p = g.p_values(normal(n=n, seed=n), test)
    for level in (0.01, 0.05, 0.2):
        error = 4 * np.sqrt(level * (1 - level) / 4000) + 0.004  # and what the approximations miss
        assert g.rejected(p, level=level).mean() == pytest.approx(level, abs=error)


@each_test
@pytest.mark.parametrize(
    ("draw", "at_least"),
    [
        (lambda r, size: r.exponential(size=size), 0.85),
        (lambda r, size: r.standard_t(2, size=size), 0.7),
        (lambda r, size: np.where(r.random(size) < 0.5, 0, r.normal(size=size)), 0.35),
    ],
)
def test_what_is_far_from_gaussian_is_found(test, draw, at_least):
    assert g.rejection_share(draw(rng(), (N, 1000)), test) > at_least


def test_shapiro_and_dagostino_are_scipys():
    x = rng().standard_t(4, size=(N, 30))
    for test, peer in (
        ("Shapiro-Wilk", stats.shapiro),
        ("D'Agostino-Pearson", stats.normaltest),
    ):
        expected = [peer(column).pvalue for column in x.T]
        np.testing.assert_allclose(g.p_values(x, test), expected, rtol=1e-6)


def test_andersons_p_values_are_scipys_where_its_table_reaches():
    x = np.concatenate([normal(150), rng().standard_t(4, size=(N, 150))], axis=1)
    p = g.p_values(x, "Anderson-Darling")
    peer = np.array([stats.anderson(c, method="interpolate").pvalue for c in x.T])
    inside = (peer > 0.0101) & (peer < 0.1499)
    assert inside.sum() > 30
    np.testing.assert_allclose(p[inside], peer[inside], atol=0.01)  # SciPy's is a table of five
    assert np.all(p[peer <= 0.01] < 0.012)
    assert np.all(p[peer >= 0.15] > 0.14)


def test_andersons_p_values_are_those_of_simulated_gaussians_beyond_the_table():
    """The share of simulated Gaussians further out, for statistics from anywhere."""
    x = np.concatenate([normal(60, seed=1), rng(2).laplace(size=(N, 60))], axis=1)

    def statistic(values):
        z = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
        u = np.sort(stats.norm.cdf(z), axis=0)
        i = np.arange(1, N + 1)[:, None]
        return -N - ((2 * i - 1) * (np.log(u) + np.log1p(-u[::-1]))).sum(axis=0) / N

    null = np.sort(np.concatenate([statistic(normal(20_000, seed=s)) for s in (3, 4, 5)]))
    expected = 1 - np.searchsorted(null, statistic(x)) / len(null)
    found = g.p_values(x, "Anderson-Darling")
    low = expected < 0.2
    assert 20 < low.sum() < 100
    np.testing.assert_allclose(found[low], expected[low], atol=0.006)
    np.testing.assert_allclose(found[~low], expected[~low], atol=0.04)


@pytest.mark.parametrize("joint", [0.2, 0.34, 0.6, 13.0])
def test_the_pieces_of_andersons_curve_meet(joint, monkeypatch):
    """Called with a sample whose statistic is steered past each joint, p falls without a jump."""
    outlier = np.linspace(0, 8, 4001) if joint > 0.5 else np.linspace(-1, 3, 4001)
    x = np.repeat(stats.norm.ppf((np.arange(N) + 0.5) / N)[:, None], len(outlier), axis=1)
    x[-1] += outlier
    p = g.anderson_darling(x)
    assert p.min() >= 0
    assert p.max() <= 1
    assert np.abs(np.diff(p)).max() < 0.01


@each_test
@relaxed
@given(st.integers(0, 2**32 - 1), st.floats(-1e3, 1e3), st.integers(-30, 30), st.booleans())
def test_shift_scale_sign_and_order_change_nothing(test, seed, shift, power, negative):
    x = rng(seed).laplace(size=(N, 4))
    scale = (-1 if negative else 1) * 2.0**power
    moved = rng(seed).permutation(x, axis=0) * scale + shift * abs(scale)
    np.testing.assert_allclose(g.p_values(moved, test), g.p_values(x, test), atol=1e-6)


@each_test
@pytest.mark.parametrize("scale", [1e-30, 1e-8, 1e12])
def test_extreme_scales_are_tested_as_any_other(test, scale):
    x = normal(20)
    found = g.p_values((x * scale).astype(np.float32), test)
    np.testing.assert_allclose(found, g.p_values(x, test), atol=1e-4)


@each_test
@relaxed
@given(arrays(np.float32, (20, 3), elements=st.sampled_from([0, 1, 2, -1e-30, 1e30])))
def test_any_finite_values_give_a_probability_or_nan_for_the_silent(test, x):
    p = g.p_values(x, test)
    np.testing.assert_array_equal(np.isnan(p), np.ptp(x.astype(np.float64), axis=0) == 0)
    assert np.all(np.isnan(p) | ((p >= 0) & (p <= 1)))


def test_the_values_are_left_as_they_are():
    x = normal(5).astype(np.float32)
    before = x.copy()
    for test in g.TESTS:
        g.p_values(x, test)
    g.gaussians(x, rng=rng())
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("n", [2, 19, 5001])
def test_too_few_or_too_many_clients_is_an_error(n):
    with pytest.raises(ValueError, match=f"20 to 5000 clients, not {n}"):
        g.p_values(np.zeros((n, 1)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_an_error(bad):
    x = normal(3)
    x[4, 1] = bad
    with pytest.raises(ValueError, match="not finite"):
        g.p_values(x)


def test_an_unknown_test_is_an_error_that_names_those_there_are():
    with pytest.raises(ValueError, match=r"'KS'.*Shapiro-Wilk, D'Agostino-Pearson"):
        g.p_values(normal(3), "KS")


# Silent coordinates


def test_silent_is_no_spread_and_nothing_else():
    x = normal(4).astype(np.float32)
    x[:, 1] = 0
    x[:, 2] = -3.5
    x[:, 3] = 0
    x[7, 3] = 1e-40
    assert g.silent(x).tolist() == [False, True, True, False]


def test_silent_coordinates_are_not_tested_and_do_not_count():
    x = normal(100)
    with_silent = np.concatenate([x, np.zeros((N, 300))], axis=1)
    for correction in ("none", "BH", "BY"):
        share = g.rejection_share(with_silent, correction=correction, level=0.2)
        assert share == g.rejection_share(x, correction=correction, level=0.2)
    assert np.isnan(g.rejection_share(np.zeros((N, 5))))
    assert not g.rejected(g.p_values(np.zeros((N, 5))), "BH").any()


# Many tests


def slow_rejections(p, level, dependent):
    """The definition: the largest k whose k-th smallest p is at most its share of the level."""
    m = len(p)
    factor = sum(1 / i for i in range(1, m + 1)) if dependent else 1
    passing = [k for k in range(1, m + 1) if sorted(p)[k - 1] <= level * k / (m * factor)]
    return p <= sorted(p)[max(passing) - 1] if passing else np.zeros(m, bool)


@relaxed
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
    st.sampled_from([0.01, 0.05, 0.3]),
    st.sampled_from(["BH", "BY"]),
)
def test_corrections_are_by_their_definition(p, level, correction):
    p = np.array(p)
    called = g.rejected(p, correction, level=level)
    exact = slow_rejections(p, level, correction == "BY")
    near = slow_rejections(p, level * (1 + 1e-9), correction == "BY")  # SciPy divides, we multiply
    assert np.all(called >= slow_rejections(p, level * (1 - 1e-9), correction == "BY"))
    assert np.all(called <= near)
    assert exact.sum() <= near.sum()


@relaxed
@given(st.integers(0, 2**32 - 1))
def test_a_correction_never_finds_more(seed):
    p = rng(seed).beta(0.5, 1, size=200)
    by, bh, plain = (g.rejected(p, c) for c in ("BY", "BH", "none"))
    assert np.all(by <= bh)
    assert np.all(bh <= plain)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"correction": "bonferroni"}, "correction must be"),
        ({"level": 0.0}, "level is a probability"),
        ({"level": 1.0}, "level is a probability"),
        ({"level": float("nan")}, "level is a probability"),
    ],
)
def test_bad_arguments_are_errors(arguments, says):
    with pytest.raises(ValueError, match=says):
        g.rejected(np.array([0.5]), **arguments)


# The share beyond the threshold


@relaxed
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 3))
def test_beyond_counts_what_a_loop_counts(seed, threshold):
    x = rng(seed).standard_t(3, size=(25, 6))
    x[:, 2] = 1.0
    far = [
        abs(v - column.mean()) > threshold * column.std()
        for column in x.T[[0, 1, 3, 4, 5]]
        for v in column
    ]
    assert g.beyond(x, threshold) == pytest.approx(np.mean(far), abs=1e-12)


def test_beyond_does_not_count_silent_coordinates():
    x = normal(50)
    assert g.beyond(np.concatenate([x, np.zeros((N, 500))], axis=1), 2.0) == g.beyond(x, 2.0)


# Simulated Gaussians


def test_simulated_updates_have_the_covariance_of_the_real_ones():
    x = rng().standard_t(3, size=(N, 6)) @ rng(1).normal(size=(6, 6))
    draws = np.concatenate([g.gaussians(x, rng=rng(s)) for s in range(2000)])
    np.testing.assert_allclose(draws.mean(axis=0), 0, atol=0.1)
    expected = np.cov(x, rowvar=False)
    np.testing.assert_allclose(
        np.cov(draws, rowvar=False), expected, atol=0.03 * np.abs(expected).max()
    )


@each_test
def test_simulated_updates_are_gaussian_whatever_the_real_ones_are(test):
    """Over many draws: within one, coordinates that depend on each other are wrong together."""
    x = rng().exponential(size=(N, 40))
    shares = [g.rejection_share(g.gaussians(x, rng=rng(s)), test) for s in range(100)]
    assert np.mean(shares) == pytest.approx(0.05, abs=0.015)
    assert g.rejection_share(x, test) > 0.9


def test_simulated_clients_are_independent():
    x = normal(2000)
    between = np.corrcoef(g.gaussians(x, rng=rng(1)))
    assert np.abs(between[np.triu_indices(N, 1)]).mean() < 0.2


def test_silent_coordinates_stay_silent_and_draws_come_from_the_generator():
    x = normal(5).astype(np.float32)
    x[:, 3] = 0.7
    drawn = g.gaussians(x, rng=rng(1))
    np.testing.assert_array_equal(g.silent(drawn), g.silent(x))
    assert drawn.tobytes() == g.gaussians(x, rng=rng(1)).tobytes()
    assert drawn.tobytes() != g.gaussians(x, rng=rng(2)).tobytes()
