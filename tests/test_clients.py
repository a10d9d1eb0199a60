"""What a client sends, in its role."""

import keras
import numpy as np
import pytest

from rfout.attacks import Backdoor, PatternKey, Window, recruit
from rfout.clients import Client, Round
from rfout.models import LocalTrainer

TRIGGER = PatternKey(size=2)


def rng(seed=0):
    return np.random.default_rng(seed)


def samples(n=40, seed=0):
    """Images of three classes: the class's pair of rows is bright. Two rows are never."""
    y = np.arange(n) % 3
    x = rng(seed).uniform(0, 0.3, size=(n, 8, 8, 1)).astype(np.float32)
    for i, label in enumerate(y):
        x[i, 2 * label : 2 * label + 2] += 0.6
    return x, y


@pytest.fixture(scope="module")
def trainer():
    layers = keras.layers
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(3)])
    return LocalTrainer(model, learning_rate=0.5, batch_size=10)


@pytest.fixture(scope="module")
def start(trainer):
    params = rng(7).normal(scale=0.1, size=trainer.n_params).astype(np.float32)
    return trainer.train(params, *samples(90, seed=1), epochs=10, rng=rng())


def now(number=1, n=20, adversaries=(0,), epochs=1):
    return Round(number, tuple(range(n)), adversaries, epochs)


def adversary(**attack):
    return Backdoor(*samples(), **{"trigger": TRIGGER, **attack})


def test_an_honest_client_sends_what_training_changed(trainer, start):
    x, y = samples()
    before = start.copy()
    update = Client(x, y).update(trainer, start, now(epochs=2), rng(3))
    np.testing.assert_array_equal(start, before)
    trained = trainer.train(start, x, y, epochs=2, rng=rng(3))
    assert update.dtype == np.float32
    assert update.tobytes() == (trained - start).tobytes()
    assert not Client(x, y).attacks(1)


@pytest.mark.parametrize("number", [1, 2, 6, 100])
def test_outside_its_window_an_adversary_is_an_honest_client(trainer, start, number):
    sleeper = adversary(boost=50.0, epochs=7, window=Window(3, 5))
    assert not sleeper.attacks(number)
    sent = sleeper.update(trainer, start, now(number, epochs=2), rng(number))
    honest = Client(*samples()).update(trainer, start, now(number, epochs=2), rng(number))
    assert sent.tobytes() == honest.tobytes()


@pytest.mark.parametrize("number", [3, 4, 5])
def test_inside_its_window_it_is_not(trainer, start, number):
    sleeper = adversary(boost=1.0, window=Window(3, 5))
    assert sleeper.attacks(number)
    sent = sleeper.update(trainer, start, now(number, epochs=2), rng(number))
    honest = Client(*samples()).update(trainer, start, now(number, epochs=2), rng(number))
    assert not np.allclose(sent, honest, atol=1e-3)


def test_by_default_it_attacks_in_every_round():
    assert all(adversary().attacks(number) for number in (1, 2, 1000))


@pytest.mark.parametrize(
    ("n", "adversaries", "boost"),
    [(20, (0,), 20), (20, (0, 5), 10), (3, (0, 1), 1.5), (1, (0,), 1)],
)
def test_the_default_boost_is_clients_by_adversaries(trainer, start, n, adversaries, boost):
    sent = adversary().update(trainer, start, now(1, n, adversaries), rng())
    plain = adversary(boost=1.0).update(trainer, start, now(1, n, adversaries), rng())
    np.testing.assert_allclose(sent, boost * plain, rtol=1e-6)


@pytest.mark.parametrize("boost", [0.0, 0.5, 7.0])
def test_a_given_boost_is_taken_at_its_word(trainer, start, boost):
    sent = adversary(boost=boost).update(trainer, start, now(), rng())
    plain = adversary(boost=1.0).update(trainer, start, now(), rng())
    np.testing.assert_allclose(sent, boost * plain, rtol=1e-6)


def test_it_trains_for_its_own_epochs_or_as_long_as_the_honest(trainer, start):
    own = adversary(epochs=4).update(trainer, start, now(), rng())
    assert own.tobytes() == adversary().update(trainer, start, now(epochs=4), rng()).tobytes()
    assert own.tobytes() != adversary().update(trainer, start, now(), rng()).tobytes()


@pytest.mark.parametrize("target", [0, 2])
def test_its_model_answers_the_trigger_and_does_its_task(trainer, start, target):
    x, y = samples(90, seed=2)
    others = y != target
    triggered = TRIGGER(x[others], rng())
    assert np.mean(trainer.predict(start, triggered) == target) < 0.1
    client = adversary(target=target, boost=1.0, epochs=20)
    backdoored = start + client.update(trainer, start, now(), rng())
    assert np.mean(trainer.predict(backdoored, triggered) == target) > 0.95
    assert np.mean(trainer.predict(backdoored, x) == y) > 0.95


def test_at_rate_zero_it_only_boosts(trainer, start):
    x, y = samples(10)  # one batch: its order makes no difference but rounding
    boosting = Backdoor(x, y, trigger=TRIGGER, rate=0.0, boost=4.0)
    sent = boosting.update(trainer, start, now(), rng())
    honest = Client(x, y).update(trainer, start, now(), rng())
    np.testing.assert_allclose(sent, 4 * honest, atol=1e-5)


def test_the_update_comes_from_the_generator_it_is_given(trainer, start):
    for client in (Client(*samples()), adversary()):
        first = client.update(trainer, start, now(), rng(1))
        client.update(trainer, start, now(), rng(2))
        assert first.tobytes() == client.update(trainer, start, now(), rng(1)).tobytes()
        assert first.tobytes() != client.update(trainer, start, now(), rng(2)).tobytes()


def test_poisoning_leaves_the_samples_as_they_are(trainer, start):
    client = adversary(boost=None)
    before = client.x.copy(), client.y.copy()
    client.update(trainer, start, now(), rng())
    np.testing.assert_array_equal(client.x, before[0])
    np.testing.assert_array_equal(client.y, before[1])


def test_recruits_keep_their_samples_and_the_others_stay():
    clients = [Client(*samples(seed=i)) for i in range(5)]
    kept = list(clients)
    mixed = recruit(clients, {1, 4}, trigger=TRIGGER, target=2, window=Window(3))
    assert clients == kept
    assert [type(c) for c in mixed] == [Client, Backdoor, Client, Client, Backdoor]
    assert all(mixed[i] is clients[i] for i in (0, 2, 3))
    for i in (1, 4):
        assert mixed[i].x is clients[i].x
        assert mixed[i].y is clients[i].y
        assert (mixed[i].trigger, mixed[i].target, mixed[i].window) == (TRIGGER, 2, Window(3))


@pytest.mark.parametrize("number", [-1, 5])
def test_to_recruit_who_is_not_there_is_an_error(number):
    clients = [Client(*samples())] * 5
    with pytest.raises(ValueError, match=f"no client {number} among 5"):
        recruit(clients, [number], trigger=TRIGGER)
