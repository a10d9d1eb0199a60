"""RFOut1d with the rest of Flower: server optimisers, differential privacy, the older API."""

import flwr.server
import numpy as np
import pytest
from flower_messages import app, arrays, record, run
from flwr.app import MetricRecord, RecordDict
from flwr.clientapp.mod import LocalDpMod, adaptiveclipping_mod, fixedclipping_mod
from flwr.server import LegacyContext, ServerConfig
from flwr.server.workflow import DefaultWorkflow, SecAggPlusWorkflow
from flwr.serverapp import strategy as flowers

from rfout.flower import InProcessGrid, RFOut1d

# A model with BatchNorm's counter, as PyTorch has it.
MODEL = {
    "w": np.zeros(4, np.float32),
    "bn.mean": np.zeros(2, np.float32),
    "bn.num_batches_tracked": np.asarray(0, np.int64),
}
OPTIMISERS = ("FedAdam", "FedYogi", "FedAdagrad", "FedAvgM", "FedProx")
SETTINGS = {
    "FedAvgM": {"server_learning_rate": 0.5, "server_momentum": 0.9},
    "FedProx": {"proximal_mu": 0.1},
}


def train(i, layers):
    """Towards 1; client 0 shouts. A counter is a whole number, whatever the server made of it."""
    sent = {name: np.float32(a + 0.5 * (1 - a)) for name, a in layers.items()}
    sent["bn.num_batches_tracked"] = np.rint(layers["bn.num_batches_tracked"]).astype(np.int64) + 3
    if i == 0:
        sent["w"] = sent["w"] + np.float32(10)
    return sent


@pytest.mark.parametrize("name", OPTIMISERS)
def test_an_optimiser_over_the_filtered_mean(name):
    """As over a mean of the honest replies, in every round, a counter of batches included."""
    flower = getattr(flowers, name)
    robust = type("Robust", (flower, RFOut1d), {})
    given = {"fraction_evaluate": 0.0, **SETTINGS.get(name, {})}
    made = robust(threshold=2.5, **given)
    assert made.rule.threshold == 2.5
    found = run(made, train, MODEL, n=13, rounds=4)
    assert [m["replies"] for m in found.train_metrics_clientapp.values()] == [13] * 4
    assert min(m["flagged-share"][0] for m in found.train_metrics_clientapp.values()) > 0.5
    calm = run(flower(**given), lambda i, a: train(i + 1, a), MODEL, n=13, rounds=4)
    for layer in ("w", "bn.mean"):
        # The one that shouts leaves a thirteenth squared of what it has sent.
        np.testing.assert_allclose(
            arrays(found.arrays)[layer],
            arrays(calm.arrays)[layer],
            atol=0.5 if layer == "w" else 1e-5,
        )
        assert abs(arrays(found.arrays)[layer]).max() > 0


def test_a_class_of_such_a_class_has_all_settings_too():
    class Robust(flowers.FedAdam, RFOut1d):
        pass

    class Named(Robust):
        pass

    made = Named(eta=0.5, threshold=2.0, max_empty_rounds=3)
    assert (made.eta, made.rule.threshold, made.max_empty_rounds) == (0.5, 2.0, 3)


def test_fedprox_may_also_be_under():
    class Robust(RFOut1d, flowers.FedProx):
        pass

    made = Robust(threshold=2.0, proximal_mu=0.3, fraction_evaluate=0.0)
    assert (made.rule.threshold, made.proximal_mu) == (2.0, 0.3)
    assert run(made, train, MODEL).train_metrics_clientapp[2]["replies"] == 12


@pytest.mark.parametrize("name", ["FedAdam", "FedYogi", "FedAdagrad", "FedAvgM"])
def test_the_wrong_order_is_refused_with_the_right_one(name):
    with pytest.raises(TypeError, match=rf"would never call {name}: write class X\({name}, RFOut"):
        type("X", (RFOut1d, getattr(flowers, name)), {})


@pytest.mark.parametrize("name", ["FedMedian", "Krum", "FedTrimmedAvg", "Bulyan", "FedXgbBagging"])
def test_two_aggregations_are_refused(name):
    flower = getattr(flowers, name)
    for bases in (RFOut1d, flower), (flower, RFOut1d):
        with pytest.raises(
            TypeError, match=f"{name if name != 'Krum' else '.*Krum'} has an aggreg"
        ):
            type("X", bases, {})


def test_a_strategy_of_ones_own_on_top():
    class Saving(RFOut1d):
        def __init__(self, path, **settings):
            super().__init__(**settings)
            self.path, self.saved = path, 0

        def aggregate_train(self, server_round, replies):
            found = super().aggregate_train(server_round, replies)
            self.saved += 1
            return found

    made = Saving("here", threshold=2.0, fraction_evaluate=0.0)
    run(made, train, MODEL)
    assert (made.saved, made.rule.threshold) == (2, 2.0)


