"""Tests of normality of one coordinate across clients, for many coordinates at a time."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import log_ndtr

Values = NDArray[np.floating]
Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

FEWEST = 20  # clients: below, the p-values of D'Agostino and Pearson are not to be trusted
MOST = 5000  # above, those of Shapiro and Wilk


def silent(updates: Values) -> Mask:
    """Find the coordinates with no spread: every client sends the same value, as a rule 0.

    Parameters
    ----------
    updates
        (n_clients, n_params) finite numbers.

    Returns
    -------
    numpy.ndarray
        (n_params,) bool. No distribution can be tested there.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.random.default_rng(0).normal(size=(40, 3))
    >>> updates[:, 2] = 0.0
    >>> silent(updates)
    array([False, False,  True])
    """
    return np.asarray(updates.max(axis=0) == updates.min(axis=0))


def shapiro_wilk(x: Values) -> Array:
    """P-value of each column of x, (n, m) to (m,), from how its order statistics lie.

    Notes
    -----
    Shapiro and Wilk (1965), doi:10.1093/biomet/52.3-4.591, by SciPy.

    Examples
    --------
    >>> import numpy as np
    >>> shapiro_wilk(np.array([[0.0]] * 19 + [[9.0]])).round(3)
    array([0.])
    """
    return np.asarray(stats.shapiro(x, axis=0).pvalue, dtype=np.float64)


def dagostino_pearson(x: Values) -> Array:
    """P-value of each column of x, (n, m) to (m,), from its skewness and kurtosis.

    Notes
    -----
    D'Agostino and Pearson (1973), doi:10.1093/biomet/60.3.613, by SciPy.

    Examples
    --------
    >>> import numpy as np
    >>> dagostino_pearson(np.array([[0.0]] * 19 + [[9.0]])).round(3)
    array([0.])
    """
    return np.asarray(stats.normaltest(x, axis=0).pvalue, dtype=np.float64)


def anderson_darling(x: Values) -> Array:
    """P-value of each column of x, (n, m) to (m,), from the distance between two curves.

    The squared distance between the empirical distribution and the Gaussian with the column's own
    mean and standard deviation, weighted towards the tails. SciPy gives its p-values from a table
    that ends at 0.01 and 0.15, which leaves nothing to correct for many tests; here stands the
    usual approximation by Stephens for an estimated mean and variance. Against simulated Gaussians
    it is right to 0.004 up to p = 0.2, which is where it decides, and to 0.035 above.

    Notes
    -----
    Anderson and Darling (1952).

    Examples
    --------
    >>> import numpy as np
    >>> anderson_darling(np.array([[0.0]] * 19 + [[9.0]])).round(3)
    array([0.])
    """
    n = len(x)
    z = np.sort((x - x.mean(axis=0)) / x.std(axis=0, ddof=1), axis=0)
    weights = (2 * np.arange(1, n + 1) - 1)[:, None]
    squared = -n - (weights * (log_ndtr(z) + log_ndtr(-z[::-1]))).mean(axis=0)
    a = np.minimum(squared * (1 + 0.75 / n + 2.25 / n**2), 13.0)  # beyond, p is 0 to nine digits
    return np.select(
        [a < 0.2, a < 0.34, a < 0.6],
        [
            -np.expm1(-13.436 + 101.14 * a - 223.73 * a**2),
            -np.expm1(-8.318 + 42.796 * a - 59.938 * a**2),
            np.exp(0.9177 - 4.279 * a - 1.38 * a**2),
        ],
        np.exp(1.2937 - 5.709 * a + 0.0186 * a**2),
    )


TESTS: Mapping[str, Callable[[Values], Array]] = {
    "Shapiro-Wilk": shapiro_wilk,
    "D'Agostino-Pearson": dagostino_pearson,
    "Anderson-Darling": anderson_darling,
}
"""Name of a test to a function from (n, m) values, no column constant, to (m,) p-values."""


def p_values(updates: Values, test: str = "Shapiro-Wilk") -> Array:
    """Test every coordinate for normality across clients.

    Parameters
    ----------
    updates
        (n_clients, n_params) finite numbers; 20 to 5000 clients.
    test
        A name in `TESTS`.

    Returns
    -------
    numpy.ndarray
        (n_params,) p-values in [0, 1]; NaN where the coordinate is silent.

    Raises
    ------
    ValueError
        If the test is not known, the number of clients is out of range, or a value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.random.default_rng(0).normal(size=(40, 3))
    >>> updates[:, 2] = 0.0
    >>> p_values(updates).round(1)
    array([0.3, 0.2, nan])
    """
    if test not in TESTS:
        raise ValueError(f"there is no test {test!r}: take one of {', '.join(TESTS)}")
    if not FEWEST <= len(updates) <= MOST:
        raise ValueError(f"the tests need {FEWEST} to {MOST} clients, not {len(updates)}")
    if not np.isfinite(updates).all():
        raise ValueError("a value is not finite: leave its client out before testing")
    tested = ~silent(updates)
    x = updates[:, tested].astype(np.float64)
    # The tests do not see location and scale; their arithmetic does, where these are extreme.
    middle = np.median(x, axis=0)
    x = (x - middle) / np.abs(x - middle).max(axis=0)
    p = np.full(updates.shape[1], np.nan)
    if tested.any():
        p[tested] = np.clip(TESTS[test](x), 0.0, 1.0)
    return p
