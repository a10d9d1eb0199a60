"""Flower's own strategies as functions of updates: independent of ours, and for tests only."""

import warnings
from types import SimpleNamespace

import numpy as np

with warnings.catch_warnings():  # what Flower imports warns of what it imports
    warnings.simplefilter("ignore")
    from flwr.app import Array, ArrayRecord, MetricRecord, RecordDict
    from flwr.serverapp.strategy import Bulyan, FedMedian, FedTrimmedAvg, Krum, MultiKrum
    from flwr.serverapp.strategy.multikrum import select_multikrum
    from flwr.supercore.differential_privacy import clip_inputs_inplace, compute_stdv

__all__ = [
    "Bulyan", "FedMedian", "FedTrimmedAvg", "Krum", "MultiKrum", "aggregate",
    "clip_inputs_inplace", "compute_stdv", "select_multikrum",
]  # fmt: skip


def records(updates):
    """A client's reply for each update, all of equal weight."""
    return [
        RecordDict(
            {
                "arrays": ArrayRecord({"update": Array(np.ascontiguousarray(update))}),
                "metrics": MetricRecord({"num-examples": 1}),
            }
        )
        for update in updates
    ]


def aggregate(strategy, updates):
    """What `strategy` makes of the updates in a training round."""
    replies = [SimpleNamespace(content=r, has_error=lambda: False) for r in records(updates)]
    arrays, _ = strategy.aggregate_train(1, replies)
    return None if arrays is None else arrays["update"].numpy()
