"""What rules on whole updates share: norms, distances, angles, and how many adversaries they stand.

Squares of large values overflow: the largest is divided out first.
"""

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..vocabulary import Array

BLOCK = 2**14  # coordinates whose products are summed at a time, in float64


def assumed(name: str, n_adversaries: Any, n_clients: int, *, times: int, plus: int) -> int:
    """Read how many adversaries are assumed, at least 0.

    Raises
    ------
    ValueError
        If there are fewer than times * n_adversaries + plus clients.
    """
    f = operator.index(n_adversaries)
    if f < 0:
        raise ValueError(f"n_adversaries must be at least 0, not {f}")
    needed = times * f + plus
    if n_clients < needed:
        raise ValueError(
            f"{name} needs at least {times} n_adversaries + {plus} = {needed} clients to stand {f} "
            f"adversaries, and there are {n_clients}: sample more clients, or assume fewer "
            "adversaries"
        )
    return f


def update_norm(layers: Sequence[NDArray[np.floating]]) -> float:
    """L2 norm over all layers; the largest value is divided out, so that no square overflows.

    Examples
    --------
    >>> import numpy as np
    >>> update_norm([np.array([3.0]), np.array([[4.0]])])
    5.0
    """
    largest = max((float(np.abs(layer).max(initial=0.0)) for layer in layers), default=0.0)
    if not 0 < largest < math.inf:
        return largest
    return largest * math.sqrt(sum(float(np.sum((layer / largest) ** 2)) for layer in layers))


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


def distances_from(points: Any, centre: Any) -> Any:
    """L2 distances of the rows from the centre; the largest is divided out against overflow."""
    apart = points - centre
    largest = np.abs(apart).max(axis=1, initial=0.0)
    safe = np.where(largest > 0, largest, 1.0)
    return largest * np.sqrt(np.sum((apart / safe[:, None]) ** 2, axis=1))


def cosines(x: Array) -> NDArray[np.float64]:
    """Cosine similarities between the clients, (n, n); 0 with an update that is zero."""
    flat = x.reshape(len(x), -1).astype(np.float64)
    largest = np.abs(flat).max(axis=1, initial=0.0)
    flat /= np.where(largest > 0, largest, 1.0)[:, None]  # against overflow
    norms = np.linalg.norm(flat, axis=1)
    flat /= np.where(norms > 0, norms, 1.0)[:, None]
    return np.asarray(np.clip(flat @ flat.T, -1.0, 1.0))
