"""Messages as a strategy gets them, made by hand."""

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Error, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from rfout.flower import InProcessGrid, RFOut1d

MODEL = {"w": np.zeros(8, np.float32)}


def record(layers):
    return ArrayRecord({name: Array(np.asarray(layer)) for name, layer in layers.items()})


def arrays(found):
    return {name: array.numpy() for name, array in found.items()}


def grid(n):
    """Nodes that nobody calls; making it gives this process the identity of a run."""
    return InProcessGrid(ClientApp(), n)


def reply(node, layers, metrics=None):
    """What `node` sends: layers, or an ArrayRecord, a whole content or an error."""
    asked = Message(RecordDict(), node, "train")
    if isinstance(layers, (RecordDict, Error)):
        return Message(layers, reply_to=asked)
    sent = layers if isinstance(layers, ArrayRecord) else record(layers)
    metrics = MetricRecord({"num-examples": 10} if metrics is None else metrics)
    return Message(RecordDict({"arrays": sent, "metrics": metrics}), reply_to=asked)


def replies(clients, metrics=None):
    nodes = grid(len(clients)).get_node_ids()
    return [reply(node, layers, metrics) for node, layers in zip(nodes, clients, strict=True)]


def app(train, metrics=None):
    """A ClientApp: node i replies with ``train(i, layers)``, or with the content that it gives."""
    made = ClientApp()

    @made.train()
    def reply_to(message, context):
        sent = train(context.node_config["partition-id"], arrays(message.content["arrays"]))
        if not isinstance(sent, RecordDict):
            claims = MetricRecord({"num-examples": 1, **(metrics or {})})
            sent = RecordDict({"arrays": record(sent), "metrics": claims})
        return Message(sent, reply_to=message)

    return made


def run(strategy, train, model, n=12, rounds=2, **start):
    """The result of a run in this process; the evaluation is left out."""
    nodes = InProcessGrid(train if isinstance(train, ClientApp) else app(train), n)
    return strategy.start(nodes, record(model), num_rounds=rounds, **start)


def configured(strategy, model, n):
    """Let the strategy send the model to all nodes; gives what it sent."""
    return list(strategy.configure_train(1, record(model), ConfigRecord(), grid(n)))


def strategy(**settings):
    """Make one that only trains."""
    return RFOut1d(fraction_evaluate=0.0, **settings)


def bad_nodes(i, layers):
    """Node 2 shouts, node 3 sends nonsense, node 4 fails."""
    if i == 4:
        raise RuntimeError("no memory")
    if i == 3:
        return {"w": np.full(8, np.nan, np.float32)}
    return {"w": layers["w"] + np.float32(1e6 if i == 2 else 1)}
