"""Rivals that look for a centre of the updates as points in space, and mixing before a rival."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..operator import inputs
from ..vocabulary import Array
from .averages import mean, median
from .whole_updates import assumed, distances_from, squared_distances


def geometric_median(updates: Array, *, n_iterations: int = 100, tolerance: float = 1e-5) -> Array:
    """Find the point with the smallest sum of distances to the updates: RFA.

    Parameters
    ----------
    updates
        (n_clients, ...) real numbers, clients on axis 0.
    n_iterations
        At most so many steps of Weiszfeld's algorithm.
    tolerance
        The iteration ends when a step is shorter than this share of the median distance, and the
        updates pull no more in any direction.

    Returns
    -------
    numpy.ndarray
        Trailing shape and dtype of `updates`.

    Raises
    ------
    ValueError, TypeError
        If an update is not finite, or as `rfout.rfout1d`.

    Notes
    -----
    Pillutla, Kakade, Harchaoui (2022), arXiv 1912.13445. Starts from the coordinate-wise median. An
    iterate that meets an update leaves it as Vardi and Zhang (2000) say, where RFA smooths.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1e9, 1e9]])
    >>> bool(np.linalg.norm(geometric_median(x)) < 2)
    True
    """
    x = inputs.read_array(updates)
    flat = x.reshape(len(x), -1).astype(np.float64)
    centre = np.median(flat, axis=0)
    for _ in range(n_iterations):
        distances = distances_from(flat, centre)
        scale = float(np.median(distances))
        met = distances <= 1e-9 * scale
        if met.all():
            break
        weights = np.where(met, 0.0, 1 / np.where(met, 1.0, distances))
        target = (weights / weights.sum()) @ flat
        pull = float(distances_from(target[None], centre)[0] * weights.sum())
        stay = min(1.0, met.sum() / pull) if pull else 1.0
        moved = (1 - stay) * target + stay * centre
        step = float(distances_from(moved[None], centre)[0])
        centre = moved
        # Beside an update steps are short, whether it is the median or not: there the pull tells.
        if step <= tolerance * scale and pull <= met.sum() + 0.01 * len(x):
            break
    return centre.astype(x.dtype).reshape(x.shape[1:])


def centred_clipping(
    updates: Array, *, radius: float | None = None, n_iterations: int = 3
) -> Array:
    """Clip the updates to a ball about a centre, average them, and move the centre there.

    Parameters
    ----------
    updates
        (n_clients, ...) real numbers, clients on axis 0.
    radius
        Of the ball, positive, in the units of the updates; None is the median distance from the
        first centre, which needs no tuning.
    n_iterations
        How often the centre is moved, at least 1.

    Returns
    -------
    numpy.ndarray
        Trailing shape and dtype of `updates`.

    Raises
    ------
    ValueError, TypeError
        If `radius` or `n_iterations` is out of range, or as `geometric_median`.

    Notes
    -----
    Karimireddy, He, Jaggi (2021), arXiv 2012.10333. The authors start from the last round's
    aggregate and give clients momentum. An aggregator of this package remembers nothing: it starts
    from the coordinate-wise median.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.append(np.zeros((9, 1)), [[90.0]], axis=0)
    >>> centred_clipping(x, radius=1.0, n_iterations=1)
    array([0.1])
    """
    if n_iterations < 1 or (radius is not None and not 0 < radius < math.inf):
        raise ValueError(
            f"radius must be positive and n_iterations at least 1, not {radius} and {n_iterations}"
        )
    x = inputs.read_array(updates)
    flat = x.reshape(len(x), -1).astype(np.float64)
    centre = np.median(flat, axis=0)
    limit = float(np.median(distances_from(flat, centre))) if radius is None else radius
    for _ in range(n_iterations):
        distances = distances_from(flat, centre)
        factors = np.minimum(1.0, limit / np.where(distances > 0, distances, 1.0))
        centre = centre + np.mean((flat - centre) * factors[:, None], axis=0)
    return centre.astype(x.dtype).reshape(x.shape[1:])


def mix_nearest(updates: Array, n_adversaries: int) -> Array:
    """Replace each update by the average of its nearest neighbours: a step before an aggregator.

    Parameters
    ----------
    updates
        (n_clients, ...) real numbers, clients on axis 0.
    n_adversaries
        How many adversaries the server assumes; each average is over the n_clients - n_adversaries
        nearest updates, the client's own among them.

    Returns
    -------
    numpy.ndarray
        Shape and dtype of `updates`.

    Raises
    ------
    ValueError, TypeError
        If there are fewer than 2 n_adversaries + 1 clients, or as `geometric_median`.

    Notes
    -----
    Allouah, Farhadkhani, Guerraoui, Gupta, Pinot, Stephan (2023), arXiv 2302.01772.

    Examples
    --------
    >>> import numpy as np
    >>> mix_nearest(np.array([[0.0], [1.0], [2.0], [90.0]]), n_adversaries=1)[:, 0]
    array([ 1.,  1.,  1., 31.])
    """
    x = inputs.read_array(updates)
    n, f = len(x), assumed("mixing", n_adversaries, len(x), times=2, plus=1)
    nearest = np.argsort(squared_distances(x), axis=1, kind="stable")[:, : n - f]
    return np.stack([mean(x[np.sort(own)]) for own in nearest])


def mixed(updates: Array, n_adversaries: int, aggregator: Callable[[Array], Any] = median) -> Any:
    """Aggregate what `mix_nearest` gives.

    Parameters
    ----------
    updates, n_adversaries
        As for `mix_nearest`.
    aggregator
        What comes after mixing.

    Examples
    --------
    >>> import numpy as np
    >>> mixed(np.array([[0.0], [1.0], [2.0], [90.0]]), n_adversaries=1)
    array([1.])
    """
    return aggregator(mix_nearest(updates, n_adversaries))
