"""Not Sherpa.ai. The plain mean of what the nodes send."""

from collections.abc import Sequence
from typing import Any

import numpy as np


class FedAvgAggregator:
    """Average the clients' parameters layer by layer, each client counted once.

    Notes
    -----
    McMahan et al. (2017), arXiv 1602.05629.
    """

    def __call__(self, clients_params: Sequence[Any]) -> Any:
        """Give the mean, nested as each client's parameters are."""
        first = clients_params[0]
        if isinstance(first, (list, tuple)):
            return type(first)(self(layer) for layer in zip(*clients_params, strict=True))
        return np.mean(np.array(clients_params), axis=0)
