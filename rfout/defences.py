"""The rivals of RFOut-1d. An aggregator takes (n_clients, n_params) and gives (n_params,).

Chapter: backdoor-attacks.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# (n_clients, ...), or a list of each client's array, or of each client's list of layers.
Updates = Any


def mean(updates: NDArray[np.floating]) -> NDArray[np.floating]:
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
    Chapter: federated-learning.
    """
    return np.mean(updates, axis=0, dtype=np.float64).astype(updates.dtype)


def clip_updates(updates: Updates, max_norm: float) -> Updates:
    """Shorten every client's update to an L2 norm of `max_norm` over all its coordinates.

    A step before any aggregator: ``rfout1d(clip_updates(updates, 1.0))``. Of updates and not of
    full parameters, whose norm says nothing about what a client changed.

    Parameters
    ----------
    updates
        (n_clients, ...) floating numbers, or a list of n_clients arrays, or of lists of layers,
        over which a client's norm is taken together.
    max_norm
        The longest that an update may be, positive, in the units of the updates.

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
    Sun et al. (2019), arXiv 1911.07963. Chapter: defences-compared.
    """
    if not 0 < max_norm < math.inf:
        raise ValueError(f"max_norm must be a positive number, not {max_norm!r}")
    if isinstance(updates, np.ndarray):
        return np.stack(_clipped(list(updates), max_norm))
    return _clipped(updates, max_norm)


def _clipped(updates: list[Any], max_norm: float) -> list[Any]:
    clipped = []
    for client, update in enumerate(updates):
        layers = update if isinstance(update, (list, tuple)) else [update]
        norm = _norm(layers)
        if not math.isfinite(norm):
            raise ValueError(f"client {client}: the update has a value that is not finite")
        factor = max_norm / norm if norm > max_norm else 1.0
        short = [(layer * np.float64(factor)).astype(layer.dtype) for layer in layers]
        clipped.append(short if isinstance(update, (list, tuple)) else short[0])
    return clipped


def _norm(layers: Sequence[NDArray[np.floating]]) -> float:
    """L2 norm over all layers; the largest value is divided out, so that no square overflows."""
    largest = max((float(np.abs(layer).max(initial=0.0)) for layer in layers), default=0.0)
    if not 0 < largest < math.inf:
        return largest
    return largest * math.sqrt(sum(float(np.sum((layer / largest) ** 2)) for layer in layers))


def weak_dp(
    updates: Updates,
    max_norm: float,
    noise: float,
    rng: np.random.Generator,
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
        Where the noise comes from.
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
    Sun et al. (2019), arXiv 1911.07963. Chapter: defences-compared.
    """
    if not 0 <= noise < math.inf:
        raise ValueError(f"noise must be a number that is not negative, not {noise!r}")
    aggregate = aggregator(clip_updates(updates, max_norm))
    std = noise * max_norm / len(updates)

    def noisy(layer: NDArray[np.floating]) -> NDArray[np.floating]:
        return (layer + rng.normal(0.0, std, np.shape(layer))).astype(layer.dtype)

    return (
        [noisy(layer) for layer in aggregate] if isinstance(aggregate, list) else noisy(aggregate)
    )
