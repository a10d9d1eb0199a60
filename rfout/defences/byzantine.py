"""The rivals from Byzantine-robust learning: they leave out values, or whole clients.

Coordinate median and trimmed mean rank the values of each coordinate. Krum and Multi-Krum choose
clients by the distances between whole updates. Bulyan does the one after the other.

"""

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..operator import inputs
from ..vocabulary import Array

BLOCK = 2**14  # coordinates whose products are summed at a time, in float64


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
    Yin, Chen, Ramchandran, Bartlett (2018), arXiv 1803.01498. Chapter: defences-compared.
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
    Yin, Chen, Ramchandran, Bartlett (2018), arXiv 1803.01498. Chapter: defences-compared.
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
    return _mean(ranked[n_cut : len(x) - n_cut])


def _mean(x: Array) -> Array:
    return np.asarray(np.mean(x, axis=0, dtype=np.float64)).astype(x.dtype)


def krum(updates: Array, n_adversaries: int) -> Array:
    """Take the one update that is nearest to its neighbours.

    An update's score is the sum of its squared distances to the n_clients - n_adversaries - 2
    others that are nearest to it. The lowest score wins, the first of equal ones.

    Parameters
    ----------
    updates
        As for `median`; a distance is taken over all coordinates of a client.
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
        If there are too few clients, or as `median`.

    Notes
    -----
    Distances of float64 values whose squares overflow count as infinite.
    Blanchard, El Mhamdi, Guerraoui, Stainer (2017). Chapter: defences-compared.
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
    Blanchard, El Mhamdi, Guerraoui, Stainer (2017). Chapter: defences-compared.
    """
    x = inputs.read_array(updates)
    n, f = len(x), provided_for(n_adversaries)
    if n < 2 * f + 3:
        raise ValueError(too_few("krum", f"2 n_adversaries + 3 = {2 * f + 3}", f, n))
    keep = n - f if keep is None else operator.index(keep)
    if not 1 <= keep <= n:
        raise ValueError(f"keep must be from 1 to {n} clients, not {keep}")
    chosen = np.argsort(_scores(squared_distances(x), f), kind="stable")[:keep]
    return _mean(x[np.sort(chosen)])


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
        If there are too few clients, or as `median`.

    Notes
    -----
    Krum's score is over n - n_adversaries - 2 neighbours, of the n clients that are left; the last
    steps may leave none, and then it is over one. El Mhamdi, Guerraoui, Rouault (2018),
    arXiv 1802.07927. Chapter: defences-compared.
    """
    x = inputs.read_array(updates)
    n, f = len(x), provided_for(n_adversaries)
    if n < 4 * f + 3:
        raise ValueError(too_few("bulyan", f"4 n_adversaries + 3 = {4 * f + 3}", f, n))
    distances = squared_distances(x)
    left = list(range(n))
    chosen: list[int] = []
    while len(chosen) < n - 2 * f:
        best = int(np.argmin(_scores(distances[np.ix_(left, left)], f)))
        chosen.append(left.pop(best))
    picked = x[chosen]
    apart = np.abs(picked.astype(np.float64) - _trimmed(picked, (len(picked) - 1) // 2))
    nearest = np.argpartition(apart, n - 4 * f - 1, axis=0)[: n - 4 * f]
    return _mean(np.take_along_axis(picked, nearest, axis=0))


def provided_for(n_adversaries: Any) -> int:
    """Read the assumed number of adversaries: a whole number, at least 0."""
    f = operator.index(n_adversaries)
    if f < 0:
        raise ValueError(f"n_adversaries must be at least 0, not {f}")
    return f


def too_few(name: str, needed: str, f: int, n: int) -> str:
    """Say that there are too few clients, and what to do."""
    return (
        f"{name} needs at least {needed} clients to stand {f} adversaries, and there are "
        f"{n}: sample more clients, or assume fewer adversaries"
    )


def squared_distances(x: Array) -> NDArray[np.float64]:
    """Squared L2 distances between all pairs of clients: (n_clients, n_clients)."""
    flat = x.reshape(len(x), -1)
    products = np.zeros((len(x), len(x)))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, flat.shape[1], BLOCK):
            block = flat[:, start : start + BLOCK].astype(np.float64)
            products += block @ block.T
        squares = np.diag(products)
        distances = squares[:, None] + squares - 2 * products
    distances[np.isnan(distances)] = np.inf
    return np.maximum(distances, 0.0)


def _scores(distances: NDArray[np.float64], n_adversaries: int) -> NDArray[np.float64]:
    """Krum's score of each client: the sum over its nearest neighbours, without itself."""
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    n_neighbours = max(1, len(distances) - n_adversaries - 2)
    return np.sort(others, axis=1)[:, :n_neighbours].sum(axis=1)
