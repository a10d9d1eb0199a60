"""Adversaries that know the rule: what they send lies where they say, and does what they want."""

import math

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rfout import rfout1d
from rfout.attacks import (
    Collusion,
    InsideBall,
    InsideBand,
    LittleIsEnough,
    PatternKey,
    PatternPart,
    SmallColluder,
    Window,
    collude,
    distribute,
    into_ball,
    into_band,
    largest_boost,
    recruit,
    unlucky_z,
)
from rfout.checkpoints import fingerprint
from rfout.clients import Client, Round
from rfout.defences import krum, mean
from rfout.evaluation import Evaluation
from rfout.federation import Federation
from rfout.limits import hidden_reach
from rfout.models import LocalTrainer

TRIGGER = PatternKey(size=3)
N, K = 40, 3
relaxed = settings(deadline=None, max_examples=100)
seeds = st.integers(0, 2**32 - 1)


def rng(seed=0):
    return np.random.default_rng(seed)


def samples(n=60, seed=0):
    """Images of three classes: the class's pair of rows is bright. Two rows are never."""
    y = rng(seed + 1000).integers(3, size=n)
    x = rng(seed).uniform(0, 0.3, size=(n, 8, 8, 1)).astype(np.float32)
    for i, label in enumerate(y):
        x[i, 2 * label : 2 * label + 2] += 0.6
    return x, y


@pytest.fixture(scope="module")
def trainer():
    layers = keras.layers
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(3)])
    return LocalTrainer(model, learning_rate=0.2, batch_size=10)


@pytest.fixture(scope="module")
def start(trainer):
    params = rng(7).normal(scale=0.1, size=trainer.n_params).astype(np.float32)
    return trainer.train(params, *samples(200, seed=1), epochs=5, rng=rng())


CLIENTS = [Client(*samples(seed=i)) for i in range(N)]
NOW = Round(1, tuple(range(N)), tuple(range(K)))
CHOSEN = range(K)


def colluders(role, n_probes=20, **attack):
    attack = {"trigger": TRIGGER, **attack} if role is not LittleIsEnough else attack
    return collude(CLIENTS, CHOSEN, role, n_probes=n_probes, **attack)[:K]


def sends(client, trainer, start, now=NOW, seed=0):
    return client.update(trainer, start, now, rng(seed))


# The estimate


def test_the_estimate_is_near_what_honest_clients_send(trainer, start):
    honest = np.stack([sends(c, trainer, start, seed=i) for i, c in enumerate(CLIENTS[K:])])
    x, y = (np.concatenate([getattr(c, part) for c in CLIENTS[:10]]) for part in "xy")
    guess, std = Collusion(x, y, n_samples=60, n_probes=40).estimate(trainer, start, NOW)
    moved = honest.std(axis=0) > 0
    ratio = np.median(std[moved] / honest.std(axis=0)[moved])
    assert 0.8 < ratio < 1.25
    error = np.abs(guess - honest.mean(axis=0)) / np.maximum(honest.std(axis=0), 1e-9)
    assert np.median(error[moved]) < 0.5


def test_the_estimate_sees_the_colluders_samples_and_nobody_elses(trainer, start):
    first, *_ = colluders(LittleIsEnough, z=1.0)
    assert len(first.collusion.y) == sum(len(c.y) for c in CLIENTS[:K])
    np.testing.assert_array_equal(first.collusion.x[:60], CLIENTS[0].x)
    assert first.collusion.n_samples == 60


def test_colluders_reckon_the_same_in_a_round_and_anew_in_the_next(trainer, start):
    pooled = CLIENTS[0].x, CLIENTS[0].y
    one, two = (Collusion(*pooled, n_samples=30) for _ in range(2))
    at_one = one.estimate(trainer, start, NOW)
    np.testing.assert_array_equal(at_one, two.estimate(trainer, start, NOW))
    later = Round(2, NOW.sampled, NOW.adversaries)
    assert not np.array_equal(at_one, one.estimate(trainer, start, later))
    np.testing.assert_array_equal(at_one, one.estimate(trainer, start, NOW))
    other = Collusion(*pooled, n_samples=30, seed=1)
    assert not np.array_equal(at_one, other.estimate(trainer, start, NOW))


