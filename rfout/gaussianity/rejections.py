"""How many coordinates the tests reject, and updates that are Gaussian to compare them with."""

from typing import Literal

import numpy as np
from scipy import stats

from .normality import Array, Mask, Values, p_values, silent

Correction = Literal["none", "BH", "BY"]


def rejected(p: Array, correction: Correction = "none", *, level: float = 0.05) -> Mask:
    """Say which coordinates are called not Gaussian.

    Parameters
    ----------
    p
        (m,) p-values; NaN is never rejected and does not count as a test.
    correction
        "none": each test at `level` on its own. "BH" holds the expected share of false ones among
        the rejections at `level` if the tests are independent or positively dependent; "BY" holds
        it under any dependence, and finds less.
    level
        In (0, 1).

    Raises
    ------
    ValueError
        If an argument is not one of those above.

    Notes
    -----
    Benjamini and Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x; Benjamini and Yekutieli
    (2001); by `scipy.stats.false_discovery_control`.

    Examples
    --------
    >>> import numpy as np
    >>> rejected(np.array([0.01, 0.04, np.nan, 0.9]), "BH")
    array([ True, False, False, False])
    """
    if correction not in ("none", "BH", "BY"):
        raise ValueError(f"correction must be 'none', 'BH' or 'BY', not {correction!r}")
    if not 0 < level < 1:
        raise ValueError(f"level is a probability between 0 and 1, not {level!r}")
    called = np.zeros(p.shape, dtype=bool)
    tested = ~np.isnan(p)
    if tested.any():
        adjusted = p[tested]
        if correction != "none":
            adjusted = stats.false_discovery_control(adjusted, method=correction.lower())
        called[tested] = adjusted <= level
    return called


def rejection_share(
    updates: Values,
    test: str = "Shapiro-Wilk",
    correction: Correction = "none",
    *,
    level: float = 0.05,
) -> float:
    """Share of the coordinates with any spread that a test calls not Gaussian, in [0, 1].

    Takes what `p_values` and `rejected` take. NaN if all coordinates are silent.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.random.default_rng(0).normal(size=(40, 3))
    >>> updates[:, 2] = 0.0
    >>> rejection_share(updates, correction="BY")
    0.0
    """
    p = p_values(updates, test)
    n_tested = int(np.count_nonzero(~np.isnan(p)))
    return float(rejected(p, correction, level=level).sum() / n_tested) if n_tested else np.nan


def beyond(updates: Values, threshold: float = 3.0) -> float:
    """Share of the values further than `threshold` sigma from their coordinate's mean, in [0, 1].

    What RFOut-1d would flag, as a share of the values on coordinates that are not silent.

    Parameters
    ----------
    updates
        (n_clients, n_params) finite numbers.
    threshold
        In population standard deviations.

    Examples
    --------
    >>> import numpy as np
    >>> beyond(np.array([[0.0]] * 19 + [[9.0]]))
    0.05
    """
    x = updates[:, ~silent(updates)].astype(np.float64)
    return float(np.mean(np.abs(x - x.mean(axis=0)) > threshold * x.std(axis=0)))


def gaussians(updates: Values, *, rng: np.random.Generator) -> Array:
    """Simulate updates that are Gaussian across clients, and depend on each other as these do.

    Every client's vector is one draw, on its own, from the Gaussian distribution whose covariance
    between coordinates is that of `updates`. So each coordinate is exactly Gaussian, with the
    same spread, and neighbours move together as they do in the real updates.

    Parameters
    ----------
    updates
        (n_clients, n_params) finite numbers, at least two clients.
    rng
        Draws.

    Returns
    -------
    numpy.ndarray
        (n_clients, n_params) float64; a silent coordinate is 0.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.random.default_rng(0).normal(size=(40, 3))
    >>> updates[:, 2] = 0.0
    >>> gaussians(updates, rng=np.random.default_rng(1)).shape
    (40, 3)
    """
    n = len(updates)
    centred = updates - updates.mean(axis=0, dtype=np.float64)
    centred[:, silent(updates)] = 0.0
    return np.asarray(rng.normal(size=(n, n)) @ centred / np.sqrt(n - 1))
