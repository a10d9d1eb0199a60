"""Not Sherpa.ai. What belongs to the nodes, and an attack on it."""

import random

import numpy as np

from . import federated_operation, node, utils
from .federated_operation import (
    FederatedDataNode,
    LabeledData,
    NodesFederation,
    ServerDataNode,
)
from .node import DataNode

__all__ = [
    "DataNode",
    "FederatedDataNode",
    "FederatedPoisoningDataAttack",
    "LabeledData",
    "NodesFederation",
    "Reproducibility",
    "ServerDataNode",
    "federated_operation",
    "node",
    "utils",
]


class FederatedPoisoningDataAttack:
    """Shuffle the labels of some nodes, `percentage` of them; `adversaries` are their numbers."""

    def __init__(self, percentage: float) -> None:
        self._percentage = percentage
        self.adversaries: list[int] = []

    def __call__(self, nodes_federation: NodesFederation) -> None:
        """Attack, through the transformation that every node allows."""
        n = nodes_federation.num_nodes()
        self.adversaries = random.sample(range(n), int(self._percentage / 100 * n))
        for number in self.adversaries:
            nodes_federation[number].apply_data_transformation(_shuffle_labels)


def _shuffle_labels(data: LabeledData) -> None:
    np.random.shuffle(data.label)  # noqa: NPY002 (as shfl does)


class Reproducibility:
    """Seed the ambient generators of NumPy and Python, once in a process."""

    _made = False

    def __init__(self, seed: int) -> None:
        if Reproducibility._made:
            raise RuntimeError("the seed of a process is set once")
        Reproducibility._made = True
        np.random.seed(seed)  # noqa: NPY002 (as shfl does)
        random.seed(seed)

    def delete_instance(self) -> None:
        """Allow another seed: for tests."""
        Reproducibility._made = False