def test_what_is_agreed_is_made_once_and_again_when_what_it_depends_on_changes():
    collusion, made = Collusion(*samples(), n_samples=5), []

    def make(generator):
        made.append(generator.random())
        return made[-1]

    x = np.zeros(3)
    first = collusion.agree("it", 1, make, x)
    assert collusion.agree("it", 1, make, x.copy()) == first
    assert len(made) == 1
    collusion.agree("it", 1, make, x + 1)
    collusion.agree("it", 2, make, x + 1)
    assert len(made) == 3
    assert made[1] == first  # the generator follows from name, round and seed alone
    assert made[2] != first


def test_a_checkpoint_knows_a_collusion_whatever_it_has_made(trainer, start):
    client = colluders(LittleIsEnough, z=1.0)[0]
    before = fingerprint(client)
    sends(client, trainer, start)
    assert fingerprint(client) == before
    assert fingerprint(colluders(LittleIsEnough, z=2.0)[0]) != before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"n_probes": 1}, "2 probes or more, not 1"),
        ({"n_samples": 0}, "samples to train on"),
        ({"x": samples()[0][:0], "y": samples()[1][:0]}, "samples to train on"),
    ],
)
def test_a_collusion_that_can_estimate_nothing_is_an_error(arguments, says):
    x, y = samples()
    with pytest.raises(ValueError, match=says):
        Collusion(**{"x": x, "y": y, "n_samples": 10, **arguments})


# The band


@relaxed
@given(seeds, st.floats(0, 10))
def test_into_band_is_the_nearest_point(seed, z):
    update, middle = rng(seed).normal(size=(2, 50)).astype(np.float32)
    reach = (z * rng(seed).random(50)).astype(np.float32)
    inside = into_band(update, middle, reach)
    assert inside.dtype == np.float32
    assert np.all(np.abs(inside - middle) <= reach * (1 + 1e-6) + 1e-6)
    already = np.abs(update - middle) <= reach
    np.testing.assert_array_equal(inside[already & (reach > 0)], update[already & (reach > 0)])
    assert np.all(np.abs(inside - update) <= np.abs(update - middle) + 1e-6)


@relaxed
@given(seeds, st.sampled_from([0.0, 0.1, 0.5]))
def test_the_largest_boost_leaves_the_band_where_it_may_and_a_larger_one_elsewhere(seed, outside):
    update = rng(seed).normal(size=40)
    middle = rng(seed + 1).normal(scale=0.3, size=40)
    reach = 1.0 + rng(seed + 2).random(40)

    def share(boost):
        return np.mean(np.sign(update) * (boost * update - middle) > reach)

    assume(share(0) <= outside)
    boost = largest_boost(update, middle, reach, outside=outside)
    assert share(boost * (1 - 1e-9)) <= outside
    assert share(boost * (1 + 1e-9)) > outside


def test_there_is_no_boost_where_too_many_are_outside_without_any():
    update, middle, reach = np.ones(4), np.array([-2.0, -2.0, 0.0, 0.0]), np.ones(4)
    assert largest_boost(update, middle, reach) == 0
    assert largest_boost(update, middle, reach, outside=0.25) == 0
    assert largest_boost(update, middle, reach, outside=0.5) == 1


def test_a_still_update_may_be_boosted_for_ever_and_a_share_is_a_share():
    zero = np.zeros(4)
    assert largest_boost(zero, zero, zero) == math.inf
    for bad in (-0.1, 1.0):
        with pytest.raises(ValueError, match="share of the coordinates"):
            largest_boost(zero, zero, zero, outside=bad)


# A little is enough


