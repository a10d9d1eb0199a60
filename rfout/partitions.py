"""Which client holds which sample: an even split, and one with skewed labels."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Indices = NDArray[np.int64]


def partition_iid(y: ArrayLike, n_clients: int, *, rng: np.random.Generator) -> list[Indices]:
    """Deal the samples out at random: every client sees the same distribution.

    Parameters
    ----------
    y, n_clients
        Labels, shape (n_samples,), of which only the number matters; clients, 1 to n_samples.
    rng
        Shuffles the samples.

    Returns
    -------
    list of n_clients int64 arrays
        Shuffled indices into `y`. Each sample is in exactly one array; sizes differ by at most 1.

    Raises
    ------
    ValueError
        If `y` is not one-dimensional or `n_clients` is out of range.

    Notes
    -----
    The IID partition of McMahan et al. (2017).

    Examples
    --------
    >>> import numpy as np
    >>> [len(part) for part in partition_iid(np.zeros(10), 3, rng=np.random.default_rng(0))]
    [4, 3, 3]
    """
    labels = _checked_labels(y, n_clients)
    return np.array_split(rng.permutation(len(labels)).astype(np.int64), n_clients)


ATTEMPTS = 10


def partition_dirichlet(
    y: ArrayLike, n_clients: int, alpha: float, *, rng: np.random.Generator, min_samples: int = 1
) -> list[Indices]:
    """Share each class out in proportions drawn from a Dirichlet distribution: label skew.

    Parameters
    ----------
    y, n_clients
        Labels, shape (n_samples,); number of clients, 1 to n_samples.
    alpha
        Concentration, positive and finite. Large: near IID. Small: few clients hold a class.
    rng
        Draws the proportions and shuffles the samples.
    min_samples
        Fewest samples a client may have; 0 allows empty clients. A draw that leaves a client with
        fewer is drawn again, ten times at most.

    Returns
    -------
    list of n_clients int64 arrays
        Shuffled indices into `y`. Each sample is in exactly one array; sizes differ.

    Raises
    ------
    ValueError
        If an argument is out of range, or if every draw leaves a client with too few samples.

    Notes
    -----
    The label skew of Hsu, Qi and Brown (2019), drawn class by class over the clients as Yurochkin
    et al. (2019) do, so that no sample is left over.

    Examples
    --------
    >>> import numpy as np
    >>> parts = partition_dirichlet(np.arange(100) % 10, 4, 0.5, rng=np.random.default_rng(0))
    >>> sum(map(len, parts))
    100
    """
    labels = _checked_labels(y, n_clients)
    if not (math.isfinite(alpha) and alpha > 0):
        raise ValueError(f"alpha must be positive and finite, not {alpha}")
    most = len(labels) // n_clients
    if not 0 <= min_samples <= most:
        raise ValueError(f"min_samples must be from 0 to samples / clients = {most}")
    for _ in range(ATTEMPTS):
        clients = _draw(labels, n_clients, alpha, rng)
        poorest = int(np.argmin([len(client) for client in clients]))
        if len(clients[poorest]) >= min_samples:
            return clients
    raise ValueError(
        f"in {ATTEMPTS} draws some client had fewer samples than min_samples = {min_samples}; in "
        f"the last it was client {poorest}, with {len(clients[poorest])}: take a larger alpha or "
        "fewer clients, or allow empty clients with min_samples=0"
    )


def _draw(
    labels: NDArray[np.generic], n_clients: int, alpha: float, rng: np.random.Generator
) -> list[Indices]:
    concentration = np.full(n_clients, min(alpha, 1e12))  # equal shares; 1e308 would overflow
    owner = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        shares = rng.dirichlet(concentration)
        # Rounded by one random offset, so that on average nobody's share gains by it.
        cuts = np.floor(np.cumsum(shares)[:-1] * len(members) + rng.random()).astype(np.int64)
        for client, part in enumerate(np.split(members, cuts)):
            owner[part] = client
    return [rng.permutation(np.flatnonzero(owner == i)).astype(np.int64) for i in range(n_clients)]


def _checked_labels(y: ArrayLike, n_clients: int) -> NDArray[np.generic]:
    labels = np.asarray(y)
    if labels.ndim != 1:
        raise ValueError(f"y must be one-dimensional, not of shape {labels.shape}")
    if not 1 <= n_clients <= len(labels):
        raise ValueError(f"n_clients must be from 1 to {len(labels)} samples, not {n_clients}")
    return labels
