"""Training, data and attack of the page, against NumPy and the package."""

import numpy as np
import pytest
from oracle_mlp import epoch, logits

from rfout.attacks import PatternKey
from rfout.datasets import load

DRIVER = "../../../tests/play/driver.mjs"
SGD = {"learningRate": 0.1, "batchSize": 10}


def test_steps_of_training_are_those_of_the_oracle(script):
    rng = np.random.default_rng(0)
    images = np.where(rng.random((25, 196)) < 0.3, rng.random((25, 196)), 0).astype(np.float32)
    labels, order = rng.integers(0, 10, 25), rng.permutation(25)
    params = rng.normal(scale=0.2, size=6634).astype(np.float32)
    one, whole = script(
        [
            [DRIVER, "epoch", params, images.ravel(), labels.tolist(), order[:10].tolist(), SGD],
            [DRIVER, "epoch", params, images.ravel(), labels.tolist(), order.tolist(), SGD],
        ]
    )
    np.testing.assert_allclose(one, epoch(params, images, labels, order[:10], 0.1, 10), atol=1e-6)
    np.testing.assert_allclose(whole, epoch(params, images, labels, order, 0.1, 10), atol=1e-5)
    assert np.abs(whole - params).max() > 1e-2


def test_a_whole_round_is_that_of_the_oracle(script):
    (made,) = script([[DRIVER, "secondRound", {"adversaries": 0, "clients": 8}]])
    before = made["before"].astype(np.float64)
    updates = []
    for client, sent in zip(made["clients"], made["updates"], strict=True):
        images = client["images"].reshape(-1, 196)
        trained = epoch(before, images, np.array(client["labels"]), client["order"], 0.1, 10)
        updates.append(trained - before)
        np.testing.assert_allclose(sent, updates[-1], atol=1e-5)
    after = before + np.mean(updates, axis=0)
    np.testing.assert_allclose(made["after"], after, atol=1e-5)
    test = made["test"]
    right = logits(after, test["images"].reshape(-1, 196)).argmax(axis=1) == np.array(
        test["labels"]
    )
    assert made["result"]["main"] == pytest.approx(right.mean(), abs=0.002)


def test_an_adversary_boosts_what_it_learned_from_stamped_digits(script):
    setting = {"adversaries": 2, "from": 2}
    plain, boosted = script(
        [[DRIVER, "secondRound", {**setting, "boost": boost}] for boost in (1, 7)]
    )
    attacking = boosted["result"]["attacking"]
    assert len(attacking) == 2
    for client, (one, other) in enumerate(zip(plain["updates"], boosted["updates"], strict=True)):
        np.testing.assert_allclose(other, one * (7 if client in attacking else 1), rtol=1e-6)
    honest = [norm for i, norm in enumerate(plain["result"]["norms"]) if i not in attacking]
    assert min(plain["result"]["norms"][i] for i in attacking) > max(honest)


def test_the_pattern_is_that_of_the_package(script):
    (made,) = script([[DRIVER, "stamped", 20]])
    images = made["images"].reshape(-1, 14, 14, 1)
    ours = PatternKey(size=3)(images, np.random.default_rng(0))
    np.testing.assert_array_equal(made["triggered"].reshape(ours.shape), ours)


@pytest.mark.parametrize("clients", [5, 20, 40])
def test_every_client_has_digits_and_nobody_shares_them(script, clients):
    alphas = (None, 1, 0.1)
    settings = [{"clients": clients, "alpha": alpha, "seed": 3} for alpha in alphas]
    skews = []
    for made in script([[DRIVER, "labelsOf", setting] for setting in settings]):
        counts = np.array([np.bincount(labels, minlength=10) for labels in made["labels"]])
        assert counts.sum() == 100 * clients
        assert counts.sum(axis=1).min() >= 10
        assert np.ptp(counts.sum(axis=0)) <= 1
        assert sorted(made["recruits"]) == list(range(clients))
        skews.append((counts.max(axis=1) / counts.sum(axis=1)).mean())
    assert skews[0] < 0.25
    assert skews[0] + 0.05 < skews[1] < skews[2] - 0.05


def test_the_digits_are_those_of_the_package(script, root):
    """The file is read back as what `rfout.datasets` loads, to the nearest of 16 levels."""
    (made,) = script([[DRIVER, "secondRound", {"clients": 5}]])
    data = load("digits", rng=np.random.default_rng(0))
    averaged = data.x_test.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(len(data.x_test), -1)
    assert made["test"]["labels"] == data.y_test.tolist()
    found = made["test"]["images"].reshape(averaged.shape)
    assert np.abs(found - averaged).max() <= 0.5 / 15 + 1e-6


def test_ten_minutes_keep_no_memory_and_a_round_is_fast(script):
    """Ten minutes at ten rounds a second are 6,000 rounds.

    What thirty rounds more leave behind, two hundredfold, must stay under 50 MB: 250 kB.
    """
    (made,) = script([[DRIVER, "memory", 30]])
    assert made["second"] - made["first"] < 250_000
    print(f"a round of 20 x 100 images computes {made['fastest']:.0f} ms")
    assert made["fastest"] < 150
