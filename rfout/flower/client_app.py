"""What a node runs: the book's clients, honest or not, as a Flower ClientApp.

Which client a node is, its own configuration says: ``partition-id``, or ``data``, the path of a
file with the samples that stay on that machine.
"""

import time
from logging import INFO

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.common import log

from .experiment import federation, own_samples, to_params, to_record
from .settings import read_settings

app = ClientApp()


@app.train()
def train(message: Message, context: Context) -> Message:
    """Train from the global model on this node's samples; reply with the parameters after it.

    An adversary poisons and boosts, from the round on that the run's configuration names.

    Examples
    --------
    >>> from flwr.app import ConfigRecord
    >>> from rfout.flower import InProcessGrid, client_app
    >>> from rfout.flower.settings import Settings
    >>> made = federation(Settings())
    >>> arrays, config = to_record(made.trainer, made.params), ConfigRecord({"server-round": 1})
    >>> grid = InProcessGrid(client_app.app, 1)
    >>> asked = Message(RecordDict({"arrays": arrays, "config": config}), 100, "train")
    >>> [reply] = grid.send_and_receive([asked])
    >>> reply.content["metrics"]["num-examples"]
    200
    """
    from ..clients import Client, Round

    start = time.perf_counter()
    settings = read_settings(context.run_config)
    made, number = federation(settings), _round(message)
    partition = _partition(context, settings.num_clients)
    client = made.clients[partition]
    if "data" in context.node_config:
        client = Client(*own_samples(str(context.node_config["data"])))
    everybody = tuple(range(settings.num_clients))
    attackers = tuple(c for c in everybody if made.clients[c].attacks(number))
    params = to_params(made.trainer, _arrays(message))
    # The generator that the same client has in the same round of `rfout.federation`.
    rng = np.random.default_rng([made.seed, number, partition])
    now = Round(number, everybody, attackers, made.epochs)
    update = client.update(made.trainer, params, now, rng)
    accuracy = float(np.mean(made.trainer.predict(params + update, client.x) == client.y))
    log(
        INFO,
        "round %d: client %d trained on %d images in %.1f s, accuracy on them %.3f",
        number,
        partition,
        len(client.y),
        time.perf_counter() - start,
        accuracy,
    )
    metrics = MetricRecord({"num-examples": len(client.y), "train-accuracy": accuracy})
    arrays = to_record(made.trainer, update if settings.sends == "updates" else params + update)
    return Message(RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=message)


@app.evaluate()
def evaluate(message: Message, context: Context) -> Message:
    """Measure the global model on this node's samples.

    Examples
    --------
    >>> from flwr.app import ConfigRecord
    >>> from rfout.flower import InProcessGrid, client_app
    >>> from rfout.flower.settings import Settings
    >>> made = federation(Settings())
    >>> arrays, config = to_record(made.trainer, made.params), ConfigRecord({"server-round": 1})
    >>> grid = InProcessGrid(client_app.app, 1)
    >>> asked = Message(RecordDict({"arrays": arrays, "config": config}), 100, "evaluate")
    >>> [reply] = grid.send_and_receive([asked])
    >>> reply.content["metrics"]["num-examples"]
    200
    """
    settings = read_settings(context.run_config)
    made = federation(settings)
    client = made.clients[_partition(context, settings.num_clients)]
    x, y = client.x, client.y
    if "data" in context.node_config:
        x, y = own_samples(str(context.node_config["data"]))
    params = to_params(made.trainer, _arrays(message))
    accuracy = float(np.mean(made.trainer.predict(params, x) == y))
    metrics = MetricRecord({"num-examples": len(y), "main-task-accuracy": accuracy})
    return Message(RecordDict({"metrics": metrics}), reply_to=message)


def _arrays(message: Message) -> ArrayRecord:
    return message.content.array_records["arrays"]


def _round(message: Message) -> int:
    number = message.content.config_records["config"]["server-round"]
    if not isinstance(number, int):
        raise ValueError(f"server-round must be a number, not {number!r}")
    return number


def _partition(context: Context, n: int) -> int:
    """Say which client this node is: as its configuration has it, else by its own number."""
    given = context.node_config.get("partition-id", context.node_id % n)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < n:
        raise ValueError(
            f'partition-id must be from 0 to {n - 1}, not {given!r}: --node-config "partition-id=0"'
        )
    return given
