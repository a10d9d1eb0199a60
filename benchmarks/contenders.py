"""What RFOut-1d is compared with, each on the same updates."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def updates(n_clients: int, n_params: int, n_adversaries: int = 1) -> Array:
    """Gaussian updates; adversaries boost theirs by the number of clients."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n_clients, n_params), dtype=np.float32)
    x *= np.float32(0.01)
    x[1 : 1 + n_adversaries] *= np.float32(n_clients)
    return x


def definition(x: Array) -> Array:
    """The three lines."""
    mean, std = x.mean(axis=0), x.std(axis=0)
    flagged = abs(x - mean) > 3.0 * std
    return np.where(flagged, mean, x).mean(axis=0)


def double_loop(x: Array) -> Array:
    """A loop over coordinates and one over clients, as in the authors' public code."""
    result = np.zeros(x.shape[1], np.float32)
    for i in range(x.shape[1]):
        values = [x[j][i] for j in range(len(x))]
        mean, std = np.mean(values), np.std(values)
        for j in range(len(values)):
            if abs(values[j] - mean) > 3 * std:
                values[j] = mean
        result[i] = np.mean(values)
    return result


class FlowerReplies:
    """The same updates as the replies of Flower's clients, each of equal weight."""

    def __init__(self, x: Array) -> None:
        from flwr.app import Array as FlowerArray
        from flwr.app import ArrayRecord, MetricRecord, RecordDict

        self.replies = [
            RecordDict(
                {
                    "arrays": ArrayRecord({"update": FlowerArray(row)}),
                    "metrics": MetricRecord({"num-examples": 1}),
                }
            )
            for row in x
        ]

    def fedavg(self) -> object:
        from flwr.serverapp.strategy.strategy_utils import aggregate_arrayrecords

        return aggregate_arrayrecords(self.replies, "num-examples")

    def copied(self) -> list[Array]:
        """Each reply as an array, by Flower's own means."""
        return [reply["arrays"]["update"].numpy() for reply in self.replies]

    def viewed(self) -> list[Array]:
        """Each reply as an array on the bytes that were received."""
        from rfout.flower import _replies

        return [_replies.view(reply["arrays"])["update"] for reply in self.replies]


def without_compiler(call: Callable[[], object]) -> Callable[[], object]:
    """The same call on the block-wise NumPy path."""
    from rfout.operator import walk

    def run() -> object:
        large, walk.LARGE = walk.LARGE, 2**62
        try:
            return call()
        finally:
            walk.LARGE = large

    return run
