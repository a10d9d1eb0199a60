"""RFOut1d.aggregate_train against FedAvg.aggregate_train, on the same replies of 50 nodes.

From the messages as they arrive to the ArrayRecord that goes out, checks and metrics included.
`replies` is also used by the tests.
"""

import logging
import os

os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")

import contenders
import numpy as np
import timing
from numpy.typing import NDArray

N_CLIENTS, N_PARAMS = 50, 1_200_000


def replies(layers: list[list[NDArray[np.float32]]]) -> list[object]:
    """A message from each node, holding its layers."""
    from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict
    from flwr.clientapp import ClientApp

    from rfout.flower import InProcessGrid

    grid, made = InProcessGrid(ClientApp(), len(layers)), []
    for node, own in zip(grid.get_node_ids(), layers, strict=True):
        asked = Message(RecordDict(), node, "train")
        arrays = ArrayRecord({f"layer{i}": Array(layer) for i, layer in enumerate(own)})
        metrics = MetricRecord({"num-examples": 200, "train-accuracy": 0.9})
        content = RecordDict({"arrays": arrays, "metrics": metrics})
        made.append(Message(content, reply_to=asked))
    return made


def table(rounds: int, n_clients: int = N_CLIENTS, n_params: int = N_PARAMS) -> list[dict]:
    from flwr.serverapp.strategy import FedAvg

    from rfout.flower import RFOut1d

    logging.getLogger("flwr").setLevel(logging.ERROR)
    x = contenders.updates(n_clients, n_params)
    messages = replies([[row] for row in x])
    fedavg, rfout, drop = FedAvg(), RFOut1d(), RFOut1d(replacement="drop")
    cases = {
        "FedAvg.aggregate_train": lambda: fedavg.aggregate_train(1, messages),
        "RFOut1d.aggregate_train": lambda: rfout.aggregate_train(1, messages),
        'RFOut1d(replacement="drop")': lambda: drop.aggregate_train(1, messages),
    }
    seconds = timing.interleaved(cases, rounds)
    reference = seconds["FedAvg.aggregate_train"]
    return [
        {
            "case": name,
            "n_clients": n_clients,
            "n_params": n_params,
            "milliseconds": 1e3 * float(np.median(measured)),
            "times_fedavg": timing.ratio(measured, reference),
            "rounds": rounds,
        }
        for name, measured in seconds.items()
    ]
