"""Past one machine: shards by coordinate, and shards by client with merged moments.

By coordinate, each server holds a slice of every client's update and aggregates it alone: no
communication, and the same bytes as one process. By client, each server holds some clients'
whole updates: `Moments` of the shards are merged, sent back, and a second pass filters.
"""

import functools
import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .inputs import NotFiniteError

Array = NDArray[np.floating]


def slices(n_params: int, n_shards: int) -> list[slice]:
    """Cut the coordinates into contiguous shards whose sizes differ by one at most.

    ``np.concatenate([rfout1d(updates[:, one]) for one in slices(n_params, n_shards)])`` has the
    bytes of ``rfout1d(updates)``: the rule knows one coordinate at a time.

    Parameters
    ----------
    n_params
        How many coordinates there are.
    n_shards
        How many servers share them; at least 1.

    Returns
    -------
    list of slice
        `n_shards` of them, in order.

    Raises
    ------
    ValueError
        If `n_shards` is not positive or `n_params` negative.

    Examples
    --------
    >>> slices(10, 3)
    [slice(0, 3, None), slice(3, 6, None), slice(6, 10, None)]
    """
    if n_shards < 1 or n_params < 0:
        raise ValueError(f"cannot cut {n_params} coordinates into {n_shards} shards")
    cuts = [n_params * i // n_shards for i in range(n_shards + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(cuts)]


@dataclass(frozen=True)
class Moments:
    """Count, mean, and sum of squared deviations of some clients, for each coordinate.

    Attributes
    ----------
    count
        How many clients.
    mean
        (n_params,) float64.
    squares
        (n_params,) float64: the sum over clients of (value - mean)².

    Notes
    -----
    Chan, Golub, LeVeque (1979), "Updating formulae and a pairwise algorithm for computing sample
    variances".

    Examples
    --------
    >>> import numpy as np
    >>> Moments(2, mean=np.array([2.0]), squares=np.array([2.0])).std
    array([1.])
    """

    count: int
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]

    @property
    def std(self) -> NDArray[np.float64]:
        """Population standard deviation, (n_params,)."""
        return np.sqrt(self.squares / self.count)


def moments(updates: Iterable[Array]) -> Moments:
    """Moments of one shard's clients, read one client at a time.

    Parameters
    ----------
    updates
        One (n_params,) array for each client: a list, a (n_clients, n_params) array, or a generator
        that loads one after the other.

    Raises
    ------
    ValueError
        If there is no client, or one has a value that is not finite.

    Notes
    -----
    Welford (1962).

    Examples
    --------
    >>> import numpy as np
    >>> moments(np.array([[1.0], [3.0]]))
    Moments(count=2, mean=array([2.]), squares=array([2.]))
    """
    count, mean, squares = 0, np.zeros(0), np.zeros(0)
    for client, update in enumerate(updates):
        if not np.isfinite(update).all():
            raise NotFiniteError(f"client {client}: the update has a value that is not finite")
        if count == 0:
            mean, squares = np.zeros(np.shape(update)), np.zeros(np.shape(update))
        count += 1
        step = update - mean
        mean += step / count
        squares += step * (update - mean)
    if count == 0:
        raise ValueError("a shard needs at least one client")
    return Moments(count, mean, squares)


def merge(shards: Iterable[Moments]) -> Moments:
    """Moments of all clients from those of the shards, in the order given.

    Parameters
    ----------
    shards
        What `moments` gave for each shard, of one shape.

    Raises
    ------
    ValueError
        If there is no shard.

    Examples
    --------
    >>> import numpy as np
    >>> merge([moments(np.array([[1.0], [3.0]])), moments(np.array([[5.0]]))])
    Moments(count=3, mean=array([3.]), squares=array([8.]))
    """
    shards = list(shards)
    if not shards:
        raise ValueError("there is no shard to merge")
    return functools.reduce(_merge_two, shards)


def _merge_two(a: Moments, b: Moments) -> Moments:
    count = a.count + b.count
    apart = b.mean - a.mean
    return Moments(
        count,
        a.mean + apart * (b.count / count),
        a.squares + b.squares + apart**2 * (a.count * b.count / count),
    )


def unflagged(
    updates: Iterable[Array], everyone: Moments, threshold: float = 3.0
) -> NDArray[np.float64]:
    """The second pass over one shard: what its unflagged clients add to the mean.

    Parameters
    ----------
    updates
        As for `moments`, the same clients.
    everyone
        The merged moments of all shards.
    threshold
        As for `rfout.rfout1d`.

    Returns
    -------
    numpy.ndarray
        (n_params,) float64: the sum of (value - mean) over the clients that are not flagged.

    Raises
    ------
    ValueError
        If `threshold` is not a positive number.

    Notes
    -----
    A value so near to the threshold that float64 rounds it to the other side is decided otherwise
    than by `rfout.rfout1d`.

    Examples
    --------
    >>> import numpy as np
    >>> shard = np.append(np.zeros((11, 1)), [[12.0]], axis=0)
    >>> unflagged(shard, moments(shard))
    array([-11.])
    """
    if not 0 < threshold < math.inf:
        raise ValueError(f"threshold must be a positive number of sigmas, not {threshold!r}")
    total = np.zeros_like(everyone.mean)
    limit = threshold * everyone.std
    for update in updates:
        deviation = update - everyone.mean
        deviation[np.abs(deviation) > limit] = 0.0
        total += deviation
    return total


def combine(everyone: Moments, parts: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Aggregate by the paper's rule, from the merged moments and each shard's second pass.

    Parameters
    ----------
    everyone
        The merged moments of all shards.
    parts
        What `unflagged` gave for each shard.

    Returns
    -------
    numpy.ndarray
        (n_params,) float64: a flagged value counts as the mean, which adds nothing to it.

    Examples
    --------
    >>> import numpy as np
    >>> shard = np.append(np.zeros((11, 1)), [[12.0]], axis=0)
    >>> everyone = moments(shard)
    >>> combine(everyone, [unflagged(shard, everyone)]).round(3)
    array([0.083])
    """
    return everyone.mean + sum(parts, np.zeros_like(everyone.mean)) / everyone.count
