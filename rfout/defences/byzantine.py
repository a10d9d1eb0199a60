"""Rules that choose clients by the distances between whole updates: Krum, Multi-Krum, Bulyan."""

import operator

import numpy as np
from numpy.typing import NDArray

from ..operator import inputs
from ..vocabulary import Array
from .averages import mean, median
from .whole_updates import assumed, squared_distances


def krum(updates: Array, n_adversaries: int) -> Array:
    """Take the one update that is nearest to its neighbours.

    An update's score is the sum of its squared distances to the n_clients - n_adversaries - 2
    others that are nearest to it. The lowest score wins, the first of equal ones.

    Parameters
    ----------
    updates
        (n_clients, ...) real numbers, clients on axis 0, or a list of n_clients arrays. A distance
        is taken over all coordinates of a client.
    n_adversaries
        How many adversaries the server provides for: at least 0, and 2 n_adversaries + 3 clients
        are needed.

    Returns
    -------
    numpy.ndarray
        A copy of one client's update, of trailing shape and floating dtype of `updates`.

    Raises
    ------
    ValueError, TypeError
        If there are too few clients, an update is not finite, or as `rfout.rfout1d`.

    Notes
    -----
    Distances of float64 values whose squares overflow count as infinite.
    Blanchard, El Mhamdi, Guerraoui, Stainer (2017).

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.array([[0.0], [1.0], [2.0], [3.0], [90.0]])
    >>> krum(updates, n_adversaries=1)
    array([1.])
    """
    return multi_krum(updates, n_adversaries, 1)


def multi_krum(updates: Array, n_adversaries: int, keep: int | None = None) -> Array:
    """Average the `keep` updates with the lowest scores of `krum`.

    Parameters
    ----------
    updates, n_adversaries
        As for `krum`.
    keep
        How many updates are averaged, from 1 to n_clients; None is n_clients - n_adversaries.

    Returns
    -------
    numpy.ndarray
        Trailing shape and floating dtype of `updates`.

    Raises
    ------
    ValueError, TypeError
        If `keep` is out of range, or as `krum`.

    Notes
    -----
    Blanchard, El Mhamdi, Guerraoui, Stainer (2017).

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.array([[0.0], [1.0], [2.0], [3.0], [90.0]])
    >>> multi_krum(updates, n_adversaries=1)
    array([1.5])
    """
    x = inputs.read_array(updates)
    n, f = len(x), assumed("krum", n_adversaries, len(x), times=2, plus=3)
    keep = n - f if keep is None else operator.index(keep)
    if not 1 <= keep <= n:
        raise ValueError(f"keep must be from 1 to {n} clients, not {keep}")
    chosen = np.argsort(_scores(squared_distances(x), f), kind="stable")[:keep]
    return mean(x[np.sort(chosen)])


def bulyan(updates: Array, n_adversaries: int) -> Array:
    """Choose updates by Krum, one after the other, then average the values about their median.

    Krum chooses among all, then again among the rest, until n_clients - 2 n_adversaries are chosen.
    On each coordinate the n_clients - 4 n_adversaries values nearest to the median of the chosen
    are averaged.

    Parameters
    ----------
    updates
        As for `krum`.
    n_adversaries
        How many adversaries the server provides for: at least 0, and 4 n_adversaries + 3 clients
        are needed.

    Returns
    -------
    numpy.ndarray
        Trailing shape and floating dtype of `updates`.

    Raises
    ------
    ValueError, TypeError
        If there are too few clients, an update is not finite, or as `rfout.rfout1d`.

    Notes
    -----
    Krum's score is over n - n_adversaries - 2 neighbours, of the n clients that are left; the last
    steps may leave none, and then it is over one. El Mhamdi, Guerraoui, Rouault (2018),
    arXiv 1802.07927.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.append(np.zeros((6, 1)), [[90.0]], axis=0)
    >>> bulyan(updates, n_adversaries=1)
    array([0.])
    """
    x = inputs.read_array(updates)
    n, f = len(x), assumed("bulyan", n_adversaries, len(x), times=4, plus=3)
    distances = squared_distances(x)
    left = list(range(n))
    chosen: list[int] = []
    while len(chosen) < n - 2 * f:
        best = int(np.argmin(_scores(distances[np.ix_(left, left)], f)))
        chosen.append(left.pop(best))
    picked = x[chosen]
    apart = np.abs(picked.astype(np.float64) - median(picked))
    nearest = np.argpartition(apart, n - 4 * f - 1, axis=0)[: n - 4 * f]
    return mean(np.take_along_axis(picked, nearest, axis=0))


def _scores(distances: NDArray[np.float64], n_adversaries: int) -> NDArray[np.float64]:
    """Krum's score of each client: the sum over its nearest neighbours, without itself."""
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    n_neighbours = max(1, len(distances) - n_adversaries - 2)
    return np.sort(others, axis=1)[:, :n_neighbours].sum(axis=1)