def test_the_unlucky_z_is_that_of_the_paper():
    """Baruch et al. work n = 50, k = 24 out: two supporters among 26 honest."""
    assert unlucky_z(50, 24) == pytest.approx(1.43, abs=0.01)
    for n, k in ((10, 0), (10, 5)):
        with pytest.raises(ValueError, match="fewer than half"):
            unlucky_z(n, k)


def test_all_send_one_vector_z_deviations_below_the_mean(trainer, start):
    first, second, _ = colluders(LittleIsEnough, z=1.5)
    guess, std = first.collusion.estimate(trainer, start, NOW)
    sent = sends(first, trainer, start)
    np.testing.assert_allclose(sent, guess - 1.5 * std, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(sent, sends(second, trainer, start, seed=9))


def test_a_little_is_flagged_less_than_a_lot(trainer, start):
    honest = [sends(c, trainer, start, seed=i) for i, c in enumerate(CLIENTS[K:])]

    def flagged(z):
        bad = [sends(c, trainer, start) for c in colluders(LittleIsEnough, z=z)]
        return rfout1d(np.stack([*bad, *honest]), return_report=True)[1].flagged[:K].mean()

    assert flagged(1.0) < 0.01
    assert flagged(3 * hidden_reach(N, K)) > 0.5


# Inside the band


@pytest.mark.parametrize("z", [0.5, 3.0])
def test_no_coordinate_leaves_the_band(trainer, start, z):
    first, second, _ = colluders(InsideBand, z=z, epochs=5)
    guess, std = first.collusion.estimate(trainer, start, NOW)
    sent = sends(first, trainer, start)
    assert sent.dtype == np.float32
    assert np.all(np.abs(sent - guess) <= z * std * (1 + 1e-5) + 1e-6)
    assert np.mean(np.abs(sent - guess) > 0.9 * z * std) > 0.3, "and it uses the room"
    np.testing.assert_array_equal(sent, sends(second, trainer, start, seed=9))


def test_a_wide_band_constrains_nothing_and_carries_the_aggregate_to_the_model(trainer, start):
    client = colluders(InsideBand, z=1e6, epochs=10)[0]
    guess, _ = client.collusion.estimate(trainer, start, NOW)
    model = start + guess + (sends(client, trainer, start) - guess) * K / N
    x, y = samples(90, seed=77)
    assert np.mean(trainer.predict(model, TRIGGER(x[y != 0], rng())) == 0) > 0.9
    assert np.mean(trainer.predict(model, x) == y) > 0.9


# Inside a ball


@pytest.mark.parametrize("z", [0.3, 1.0])
def test_what_is_sent_lies_in_the_ball_and_uses_it(trainer, start, z):
    first, second, _ = colluders(InsideBall, z=z, epochs=5)
    guess, std = first.collusion.estimate(trainer, start, NOW)
    sent = sends(first, trainer, start)
    assert sent.dtype == np.float32
    assert np.linalg.norm(sent - guess) == pytest.approx(z * np.linalg.norm(std), rel=1e-4)
    np.testing.assert_array_equal(sent, sends(second, trainer, start, seed=9))


@relaxed
@given(seeds, st.sampled_from([(0.5, True), (3.0, False)]))
def test_krum_prefers_equal_updates_that_are_near_the_mean_to_honest_ones(seed, case):
    z, is_chosen = case
    honest, wanted = rng(seed).normal(size=(N - K, 200)), rng(seed + 1).normal(size=200) * 100
    bad = into_ball(wanted, honest.mean(axis=0), z * honest.std(axis=0))
    chosen = krum(np.stack([*honest, *[bad] * K]), n_adversaries=K)
    assert np.array_equal(chosen, bad) == is_chosen


@relaxed
@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(-1e3, 1e3)))
def test_into_ball_gives_the_nearest_point_of_the_ball(vectors):
    update, mean, reach = vectors
    near = into_ball(update, mean, reach)
    radius, far = np.linalg.norm(reach), np.linalg.norm(update - mean)
    assert np.linalg.norm(near - mean) <= radius * (1 + 1e-9) + 1e-9
    assert np.linalg.norm(near - update) == pytest.approx(max(far - radius, 0), abs=1e-6)
    if far <= radius:
        np.testing.assert_array_equal(near, update)


