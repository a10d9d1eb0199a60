"""Clipping of whole updates, and noise: steps before and after any aggregator."""

import math
import zlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..operator import inputs
from .averages import mean
from .whole_updates import update_norm

# (n_clients, ...), or a list of each client's array, or of each client's list of layers.
Updates = Any


def clip_updates(updates: Updates, max_norm: float | Literal["median"]) -> Updates:
    """Shorten every client's update to an L2 norm of `max_norm` over all its coordinates.

    A step before any aggregator: ``rfout1d(clip_updates(updates, 1.0))``. Of updates and not of
    full parameters, whose norm says nothing about what a client changed.

    Parameters
    ----------
    updates
        (n_clients, ...) floating numbers, or a list of n_clients arrays, or of lists of layers,
        over which a client's norm is taken together.
    max_norm
        The longest that an update may be, positive, in the units of the updates; "median" takes
        the median of the clients' own norms, which needs no tuning and shrinks as they do.

    Returns
    -------
    array or list
        New arrays of the shapes and dtypes of `updates`; a shorter update is as it was.

    Raises
    ------
    ValueError
        If `max_norm` is not positive, or an update is not finite.

    Notes
    -----
    Sun et al. (2019), arXiv 1911.07963.

    Examples
    --------
    >>> import numpy as np
    >>> clip_updates(np.array([[3.0, 4.0], [0.3, 0.4]]), max_norm=1.0)
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """
    return _clip(updates, max_norm)[0]


def _clip(updates: Updates, max_norm: float | Literal["median"]) -> tuple[Updates, float]:
    """The clipped updates, and the norm that they were clipped to."""
    clients = [list(one) if isinstance(one, (list, tuple)) else [one] for one in updates]
    norms = [update_norm(layers) for layers in clients]
    for client, norm in enumerate(norms):
        if not math.isfinite(norm):
            raise inputs.NotFiniteError(
                f"client {client}: the update has a value that is not finite"
            )
    limit = float(np.median(norms)) if max_norm == "median" else max_norm
    if max_norm != "median" and (isinstance(limit, str) or not 0 < limit < math.inf):
        raise ValueError(f'max_norm must be a positive number or "median", not {max_norm!r}')
    short = []
    for one, layers, norm in zip(updates, clients, norms, strict=True):
        factor = np.float64(limit / norm if norm > limit else 1.0)
        clipped = [(layer * factor).astype(layer.dtype) for layer in layers]
        short.append(clipped if isinstance(one, (list, tuple)) else clipped[0])
    return np.stack(short) if isinstance(updates, np.ndarray) else short, limit


def norm_clipping(
    updates: NDArray[np.floating], max_norm: float | Literal["median"] = "median"
) -> NDArray[np.floating]:
    """Average the updates after shortening each to an L2 norm of `max_norm`.

    Parameters
    ----------
    updates
        (n_clients, ...) floating numbers, clients on axis 0.
    max_norm
        As for `clip_updates`.

    Returns
    -------
    numpy.ndarray
        Trailing shape and dtype of `updates`.

    Raises
    ------
    ValueError
        As `clip_updates`.

    Notes
    -----
    Sun et al. (2019), arXiv 1911.07963.

    Examples
    --------
    >>> import numpy as np
    >>> norm_clipping(np.array([[1.0], [1.0], [100.0]]))
    array([1.])
    """
    return mean(_clip(inputs.read_array(updates), max_norm)[0])


def weak_dp(
    updates: Updates,
    max_norm: float | Literal["median"],
    noise: float,
    rng: np.random.Generator | int,
    *,
    aggregator: Callable[[Any], Any] = mean,
) -> Any:
    """Clip the updates, aggregate, and add Gaussian noise: weak differential privacy.

    Parameters
    ----------
    updates
        As for `clip_updates`.
    max_norm
        As for `clip_updates`.
    noise
        Standard deviation of the noise in units of ``max_norm / n_clients``, which is the most that
        one client moves the mean; at least 0.
    rng
        Where the noise comes from. A whole number makes it from that number and the aggregate's
        bytes: nothing is remembered between calls, so a run that goes on from a checkpoint adds
        what it would have added. Who knows the number can take such noise away again: it serves
        experiments, not privacy.
    aggregator
        What stands between clipping and noise: `mean`, or ``rfout1d``, or any other.

    Returns
    -------
    array or list
        What `aggregator` gives, with noise on every coordinate.

    Raises
    ------
    ValueError
        If `noise` is negative or not finite, or as `clip_updates`.

    Notes
    -----
    Sun et al. (2019), arXiv 1911.07963.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.array([[1.0], [1.0], [100.0]])
    >>> weak_dp(updates, "median", noise=0.0, rng=np.random.default_rng(0))
    array([1.])
    """
    if not 0 <= noise < math.inf:
        raise ValueError(f"noise must be a number that is not negative, not {noise!r}")
    clipped, limit = _clip(updates, max_norm)
    aggregate = aggregator(clipped)
    layers = aggregate if isinstance(aggregate, list) else [aggregate]
    if not isinstance(rng, np.random.Generator):
        rng = np.random.default_rng([rng, *(zlib.crc32(layer.tobytes()) for layer in layers)])
    std = noise * limit / len(updates)
    noisy = [(x + rng.normal(0.0, std, np.shape(x))).astype(x.dtype) for x in layers]
    return noisy if isinstance(aggregate, list) else noisy[0]
