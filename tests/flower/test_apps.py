"""The book's experiment as Flower apps: the same rounds as rfout.federation's, to the bit."""

import tomllib
from dataclasses import asdict
from functools import partial

import numpy as np
import pytest
from flower_messages import grid, record
from flwr.app import ConfigRecord, Message, RecordDict
from flwr.serverapp import strategy as flowers
from flwr.serverapp.exception import AggregationError

from rfout import rfout1d
from rfout.flower import InProcessGrid, RFOut1d, client_app, server_app
from rfout.flower.experiment import federation, to_params, to_record
from rfout.flower.settings import Settings, read_settings

N = 12
ATTACKED = {
    "num-server-rounds": 3,
    "num-clients": N,
    "adversaries": "0",
    "attack-from": 2,
    "attack-epochs": 2,
    "sends": "updates",
}


def in_process(tmp_path, config, n_nodes=N):
    """Run the apps; gives the server's context and the model after every round."""
    config = {**config, "result-file": str(tmp_path / "result.npz")}
    found = InProcessGrid(client_app.app, n_nodes, run_config=config)
    context = found.server_context()
    server_app.app(found, context)
    with np.load(config["result-file"]) as file:
        return context, file["params"]


def by_hand(config):
    """The same rounds of rfout.federation."""
    made = federation(read_settings(config)).fork(aggregator=partial(rfout1d, return_report=True))
    params = [made.params]
    for _ in made.rounds(config["num-server-rounds"]):
        params.append(made.params)
    return made, np.stack(params)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    return in_process(tmp_path_factory.mktemp("attacked"), ATTACKED), by_hand(ATTACKED)


def test_flower_and_the_federation_give_the_same_rounds(attacked):
    (_, found), (_, want) = attacked
    assert found.shape == want.shape == (4, want.shape[1])
    assert not np.array_equal(want[0], want[3])
    np.testing.assert_allclose(found, want, rtol=1e-6, atol=1e-8)


def test_and_the_same_history(attacked):
    (context, _), (made, _) = attacked
    for row in made.history.to_dict("records"):
        numbers = context.state[f"train-{row['round']}"]
        np.testing.assert_allclose(numbers["flagged-share"], row["flagged"], atol=1e-6)
        measured = context.state[f"evaluate-{row['round']}"]
        assert measured["main-task-accuracy"] == pytest.approx(row["main_task_accuracy"])
        assert measured["backdoor-accuracy"] == pytest.approx(row["backdoor_accuracy"])
    assert numbers["flagged-share"][0] > 0.5 > max(numbers["flagged-share"][1:])


def test_parameters_say_the_same_in_a_round_to_rounding(tmp_path):
    """Parameters round the updates away from zero's neighbourhood: seldom does a flag flip."""
    config = {**ATTACKED, "num-server-rounds": 1, "sends": "parameters", "adversaries": ""}
    _, found = in_process(tmp_path, config)
    _, want = by_hand(config)
    assert np.mean(~np.isclose(found[1], want[1], rtol=1e-5, atol=1e-6)) < 1e-3
    np.testing.assert_allclose(found[1], want[1], atol=1e-2)


def test_one_model_a_process(attacked):
    made = federation(read_settings(ATTACKED))
    other = {**ATTACKED, "strategy": "fedavg", "sends": "parameters"}
    assert federation(read_settings(other)).trainer is made.trainer


def message(config, params, number=1, kind="train"):
    trainer = federation(read_settings(config)).trainer
    content = {
        "arrays": to_record(trainer, params),
        "config": ConfigRecord({"server-round": number}),
    }
    return Message(RecordDict(content), 100, kind)


def ask(config, node_config, kind="train"):
    params = federation(read_settings(config)).params
    found = InProcessGrid(client_app.app, 1, run_config=config, node_configs=[node_config])
    return found.send_and_receive([message(config, params, kind=kind)])[0]