# Differential privacy

NAMES = [
    f"DifferentialPrivacy{side}Side{kind}Clipping"
    for side in ("Server", "Client")
    for kind in ("Fixed", "Adaptive")
]


@pytest.mark.parametrize("name", NAMES)
def test_differential_privacy_around_it(name):
    fixed = {"clipping_norm": 50.0} if "Fixed" in name else {}
    made = getattr(flowers, name)(
        RFOut1d(fraction_evaluate=0.0), noise_multiplier=1e-4, num_sampled_clients=12, **fixed
    )
    mod = fixedclipping_mod if "Fixed" in name else adaptiveclipping_mod
    client = app(lambda i, layers: {"w": layers["w"] + np.float32(1)})
    nodes = InProcessGrid((lambda m, c: mod(m, c, client)) if "Client" in name else client, 12)
    result = made.start(nodes, record({"w": np.zeros(4, np.float32)}), num_rounds=3)
    assert 0.05 < arrays(result.arrays)["w"].mean() < 3.1


def test_local_differential_privacy():
    mod = LocalDpMod(clipping_norm=10.0, sensitivity=1e-3, epsilon=10.0, delta=1e-5)
    client = app(lambda i, layers: {"w": layers["w"] + np.float32(1)})
    nodes = InProcessGrid(lambda m, c: mod(m, c, client), 12)
    result = RFOut1d(fraction_evaluate=0.0).start(
        nodes, record({"w": np.zeros(4, np.float32)}), num_rounds=2
    )
    np.testing.assert_allclose(arrays(result.arrays)["w"], 2, atol=0.1)


# The clients' metrics


def metrics_of(combine, sent):
    """What a run's first round and evaluation say, if client i has the metrics `sent(i)`."""

    def content(i, layers):
        metrics = MetricRecord({"num-examples": 1, **sent(i)})
        return RecordDict({"arrays": record(layers), "metrics": metrics})

    made = RFOut1d(fraction_evaluate=0.0, train_metrics_aggr_fn=combine)
    return run(made, content, {"w": np.zeros(2)}, rounds=1).train_metrics_clientapp[1]


def test_a_function_of_ones_own_may_give_nothing():
    found = metrics_of(lambda contents, key: None, lambda i: {"loss": 1.0})
    assert found["replies"] == 12
    assert "loss" not in found


def test_one_client_cannot_end_the_run_in_a_function_of_ones_own():
    def mean_loss(contents, key):
        return MetricRecord({"loss": np.mean([c["metrics"]["loss"] for c in contents]).item()})

    strange = [{}, {"loss": [1.0, 2.0]}, {"loss": 1.0, "more": 5}]
    found = metrics_of(mean_loss, lambda i: strange[i] if i < 3 else {"loss": float(i)})
    assert found["loss"] == pytest.approx(np.mean(range(3, 12)))
    assert found["replies"] == 12


def test_metrics_that_are_lists_are_kept():
    """The median of each entry, of those who send a list of the usual length."""

    def sent(i):
        return {"by-class": [0.1 * i, 5.0] if i else [1e9], "often": 2 if i % 3 else [2]}

    found = metrics_of(None, sent)
    assert found["by-class"] == pytest.approx([0.6, 5.0])
    assert found["often"] == 2


# The older API


def test_the_older_api_is_told_what_to_call():
    match = r"call strategy\.start\(grid, initial_arrays, num_rounds=...\).*secure aggregation"
    nobody = flwr.server.SimpleClientManager()
    server = flwr.server.Server(client_manager=nobody, strategy=RFOut1d())
    with pytest.raises(TypeError, match=match):
        server.fit(num_rounds=1, timeout=1)
    components = flwr.server.ServerAppComponents(
        strategy=RFOut1d(), config=ServerConfig(num_rounds=1)
    )
    nodes = InProcessGrid(app(train), 2)
    with pytest.raises(TypeError, match=match):
        flwr.server.ServerApp(server_fn=lambda context: components)(nodes, nodes.server_context())


def test_secure_aggregations_workflow_is_told_too():
    nodes = InProcessGrid(app(train), 2)
    own = nodes.server_context()
    legacy = LegacyContext(own, config=ServerConfig(num_rounds=1), strategy=RFOut1d())
    with pytest.raises(TypeError, match="no filter works under secure aggregation"):
        DefaultWorkflow(fit_workflow=SecAggPlusWorkflow(3, 2))(nodes, legacy)
