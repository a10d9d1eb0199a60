"""The rivals of RFOut-1d. An aggregator takes (n_clients, n_params) and gives (n_params,).

Chapter: backdoor-attacks.
"""

import numpy as np
from numpy.typing import NDArray


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
