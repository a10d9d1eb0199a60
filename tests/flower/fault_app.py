"""A Flower app whose nodes misbehave on request: small numbers, no model, so that it starts fast.

Node i adds i + 1 to every parameter, so an aggregate tells who is in it.
"""

import json
import time

import numpy as np
import psutil
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from rfout.flower import RFOut1d

LATE = 15.0  # seconds after the end of the round
client_app = ClientApp()
server_app = ServerApp()


@client_app.train()
def train(message: Message, context: Context) -> Message:
    """Reply, or do in this phase what the node's configuration says: ``faults="1:nan 2:die"``."""
    asked = message.content.config_records["config"]
    phase = repr(asked["phase"])
    node = int(context.node_config["partition-id"])
    faults = dict(part.split(":") for part in str(context.node_config["faults"]).split())
    fault, examples = faults.get(phase, ""), 10
    start = message.content.array_records["arrays"]["w"].numpy()
    reply = start + np.float32(node + 1)
    print(f"phase {phase}: node {node} trains {fault}", flush=True)
    match fault:
        case "nan":
            reply[0] = np.nan
        case "shape":
            reply = reply[:2]
        case "weight":
            examples = 10**12
        case "die":
            psutil.Process().kill()
        case "slow":
            time.sleep(float(str(asked["timeout"])) + LATE)
    content: dict[str, ArrayRecord | MetricRecord | ConfigRecord] = {
        "arrays": ArrayRecord({"w": Array(reply)}),
        "metrics": MetricRecord({"num-examples": examples, "partition": node}),
    }
    return Message(RecordDict(content), reply_to=message)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    """Run a round for each phase, and print what came of it as a line of JSON.

    ``phases="1:5 2:2"`` has five nodes awaited for the first, two for the second.
    """
    settings = context.run_config
    patience = timeout = float(settings["patience"])
    model = ArrayRecord({"w": Array(np.zeros(4, np.float32))})
    for phase, nodes in (map(int, part.split(":")) for part in str(settings["phases"]).split()):
        strategy = RFOut1d(
            fraction_evaluate=0.0,
            min_train_nodes=nodes,
            min_available_nodes=nodes,
            node_timeout=patience,
        )
        end = time.monotonic() + patience
        while len(list(grid.get_node_ids())) < nodes and time.monotonic() < end:
            time.sleep(0.2)
        begun = time.monotonic()
        result = strategy.start(
            grid,
            model,
            num_rounds=1,
            timeout=timeout,
            train_config=ConfigRecord({"phase": phase, "timeout": timeout}),
        )
        took = time.monotonic() - begun
        # The first round, in which everybody replies, says how long this machine takes for one.
        timeout = max(float(settings["least"]), 2 * took) if phase == 1 else timeout
        metrics = result.train_metrics_clientapp[1]
        numbers = {**metrics, **metrics.per_node}
        numbers["value"] = float(result.arrays["w"].numpy()[0]) if result.arrays else 0.0
        numbers["online"] = len(list(grid.get_node_ids()))
        print(f"PHASE {phase} {json.dumps(numbers)}", flush=True)
