"""Not Sherpa.ai. How one data base is spread over the nodes."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .data_base.data_base import LabeledDatabase, shuffle_rows
from .private.federated_operation import NodesFederation, federate_list

Parts = tuple[list[NDArray[Any]], list[NDArray[Any]]]


class DataDistribution:
    """A data base whose training data are to be spread; a kind of it says how."""

    def __init__(self, database: LabeledDatabase) -> None:
        self._database = database

    def get_nodes_federation(self, **kwargs: Any) -> tuple[NodesFederation, Any, Any]:
        """Give the nodes with their data, and the test data and labels, which stay central."""
        parts = self.make_data_federated(*self._database.train, **kwargs)
        return federate_list(*parts), *self._database.test

    def make_data_federated(
        self,
        data: NDArray[Any],
        labels: NDArray[Any],
        percent: float = 100,
        num_nodes: int = 1,
        weights: Sequence[float] | None = None,
    ) -> Parts:
        """Shuffle, keep `percent`, and share out by `weights`, equal unless given."""
        shares = np.full(num_nodes, 1 / num_nodes) if weights is None else np.asarray(weights)
        shares = shares / max(1.0, float(shares.sum()))
        data, labels = shuffle_rows(data, labels)
        n = int(percent * len(data) / 100)
        return self._share(data[:n], labels[:n], shares)

    def _share(self, data: NDArray[Any], labels: NDArray[Any], shares: NDArray[Any]) -> Parts:
        raise NotImplementedError


class IidDataDistribution(DataDistribution):
    """Every node gets a random part: the same mixture of classes for all."""

    def _share(self, data: NDArray[Any], labels: NDArray[Any], shares: NDArray[Any]) -> Parts:
        ends = (np.cumsum(shares) * len(data)).astype(int)
        return np.split(data, ends)[: len(ends)], np.split(labels, ends)[: len(ends)]


class NonIidDataDistribution(DataDistribution):
    """Every node knows some of the classes, two at least, and draws from those alone."""

    def _share(self, data: NDArray[Any], labels: NDArray[Any], shares: NDArray[Any]) -> Parts:
        classes = np.unique(labels).tolist()
        parts: Parts = ([], [])
        for share in shares:
            known = random.sample(classes, random.randint(2, len(classes)))
            has = np.flatnonzero(np.isin(labels, known))
            (chosen,) = shuffle_rows(has)
            chosen = chosen[: int(share * len(data))]
            parts[0].append(data[chosen])
            parts[1].append(labels[chosen])
        return parts
