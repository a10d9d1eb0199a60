"""What the three-sigma rule cannot see, in numbers: the theorems of the chapter as functions.

n clients, k colluders who all send A at a coordinate where the others send values with mean 0 and
population standard deviation s; threshold c. Nothing here is estimated: it is algebra.
"""

import math


def largest_z(n_clients: int, n_colluders: int = 1) -> float:
    """Tell how many standard deviations from the mean colluders can be, however far they go.

    sqrt((n - k) / k): their own weight moves the mean and widens sigma. For k = 1 it is the
    sqrt(n - 1) of Samuelson (1968).

    Parameters
    ----------
    n_clients, n_colluders
        n and k, with 1 <= k <= n.

    Raises
    ------
    ValueError
        If k is out of range.

    Examples
    --------
    >>> largest_z(n_clients=10)
    3.0
    """
    _check(n_clients, n_colluders)
    return math.sqrt((n_clients - n_colluders) / n_colluders)


def fewest_clients(n_colluders: int = 1, threshold: float = 3.0) -> int:
    """Give the fewest clients with which colluders can be flagged: the first n above k (1 + c²).

    Raises
    ------
    ValueError
        If there is no colluder or the threshold is not positive.

    Notes
    -----
    For one outlier and three sigma: 11.

    Examples
    --------
    >>> fewest_clients(), fewest_clients(n_colluders=2)
    (11, 21)
    """
    _check(n_colluders, n_colluders, threshold)
    return math.floor(n_colluders * (1 + threshold**2)) + 1


def hidden_reach(n_clients: int, n_colluders: int = 1, threshold: float = 3.0) -> float:
    """Tell how far colluders can go unflagged, in honest standard deviations s.

    c sqrt(n / (n - (1 + c²) k)): they are flagged if and only if they are further from the honest
    mean than this. Infinity at the wall, k/n >= 1 / (1 + c²), and beyond it.

    Parameters
    ----------
    n_clients, n_colluders
        n and k, with 1 <= k <= n.
    threshold
        c, positive.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(hidden_reach(n_clients=20), 2), hidden_reach(n_clients=20, n_colluders=2)
    (4.24, inf)
    """
    _check(n_clients, n_colluders, threshold)
    room = n_clients - (1 + threshold**2) * n_colluders
    return threshold * math.sqrt(n_clients / room) if room > 0 else math.inf


def residue(value: float, n_clients: int, n_colluders: int = 1) -> float:
    """Tell what k flagged values A leave in the aggregate, in A's units: k² A / n².

    Each is replaced by the mean, which holds k A / n, and k of the n values are.

    Raises
    ------
    ValueError
        If k is out of range.

    Examples
    --------
    >>> residue(256.0, n_clients=16)
    1.0
    """
    _check(n_clients, n_colluders)
    return value * (n_colluders / n_clients) ** 2


def false_positives(n_clients: int, threshold: float = 3.0) -> float:
    """Tell how likely an honest value is flagged among honest Gaussian values alone, in [0, 1].

    With z the distance from the mean in population standard deviations, z²/(n - 1) of a Gaussian
    sample has the Beta distribution with parameters 1/2 and (n - 2)/2; so this is exact.

    Parameters
    ----------
    n_clients
        n, at least 3.
    threshold
        c, positive.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(false_positives(n_clients=20), 4)
    0.0008
    """
    from scipy.stats import beta  # only this function needs it

    _check(n_clients, 1, threshold)
    if n_clients < 3:
        raise ValueError(f"{n_clients} clients are too few: z has one value with two")
    return float(beta.sf(threshold**2 / (n_clients - 1), 0.5, (n_clients - 2) / 2))


def _check(n_clients: int, n_colluders: int, threshold: float = 3.0) -> None:
    if not 1 <= n_colluders <= n_clients:
        raise ValueError(f"there cannot be {n_colluders} colluders among {n_clients} clients")
    if not 0 < threshold < math.inf:
        raise ValueError(f"the threshold must be a positive number, not {threshold!r}")
