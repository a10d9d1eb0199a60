"""Rivals that compare the directions of whole updates: FoolsGold and FLAME."""

import zlib

import numpy as np
from numpy.typing import NDArray

from ..operator import inputs
from ..vocabulary import Array
from .averages import mean
from .clipping import clip_updates
from .whole_updates import cosines, update_norm


def foolsgold(updates: Array) -> Array:
    """Weight each client by how unlike the others its update points.

    Colluders that push in one direction get small weights, honest clients with diverse data large
    ones.

    Parameters
    ----------
    updates
        (n_clients, ...) real numbers, clients on axis 0, at least 2 clients.

    Returns
    -------
    numpy.ndarray
        Trailing shape and dtype of `updates`: the sum of the weighted updates, divided by the sum
        of the weights. Zeros where every weight is 0.

    Raises
    ------
    ValueError, TypeError
        If there is one client alone, an update is not finite, or as `rfout.rfout1d`.

    Notes
    -----
    Fung, Yoon, Beschastnikh (2020), RAID, in the form without memory: the similarities are those of
    this round's updates, since an aggregator of this package remembers nothing. The authors divide
    by nothing; dividing by the sum of the weights keeps the length of an honest update.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 5.0]])
    >>> bool(foolsgold(x).max() < 1)
    True
    """
    x = inputs.read_array(updates)
    if len(x) < 2:
        raise ValueError("FoolsGold compares clients: it needs at least 2")
    weights = foolsgold_weights(cosines(x))
    total = weights.sum()
    if total == 0:
        return np.zeros(x.shape[1:], x.dtype)
    return np.tensordot(weights / total, x.astype(np.float64), axes=1).astype(x.dtype)


def foolsgold_weights(similarities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn the (n, n) cosine similarities of the clients into their weights in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> foolsgold_weights(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]))
    array([1., 0., 0.])
    """
    similar = similarities.round(12)  # a likeness of 1e-17 is none
    np.fill_diagonal(similar, -np.inf)
    most = similar.max(axis=1)
    # Pardoning: an honest client that happens to resemble a colluder is not punished for it.
    resembles_worse = (most[None] > most[:, None]) & (most[None] > 0)
    ratio = np.divide(most[:, None], most[None], out=np.ones_like(similar), where=resembles_worse)
    weights = np.clip(1 - (similar * ratio).max(axis=1), 0.0, 1.0)
    largest = np.max(weights)
    if largest > 0:
        weights = weights / largest
    with np.errstate(divide="ignore"):  # the logit of 0 and of 1 is infinite
        logit = np.log(weights / (1 - np.minimum(weights, 0.99))) + 0.5
    return np.clip(logit, 0.0, 1.0)


def flame(updates: Array, *, noise: float = 0.001, rng: np.random.Generator | int = 0) -> Array:
    """Keep the largest cluster of directions, clip it to the median norm, average, add noise.

    Parameters
    ----------
    updates
        (n_clients, ...) real numbers, clients on axis 0, at least 3 clients.
    noise
        Standard deviation of the Gaussian noise in units of the median norm.
    rng
        As for `weak_dp`.

    Returns
    -------
    numpy.ndarray
        Trailing shape and dtype of `updates`.

    Raises
    ------
    ValueError, TypeError
        If there are fewer than 3 clients, an update is not finite, or as `rfout.rfout1d`.

    Notes
    -----
    Nguyen, Rieger et al. (2022), USENIX Security. HDBSCAN is scikit-learn's, on cosine distances,
    with clusters of more than half of the clients and one sample about a core point, as the authors
    have it. Where it finds no such cluster all clients are kept.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(1.0, 0.1, size=(12, 5))
    >>> x[0] = -100.0
    >>> bool(flame(x).min() > 0.5)
    True
    """
    x = inputs.read_array(updates)
    if len(x) < 3:
        raise ValueError(f"FLAME clusters clients: it needs at least 3, and there are {len(x)}")
    limit = float(np.median([update_norm([client]) for client in x]))
    kept = largest_cluster(1 - cosines(x))
    average = mean(clip_updates(x, limit)[kept] if limit > 0 else x[kept])
    if not isinstance(rng, np.random.Generator):
        rng = np.random.default_rng([rng, zlib.crc32(average.tobytes())])
    return (average + rng.normal(0.0, noise * limit, average.shape)).astype(x.dtype)


def largest_cluster(distances: NDArray[np.float64]) -> NDArray[np.intp]:
    """Find the clients in the cluster of more than half of them; all, where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 0.1, 0.2, 0.3, 9.0])
    >>> largest_cluster(abs(x[:, None] - x))
    array([0, 1, 2, 3])
    """
    from sklearn.cluster import HDBSCAN  # it takes a second to load

    n = len(distances)
    found = HDBSCAN(
        min_cluster_size=n // 2 + 1,
        min_samples=1,
        metric="precomputed",
        allow_single_cluster=True,
        copy=True,
    ).fit(np.maximum(distances, 0.0))
    members = np.flatnonzero(found.labels_ >= 0)
    return members if len(members) > n // 2 else np.arange(n)
