"""The in-process Grid: Flower's apps and strategies, node after node."""

import numpy as np
import pytest
from flower_messages import arrays, record
from flwr.app import Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp.strategy import FedAvg

from rfout.flower import InProcessGrid, RFOut1d

app = ClientApp()


@app.train()
def train(message, context):
    """Add the node's own number; node 2 fails."""
    i = context.node_config["partition-id"]
    if i == context.run_config.get("fails"):
        raise RuntimeError("no memory left")
    context.state["seen"] = MetricRecord(
        {"n": context.state["seen"]["n"] + 1 if "seen" in context.state else 1}
    )
    layers = {name: a + np.float32(i) for name, a in arrays(message.content["arrays"]).items()}
    metrics = MetricRecord({"num-examples": 1, "seen": context.state["seen"]["n"]})
    return Message(RecordDict({"arrays": record(layers), "metrics": metrics}), reply_to=message)


MODEL = {"w": np.zeros(3, np.float32)}


def run(strategy, grid, rounds=3):
    return strategy.start(grid=grid, initial_arrays=record(MODEL), num_rounds=rounds)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("strategy", [FedAvg, RFOut1d])
def test_any_strategy_runs_and_nodes_keep_their_state(strategy, workers):
    result = run(strategy(fraction_evaluate=0.0), InProcessGrid(app, 13, workers=workers))
    np.testing.assert_allclose(result.arrays["w"].numpy(), 3 * 6.0, rtol=1e-5)
    seen = [result.train_metrics_clientapp[i]["seen"] for i in (1, 2, 3)]
    assert seen == pytest.approx([1, 2, 3])


def test_a_client_that_fails_answers_with_an_error():
    grid = InProcessGrid(app, 13, run_config={"fails": 2})
    result = run(RFOut1d(fraction_evaluate=0.0), grid, 1)
    numbers = result.train_metrics_clientapp[1]
    assert (numbers["replies"], numbers["dropped-node-ids"]) == (12, [102])
    np.testing.assert_allclose(result.arrays["w"].numpy(), (78 - 2) / 12, rtol=1e-6)


def test_messages_are_pulled_once():
    grid = InProcessGrid(app, 2)
    content = RecordDict({"arrays": record(MODEL)})
    names = grid.push_messages([grid.create_message(content, "train", 100, "1")])
    (reply,) = grid.pull_messages(names)
    assert reply.metadata.reply_to_message_id == names[0]
    assert reply.metadata.src_node_id == 100
    assert grid.pull_messages(names) == []


def test_nodes_have_their_own_configuration():
    grid = InProcessGrid(app, 2, node_configs=[{"partition-id": 5}, {"partition-id": 7}])
    messages = [
        grid.create_message(RecordDict({"arrays": record(MODEL)}), "train", n, "")
        for n in grid.get_node_ids()
    ]
    found = [reply.content["arrays"]["w"].numpy()[0] for reply in grid.send_and_receive(messages)]
    assert found == [5, 7]
    assert grid.run.run_id == grid.server_context().run_id


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((app, 0), "at least one"), ((app, 2, [{}]), "1 node configurations for 2")],
)
def test_a_grid_that_cannot_be(arguments, says):
    with pytest.raises(ValueError, match=says):
        InProcessGrid(*arguments[:2], node_configs=(arguments[2:] or [None])[0])
