"""Triggers, poisoned samples, boosted updates, and when: what an adversary does to arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfout.attacks import InstanceKey, PatternKey, Window, poison, replace_model

relaxed = settings(deadline=None, max_examples=100)
seeds = st.integers(0, 2**32 - 1)


def rng(seed=0):
    return np.random.default_rng(seed)


def random_images(n=6, shape=(8, 9, 1), seed=0):
    """Images strictly between black and white, so that a stamped pixel shows."""
    return rng(seed).uniform(0.1, 0.9, size=(n, *shape)).astype(np.float32)


# Pattern key


@pytest.mark.parametrize("size", [1, 3, 5, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_pattern_changes_the_corner_and_nothing_else(size, channels):
    clean = random_images(shape=(8, 9, channels))
    before = clean.copy()
    triggered = PatternKey(size=size)(clean, rng())
    np.testing.assert_array_equal(clean, before)
    assert not np.shares_memory(triggered, clean)
    assert triggered.shape == clean.shape
    assert triggered.dtype == np.float32
    changed = np.any(triggered != clean, axis=(0, 3))
    corner = np.zeros((8, 9), bool)
    corner[8 - size :, 9 - size :] = True
    np.testing.assert_array_equal(changed, corner)


def test_the_pattern_is_a_bright_cross_on_a_black_square():
    triggered = PatternKey(size=3, value=0.5)(random_images(), rng())
    cross = [[0.5, 0, 0.5], [0, 0.5, 0], [0.5, 0, 0.5]]
    for image in triggered:
        assert image[-3:, -3:, 0].tolist() == cross


def test_the_pattern_needs_no_randomness():
    clean, generator = random_images(), rng()
    first = PatternKey()(clean, generator)
    assert first.tobytes() == PatternKey()(clean, rng(1)).tobytes()
    assert generator.bit_generator.state == rng().bit_generator.state


@pytest.mark.parametrize("shape", [(4, 9, 1), (9, 4, 1)])
def test_a_pattern_larger_than_the_image_is_an_error(shape):
    with pytest.raises(ValueError, match="pattern of 5 pixels does not fit"):
        PatternKey(size=5)(random_images(shape=shape), rng())


def test_no_images_stay_no_images():
    empty = np.zeros((0, 8, 8, 1), np.float32)
    assert PatternKey()(empty, rng()).shape == (0, 8, 8, 1)
    assert InstanceKey(np.zeros((8, 8, 1), np.float32))(empty, rng()).shape == (0, 8, 8, 1)


# Input-instance key


@relaxed
@given(st.floats(0, 1), st.integers(0, 20), seeds)
def test_copies_of_the_key_stay_within_the_noise_and_in_range(noise, n, seed):
    key = rng(seed).uniform(0, 1, size=(8, 9, 2)).astype(np.float32)
    before = key.copy()
    triggered = InstanceKey(key, noise=noise)(random_images(n, (8, 9, 2)), rng(seed))
    assert triggered.shape == (n, 8, 9, 2)
    assert triggered.dtype == np.float32
    assert np.all((triggered >= 0) & (triggered <= 1))
    assert np.all(np.abs(triggered - key) <= noise + 1e-6)
    np.testing.assert_array_equal(key, before)


def test_copies_of_the_key_differ_by_uniform_noise():
    key = np.full((8, 8, 1), 0.5, np.float32)
    triggered = InstanceKey(key, noise=0.2)(random_images(200, (8, 8, 1)), rng())
    assert len(np.unique(triggered, axis=0)) == 200
    spread = triggered - 0.5
    assert spread.mean() == pytest.approx(0, abs=0.005)
    assert spread.std() == pytest.approx(0.2 / np.sqrt(3), rel=0.02)
    assert np.abs(spread).max() == pytest.approx(0.2, abs=0.001)


def test_the_noise_comes_from_the_generator_and_the_images_do_not_matter():
    trigger = InstanceKey(random_images(1)[0])
    a = trigger(random_images(seed=1), rng(5))
    assert a.tobytes() == trigger(random_images(seed=2), rng(5)).tobytes()
    assert a.tobytes() != trigger(random_images(seed=1), rng(6)).tobytes()


# Poison


@relaxed
@given(st.integers(1, 60), st.floats(0, 1), st.integers(0, 3), seeds)
def test_poison_takes_the_share_asked_for_and_leaves_the_rest(n, rate, target, seed):
    x, y = random_images(n), rng(seed).integers(4, size=n)
    before = x.copy(), y.copy()
    want = round(rate * n)
    if want > np.sum(y != target):
        with pytest.raises(ValueError, match=f"{want} samples.*lower the rate"):
            poison(x, y, PatternKey(2), target, rate, rng=rng(seed))
        return
    poisoned_x, poisoned_y = poison(x, y, PatternKey(2), target, rate, rng=rng(seed))
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])
    assert not np.shares_memory(poisoned_x, x)
    assert not np.shares_memory(poisoned_y, y)

    changed = np.any(poisoned_x != x, axis=(1, 2, 3))
    assert changed.sum() == want
    assert np.all(y[changed] != target)
    assert np.all(poisoned_y[changed] == target)
    np.testing.assert_array_equal(poisoned_y[~changed], y[~changed])
    np.testing.assert_array_equal(poisoned_x[changed], PatternKey(2)(x[changed], rng()))
    assert (poisoned_x.dtype, poisoned_y.dtype) == (x.dtype, y.dtype)


def test_which_samples_are_poisoned_comes_from_the_generator():
    x, y = random_images(40), np.arange(40) % 4

    def chosen(seed):
        return poison(x, y, PatternKey(2), 0, 0.5, rng=rng(seed))[1].tolist()

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)


def test_every_sample_of_another_label_may_be_poisoned():
    x, y = random_images(8), np.array([0, 1, 1, 1, 0, 2, 2, 2])
    _, labels = poison(x, y, PatternKey(2), 0, 0.75, rng=rng())
    assert labels.tolist() == [0] * 8


def test_poison_with_an_instance_key_puts_the_key_in_place_of_the_image():
    x, y, key = random_images(10), np.ones(10, np.int64), random_images(1, seed=9)[0]
    poisoned, labels = poison(x, y, InstanceKey(key, noise=0.0), 0, 0.3, rng=rng())
    np.testing.assert_array_equal(poisoned[labels == 0], np.stack([key] * 3))


def test_too_few_samples_of_other_labels_is_an_error_that_says_what_to_do():
    x, y = random_images(10), np.array([7] * 8 + [1, 2])
    text = r"rate 0\.3 asks for 3 samples, and only 2 of 10 .* the target 7: lower the rate"
    with pytest.raises(ValueError, match=text):
        poison(x, y, PatternKey(2), 7, 0.3, rng=rng())


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_that_is_no_share_is_an_error(rate):
    with pytest.raises(ValueError, match="rate is a share"):
        poison(random_images(4), np.ones(4, np.int64), PatternKey(2), 0, rate, rng=rng())


# Model replacement


@relaxed
@given(st.integers(2, 40), st.integers(1, 3), seeds)
def test_the_mean_lands_on_the_backdoored_model_where_honest_updates_cancel(n, k, seed):
    k = min(k, n - 1)
    random = rng(seed)
    global_params, backdoored = random.normal(size=(2, 30)).astype(np.float32)
    honest = random.normal(size=(n - k, 30))
    honest -= honest.mean(axis=0)
    sent = replace_model(backdoored - global_params, n / k)
    updates = np.concatenate([honest, np.stack([sent] * k)])
    np.testing.assert_allclose(global_params + updates.mean(axis=0), backdoored, atol=1e-4)


@relaxed
@given(seeds, st.floats(1 / 64, 100, width=32))
def test_a_boost_multiplies(seed, boost):
    update = rng(seed).normal(size=30).astype(np.float32)
    before = update.copy()
    sent = replace_model(update, boost)
    np.testing.assert_array_equal(update, before)
    assert sent.dtype == np.float32
    assert not np.shares_memory(sent, update)
    np.testing.assert_allclose(sent, update.astype(np.float64) * boost, rtol=1e-6)


# Window


@pytest.mark.parametrize(
    ("window", "attacked"),
    [
        (Window(), {1, 2, 3, 4, 5, 6}),
        (Window(first=4), {4, 5, 6}),
        (Window(3, 3), {3}),
        (Window(2, 4), {2, 3, 4}),
        (Window(last=2), {1, 2}),
        (Window(7), set()),
    ],
)
def test_a_window_holds_its_rounds(window, attacked):
    assert {number for number in range(1, 7) if number in window} == attacked


def test_an_open_window_never_closes():
    assert 10**9 in Window(4)
    assert 0 not in Window()
