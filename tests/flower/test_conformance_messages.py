"""What any robust FedAvg owes to Flower, on real messages in a run of its apps."""

import numpy as np
import pytest
from flower_messages import arrays, grid, record
from flwr.app import ConfigRecord, Message, MessageType, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp.strategy import FedAvg, FedProx
from test_conformance_mocks import ROBUST

from rfout.flower import InProcessGrid

MODEL = {"w": np.zeros(4, np.float32), "b": np.zeros((), np.float32)}
seen = []
client = ClientApp()


@client.train()
def train(message, context):
    """One step of 1, and a note of what came."""
    seen.append(message)
    key, config = next(iter(message.content.array_records)), message.content.config_records
    layers = {name: a + np.float32(1) for name, a in arrays(message.content[key]).items()}
    claims = MetricRecord({"num-examples": 3, "seen": len(config)})
    return Message(RecordDict({"mine": record(layers), "m": claims}), reply_to=message)


@client.evaluate()
def evaluate(message, context):
    seen.append(message)
    w = arrays(next(iter(message.content.array_records.values())))["w"]
    claims = MetricRecord({"num-examples": 3, "w": float(w[0]), "node": context.node_id})
    return Message(RecordDict({"m": claims}), reply_to=message)


@pytest.fixture(params=[*ROBUST, "FedAvg"])
def strategy(request):
    """Flower's own is among them: the suite asks for nothing that it does not do."""
    seen.clear()
    return {**ROBUST, "FedAvg": lambda **settings: FedAvg(**settings)}[request.param]


def configured(made, which="train", n=20):
    configure = getattr(made, f"configure_{which}")
    return list(configure(3, record(MODEL), ConfigRecord({"lr": 0.1}), grid(n)))


@pytest.mark.parametrize("which", ["train", "evaluate"])
@pytest.mark.parametrize(
    ("fraction", "least", "want"), [(1.0, 2, 20), (0.5, 2, 10), (0.26, 2, 5), (0.01, 7, 7)]
)
def test_a_share_of_the_nodes_is_asked(strategy, which, fraction, least, want):
    made = strategy(**{f"fraction_{which}": fraction, f"min_{which}_nodes": least})
    asked = [message.metadata.dst_node_id for message in configured(made, which)]
    assert len(asked) == len(set(asked)) == want
    assert set(asked) <= set(grid(20).get_node_ids())


@pytest.mark.parametrize("which", ["train", "evaluate"])
def test_a_share_of_0_asks_nobody(strategy, which):
    assert configured(strategy(**{f"fraction_{which}": 0.0}), which) == []


@pytest.mark.parametrize("which", ["train", "evaluate"])
def test_messages_carry_model_and_configuration(strategy, which):
    made = strategy(arrayrecord_key="model", configrecord_key="settings")
    message = configured(made, which)[0]
    kinds = {"train": MessageType.TRAIN, "evaluate": MessageType.EVALUATE}
    assert message.metadata.message_type == kinds[which]
    assert {k: a.data for k, a in message.content["model"].items()} == {
        k: a.data for k, a in record(MODEL).items()
    }
    settings = message.content["settings"]
    assert (settings["lr"], settings["server-round"]) == (0.1, 3)


def test_a_run_trains_evaluates_and_tells(strategy):
    measured = []

    def measure(server_round, found):
        measured.append((server_round, float(arrays(found)["w"][0])))
        return MetricRecord({"w": measured[-1][1]})

    result = strategy().start(
        InProcessGrid(client, 12),
        record(MODEL),
        num_rounds=3,
        train_config=ConfigRecord({"lr": 0.5}),
        evaluate_fn=measure,
    )
    for layer in arrays(result.arrays).values():
        np.testing.assert_allclose(layer, 3, rtol=1e-6)
    assert measured == [(i, pytest.approx(i)) for i in range(4)]
    assert list(result.train_metrics_clientapp) == [1, 2, 3]
    assert result.train_metrics_clientapp[2]["seen"] == 1
    assert result.evaluate_metrics_clientapp[3]["w"] == pytest.approx(3)
    assert result.evaluate_metrics_clientapp[3]["node"] == pytest.approx(105.5)
    assert [m["w"] for m in result.evaluate_metrics_serverapp.values()] == [
        pytest.approx(i) for i in range(4)
    ]
    assert {message.content["config"].get("lr") for message in seen[:12]} == {0.5}


def test_an_evaluation_that_gives_nothing_is_left_out(strategy):
    result = strategy(fraction_evaluate=0.0).start(
        InProcessGrid(client, 12), record(MODEL), num_rounds=2, evaluate_fn=lambda *_: None
    )
    assert result.evaluate_metrics_serverapp == result.evaluate_metrics_clientapp == {}


def test_the_settings_are_in_the_summary(strategy, flower_log):
    strategy(fraction_train=0.25, weighted_by_key="samples").summary()
    assert "train (0.25)" in flower_log.text
    assert "Weighted by: 'samples'" in flower_log.text


def test_a_parents_configuration_goes_along(flower_log):
    message = configured(ROBUST["over FedProx"]())[0]
    assert message.content["config"]["proximal-mu"] == 0.1
    assert isinstance(ROBUST["over FedProx"](), FedProx)
