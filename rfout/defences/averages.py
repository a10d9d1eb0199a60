"""Rules for one coordinate at a time: mean, median, trimmed mean, and a sign that is turned."""

import operator

import numpy as np

from ..operator import inputs
from ..vocabulary import Array


def mean(updates: Array) -> Array:
    """Average the updates, each client counted once: federated averaging, and no defence.

    Parameters
    ----------
    updates
        (n_clients, ...) floating numbers, clients on axis 0.

    Returns
    -------
    numpy.ndarray
        Trailing shape and dtype of `updates`; the sums are made in float64.

    Notes
    -----
    McMahan et al. (2017), arXiv 1602.05629, with clients of equal weight.

    Examples
    --------
    >>> import numpy as np
    >>> mean(np.array([[1.0, 0.0], [3.0, 4.0]]))
    array([2., 2.])
    """
    return np.asarray(np.mean(updates, axis=0, dtype=np.float64)).astype(updates.dtype)


def median(updates: Array) -> Array:
    """Take the median of the clients' values on each coordinate.

    Parameters
    ----------
    updates
        (n_clients, ...) real numbers, clients on axis 0, or a list of n_clients arrays.

    Returns
    -------
    numpy.ndarray
        Trailing shape and floating dtype of `updates`; the mean of the two in the middle where
        n_clients is even.

    Raises
    ------
    ValueError, TypeError
        If an update is not finite, or as `rfout.rfout1d`.

    Notes
    -----
    Yin, Chen, Ramchandran, Bartlett (2018), arXiv 1803.01498.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.array([[0.0], [1.0], [2.0], [3.0], [90.0]])
    >>> median(updates)
    array([2.])
    """
    x = inputs.read_array(updates)
    return _trimmed(x, (len(x) - 1) // 2)


def trimmed_mean(updates: Array, cut: float = 0.1) -> Array:
    """Average what is left on each coordinate without the largest and the smallest values.

    Parameters
    ----------
    updates
        As for `median`.
    cut
        How much is cut off at either end: a whole number (int) of clients, or a share (float) of
        them in [0, 0.5), rounded down.

    Returns
    -------
    numpy.ndarray
        Trailing shape and floating dtype of `updates`.

    Raises
    ------
    ValueError, TypeError
        If `cut` leaves nothing, or as `median`.

    Notes
    -----
    Yin, Chen, Ramchandran, Bartlett (2018), arXiv 1803.01498.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.array([[0.0], [1.0], [2.0], [3.0], [90.0]])
    >>> trimmed_mean(updates, cut=1)
    array([2.])
    """
    x = inputs.read_array(updates)
    n_cut = int(cut * len(x)) if isinstance(cut, float) and 0 <= cut < 0.5 else cut
    if isinstance(n_cut, float) or not 0 <= 2 * n_cut < len(x):
        raise ValueError(
            f"cut must be a share in [0, 0.5) or a number of clients of which twice as many are "
            f"fewer than the {len(x)} there are, not {cut!r}"
        )
    return _trimmed(x, operator.index(n_cut))


def _trimmed(x: Array, n_cut: int) -> Array:
    ranked = np.partition(x, (n_cut, len(x) - 1 - n_cut), axis=0)
    return mean(ranked[n_cut : len(x) - n_cut])


def rlr(updates: Array, threshold: float) -> Array:
    """Average the updates, and turn the sign where too few clients agree: robust learning rate.

    Parameters
    ----------
    updates
        (n_clients, ...) floating numbers, clients on axis 0. Updates, not full parameters.
    threshold
        At a coordinate, the clients who move up minus those who move down must be at least this
        many, or at most minus this many; else the server goes the other way. From 0, which is the
        plain mean, to n_clients.

    Returns
    -------
    numpy.ndarray
        Trailing shape and dtype of `updates`.

    Raises
    ------
    ValueError
        If `threshold` is out of range, or an update is not finite.

    Notes
    -----
    Özdayi, Kantarcioglu, Gel (2021), arXiv 2007.03767.

    Examples
    --------
    >>> import numpy as np
    >>> rlr(np.array([[1.0, 1.0], [1.0, 1.0], [1.0, -4.0]]), threshold=3)
    array([1.        , 0.66666667])
    """
    x = inputs.read_array(updates)
    if not 0 <= threshold <= len(x):
        raise ValueError(f"threshold must be from 0 to {len(x)} clients, not {threshold!r}")
    agreement = np.abs(np.sign(x).sum(axis=0, dtype=np.float64))
    average = np.mean(x, axis=0, dtype=np.float64)
    return np.where(agreement >= threshold, average, -average).astype(x.dtype)
