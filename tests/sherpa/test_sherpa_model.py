"""The book's model in the framework: one trainer, and the same federation as in-process."""

import copy

import keras
import numpy as np
import pytest

from rfout import rfout1d
from rfout.attacks import PatternKey, Window, recruit
from rfout.clients import Client
from rfout.evaluation import Evaluation
from rfout.federation import Federation
from rfout.models import LocalTrainer
from rfout.sherpa import LocalModel, RFOut1d


@pytest.fixture(scope="module")
def trainer():
    first = keras.initializers.GlorotUniform(3)
    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten()]
    layers += [keras.layers.Dense(3, kernel_initializer=first, name="logits")]
    return LocalTrainer(keras.Sequential(layers), batch_size=8)


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    x = [rng.random((20, 4, 4, 1), np.float32) for _ in range(12)]
    return x, [rng.integers(0, 3, 20) for _ in range(12)]


def same(a, b):
    for one, two in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, two)


def test_layers_come_and_go_in_the_models_shapes(trainer):
    model = LocalModel(trainer, seed=1)
    layers = model.get_model_params()
    assert [layer.shape for layer in layers] == list(trainer.layers.values())
    model.set_model_params([layer + 1 for layer in layers])
    same(model.get_model_params(), [layer + 1 for layer in layers])
    assert {layer.dtype for layer in model.get_model_params()} == {np.dtype(np.float32)}


def test_a_copy_has_parameters_of_its_own_and_shares_the_trainer(trainer, parts):
    model = LocalModel(trainer, seed=1, epochs=2)
    one, two, three = (copy.deepcopy(model) for _ in range(3))
    one.train(parts[0][0], parts[1][0])
    three.train(parts[0][0], parts[1][0])
    same(two.get_model_params(), model.get_model_params())
    assert one._trainer is trainer
    for number, trained in enumerate((one, three)):  # they train in this order
        rng = np.random.default_rng([1, 1, number])
        by_hand = trainer.train(trainer.initial_params, parts[0][0], parts[1][0], epochs=2, rng=rng)
        same(trained.get_model_params(), trainer.unflatten(by_hand).values())


def test_a_later_start_goes_on_with_the_next_round(trainer, parts):
    model = LocalModel(trainer, seed=1, params=trainer.initial_params, rounds_done=5)
    model.train(parts[0][0], parts[1][0])
    rng = np.random.default_rng([1, 6, 0])
    by_hand = trainer.train(trainer.initial_params, parts[0][0], parts[1][0], rng=rng)
    same(model.get_model_params(), trainer.unflatten(by_hand).values())


def test_measures_are_the_main_task_accuracy(trainer, parts):
    model = LocalModel(trainer, seed=1, params=trainer.initial_params * 2)
    x, y = parts[0][0], parts[1][0]
    expected = float(np.mean(trainer.predict(trainer.initial_params * 2, x) == y))
    assert model.evaluate(x, y) == [expected]
    assert model.performance(x, y) == expected


ATTACK = {"trigger": PatternKey(size=3), "rate": 0.3, "boost": 12.0, "epochs": 2}


@pytest.mark.parametrize("attacked", [False, True])
def test_framework_and_federation_in_process_are_one_to_the_bit(
    api, trainer, parts, attacked, capsys
):
    """Same seed, same rounds: whoever calls the clients, and in whatever order of steps."""
    honest = [Client(x, y) for x, y in zip(*parts, strict=True)]
    clients = recruit(honest, {5}, **ATTACK, window=Window(2)) if attacked else honest
    model = LocalModel(trainer, seed=42, roles={5: clients[5]} if attacked else None)
    aggregator = RFOut1d(start=model.get_model_params())
    rounds, params = api.govern(model, api.federate(*parts), aggregator)
    federation = Federation(
        trainer,
        clients,
        rfout1d,
        evaluate=Evaluation(parts[0][0], parts[1][0]),
        rng=np.random.default_rng(0),
    )
    federation.seed = 42
    for _ in range(3):
        rounds(1, parts[0][0], parts[1][0])
        federation.step()
        same(params(), trainer.unflatten(federation.params).values())
        assert params()[0].dtype == np.float32
    assert capsys.readouterr().out
    assert not np.array_equal(federation.params, trainer.initial_params)
    assert (aggregator.reports[-1].flagged.argmax() == 5) == attacked