def test_a_node_trains_on_its_own_file(tmp_path, flower_log):
    made = federation(read_settings(ATTACKED))
    client = made.clients[3]
    np.savez(tmp_path / "mine.npz", x=client.x[:40], y=client.y[:40])
    reply = ask(ATTACKED, {"partition-id": 3, "data": str(tmp_path / "mine.npz")})
    assert reply.content["metrics"]["num-examples"] == 40
    assert "round 1: client 3 trained on 40 images" in flower_log.text
    measured = ask(ATTACKED, {"partition-id": 3, "data": str(tmp_path / "mine.npz")}, "evaluate")
    assert 0 <= measured.content["metrics"]["main-task-accuracy"] <= 1


@pytest.mark.parametrize(
    ("node_config", "says"),
    [
        ({"partition-id": 99}, "partition-id must be from 0 to 11, not 99"),
        ({"partition-id": "one"}, "partition-id must be"),
        ({"data": "nowhere.npz"}, "data=nowhere.npz: not a .npz file"),
    ],
)
def test_a_node_that_is_set_up_wrongly_says_so(node_config, says):
    reply = ask(ATTACKED, node_config)
    assert reply.has_error()
    assert says in reply.error.reason


def test_a_file_of_something_else(tmp_path):
    np.savez(tmp_path / "flat.npz", x=np.zeros((4, 784)), y=np.zeros(4))
    assert "shape (4, 784)" in ask(ATTACKED, {"data": str(tmp_path / "flat.npz")}).error.reason


def test_layers_have_names_and_come_back():
    trainer = federation(read_settings(ATTACKED)).trainer
    params = np.arange(trainer.n_params, dtype=np.float32)
    sent = to_record(trainer, params)
    assert set(sent) == set(trainer.layers)
    np.testing.assert_array_equal(to_params(trainer, sent), params)


# Settings


def test_flwr_run_runs_the_books_experiment_with_all_its_clients(root):
    """Attacked and defended; what else can be set has its default."""
    app = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["flwr"]["app"]
    assert {name.replace("_", "-") for name in asdict(Settings())} == set(app["config"])
    given = read_settings(app["config"])
    assert given.min_nodes == given.num_clients == 20
    assert (given.strategy, given.attackers) == ("rfout1d", [0])
    own = {"num_server_rounds", "min_nodes", "adversaries"}
    assert {
        name for name, value in asdict(given).items() if value != asdict(Settings())[name]
    } == own


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"rounds": 3}, "there is no setting 'rounds'; there are num-server-rounds"),
        ({"seed": "one"}, "seed must be of type int"),
        ({"seed": True}, "seed must be"),
        ({"strategy": "best"}, "strategy must be one of rfout1d, fedavg"),
        ({"num-clients": 0}, "num-clients must be positive"),
        ({"adversaries": "0,1"}, "adversaries must be numbers from 0 to 19"),
        ({"adversaries": "20"}, "adversaries must be numbers"),
        ({"strategy": "krum", "sends": "updates"}, "krum takes parameters"),
    ],
)
def test_settings_that_cannot_be(config, says):
    with pytest.raises(ValueError, match=says):
        read_settings(config)


@pytest.mark.parametrize("name", ["rfout1d", "fedavg", "krum"])
def test_every_strategy_gives_up_on_nodes_that_do_not_come(name):
    """Flower's own would wait for ever."""
    settings = read_settings({"strategy": name, "min-nodes": 3, "node-timeout": 0.2})
    made = server_app.make_strategy(settings)
    with pytest.raises(AggregationError, match=r"gave up: 2 of 3 nodes after 0\.2 s"):
        made.start(grid(2), record({"w": np.zeros(2)}), num_rounds=1)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rfout1d", RFOut1d),
        ("fedavg", flowers.FedAvg),
        ("fedmedian", flowers.FedMedian),
        ("fedtrimmedavg", flowers.FedTrimmedAvg),
        ("krum", flowers.Krum),
        ("multikrum", flowers.MultiKrum),
        ("bulyan", flowers.Bulyan),
    ],
)
def test_a_strategy_by_its_name(name, kind):
    made = server_app.make_strategy(read_settings({"strategy": name, "adversaries": "1 3"}))
    assert type(made) is kind
    assert getattr(made, "num_malicious_nodes", 2) == 2
    assert len(list(made.configure_train(1, record({}), ConfigRecord(), grid(3)))) == 3