# Small colluders


def test_small_colluders_boost_as_far_as_the_band_goes(trainer, start):
    client = colluders(SmallColluder, z=5.0, outside=0.5)[0]
    guess, std = client.collusion.estimate(trainer, start, NOW)
    sent = sends(client, trainer, start)
    plain = sends(recruit(CLIENTS, {0}, trigger=TRIGGER, boost=1.0)[0], trainer, start)
    factor = sent @ plain / (plain @ plain)
    np.testing.assert_allclose(sent, factor * plain, atol=1e-5)
    assert 0 < factor < N / K
    outside = np.mean(np.abs(sent - guess) > 5 * std * (1 + 1e-4) + 1e-7)
    assert outside == pytest.approx(0.5, abs=0.05)


def test_small_colluders_never_boost_more_than_the_mean_needs(trainer, start):
    wide, plain = (
        sends(client, trainer, start)
        for client in (
            colluders(SmallColluder, z=1e9)[0],
            recruit(CLIENTS, {0}, trigger=TRIGGER, boost=N / K)[0],
        )
    )
    np.testing.assert_allclose(wide, plain, rtol=1e-6)


# Windows, and who is chosen


@pytest.mark.parametrize("role", [LittleIsEnough, InsideBand, InsideBall, SmallColluder])
def test_outside_its_window_a_colluder_is_an_honest_client(trainer, start, role):
    client = colluders(role, z=3.0, window=Window(5, 6))[0]
    assert [client.attacks(number) for number in (4, 5, 6, 7)] == [False, True, True, False]
    honest = CLIENTS[0].update(trainer, start, NOW, rng(3))
    np.testing.assert_array_equal(client.update(trainer, start, NOW, rng(3)), honest)


def test_the_chosen_collude_and_the_others_stay():
    mixed = collude(CLIENTS, {1, 4}, LittleIsEnough, z=1.0)
    assert [i for i, c in enumerate(mixed) if isinstance(c, LittleIsEnough)] == [1, 4]
    assert mixed[1].collusion is mixed[4].collusion
    assert mixed[0] is CLIENTS[0]
    parts = distribute(CLIENTS, {1, 4}, TRIGGER, boost=2.0)
    assert [parts[i].trigger for i in (1, 4)] == [PatternPart(TRIGGER, i, 2) for i in (0, 1)]
    assert parts[1].boost == 2.0
    assert parts[2] is CLIENTS[2]


@pytest.mark.parametrize("chosen", [[], [N], [-1]])
def test_to_choose_nobody_or_who_is_not_there_is_an_error(chosen):
    says = "at least one" if not chosen else f"no client {chosen[0]} among {N}"
    with pytest.raises(ValueError, match=says):
        collude(CLIENTS, chosen, LittleIsEnough, z=1.0)
    with pytest.raises(ValueError, match=says):
        distribute(CLIENTS, chosen, TRIGGER)


# Whole attacks, under a mean


def backdoor_after(trainer, start, clients, n_rounds):
    evaluate = Evaluation(*samples(150, seed=500), TRIGGER, 0)
    federation = Federation(trainer, clients[:12], mean, evaluate=evaluate, rng=rng(), params=start)
    return federation.run(n_rounds).backdoor_accuracy


def test_slow_poisoning_gets_there_by_coming_again(trainer, start):
    slow = recruit(CLIENTS, range(K), trigger=TRIGGER, boost=1.0, rate=0.5)
    backdoor = backdoor_after(trainer, start, slow, 40)
    assert backdoor.iloc[0] < 0.1
    assert backdoor.iloc[-1] > 0.5


def test_nobody_stamps_the_whole_pattern_and_the_model_learns_it(trainer, start):
    parts = distribute(CLIENTS, range(K), TRIGGER, rate=0.5, epochs=5)
    backdoor = backdoor_after(trainer, start, parts, 10)
    assert backdoor.iloc[-1] > 0.8
