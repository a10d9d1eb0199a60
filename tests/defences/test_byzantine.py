"""Median, trimmed mean, Krum, Multi-Krum and Bulyan: against Flower, SciPy, and slow oracles."""

import flower_peer
import numpy as np
import pytest
import scipy.stats
from flower_peer import Bulyan, FedMedian, FedTrimmedAvg, Krum, MultiKrum, select_multikrum
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rfout.defences import bulyan, krum, median, multi_krum, trimmed_mean

SEEDS = range(8)


def random_updates(seed, n=None, dtype=np.float64):
    """Honest clients, and some of another size: as many dimensions as a layer may have."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(7, 31)) if n is None else n
    x = rng.normal(size=(n, *rng.integers(1, 9, size=rng.integers(1, 4))))
    x[rng.choice(n, n // 6, replace=False)] *= 7
    return x.astype(dtype)


def some_updates(min_clients=1, max_clients=23):
    """Small whole numbers: many ties, and every sum is exact."""
    shape = st.tuples(st.integers(min_clients, max_clients), st.integers(1, 5))
    return arrays(np.float64, shape, elements=st.integers(-3, 3).map(float))


def slow_scores(x, left, f):
    """The sum of squared distances to the n - f - 2 nearest others, as the paper writes it."""
    scores = {}
    for i in left:
        apart = sorted(float(((x[i] - x[j]) ** 2).sum()) for j in left if j != i)
        scores[i] = sum(apart[: max(1, len(left) - f - 2)])
    return scores


def slow_multi_krum(x, f, keep):
    scores = slow_scores(x, range(len(x)), f)
    return x[sorted(scores, key=lambda i: (scores[i], i))[:keep]].mean(axis=0)


def slow_bulyan_choice(x, f):
    left, chosen = list(range(len(x))), []
    while len(chosen) < len(x) - 2 * f:
        scores = slow_scores(x, left, f)
        chosen.append(min(left, key=lambda i: (scores[i], i)))
        left.remove(chosen[-1])
    return chosen


def slow_bulyan(x, f):
    """On each coordinate the chosen values in the order of their distance from the median."""
    flat = x.reshape(len(x), -1)[slow_bulyan_choice(x, f)]
    result = []
    for column in flat.T:
        middle = np.median(column)
        nearest = sorted(column, key=lambda value: abs(value - middle))
        result.append(np.mean(nearest[: len(x) - 4 * f]))
    return np.reshape(result, x.shape[1:])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", SEEDS)
def test_median_is_numpys_and_flowers(seed, dtype):
    x = random_updates(seed, dtype=dtype)
    got = median(x)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, np.median(x, axis=0), rtol=1e-6)
    np.testing.assert_allclose(got, flower_peer.aggregate(FedMedian(), x), rtol=1e-6)


@pytest.mark.parametrize("cut", [0.0, 0.1, 0.25, 0.49])
@pytest.mark.parametrize("seed", SEEDS)
def test_trimmed_mean_is_scipys_and_flowers(seed, cut):
    x = random_updates(seed)
    got = trimmed_mean(x, cut)
    np.testing.assert_allclose(got, scipy.stats.trim_mean(x, cut, axis=0), atol=1e-12)
    np.testing.assert_allclose(got, flower_peer.aggregate(FedTrimmedAvg(beta=cut), x), atol=1e-12)
    np.testing.assert_array_equal(got, trimmed_mean(x, int(cut * len(x))))


@settings(deadline=None, max_examples=100)
@given(some_updates(), st.data())
def test_trimmed_mean_is_the_middle_of_the_sorted_values(x, data):
    cut = data.draw(st.integers(0, (len(x) - 1) // 2))
    want = [np.mean(sorted(column)[cut : len(x) - cut]) for column in x.T]
    np.testing.assert_allclose(trimmed_mean(x, cut), want, atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_krum_and_multi_krum_are_flowers(seed):
    x = random_updates(seed)
    for f in range((len(x) - 3) // 2 + 1):
        np.testing.assert_array_equal(
            krum(x, f), flower_peer.aggregate(Krum(num_malicious_nodes=f), x)
        )
        for keep in (1, len(x) - f, len(x)):
            strategy = MultiKrum(num_malicious_nodes=f, num_nodes_to_select=keep)
            want = flower_peer.aggregate(strategy, x)
            np.testing.assert_allclose(multi_krum(x, f, keep), want, atol=1e-12)


@settings(deadline=None, max_examples=100)
@given(some_updates(min_clients=3), st.data())
def test_multi_krum_is_the_papers_score(x, data):
    f = data.draw(st.integers(0, (len(x) - 3) // 2))
    keep = data.draw(st.integers(1, len(x)))
    np.testing.assert_allclose(multi_krum(x, f, keep), slow_multi_krum(x, f, keep), atol=1e-12)
    np.testing.assert_array_equal(multi_krum(x, f), multi_krum(x, f, len(x) - f))
    np.testing.assert_array_equal(krum(x, f), multi_krum(x, f, 1))


def test_krum_follows_the_paper_where_float32_does_not():
    """Flower takes distances in the updates' own dtype, and far from zero they are rounding.

    Full parameters lie far from zero. The paper's score is over the distances themselves: ours is
    the slow one's choice each time, Flower's is not.
    """
    same = []
    for seed in SEEDS:
        x = (np.random.default_rng(seed).normal(size=(20, 50)) * 1e-3 + 100).astype(np.float32)
        want = slow_multi_krum(x.astype(np.float64), 4, 1).astype(np.float32)
        np.testing.assert_array_equal(krum(x, 4), want)
        flowers = flower_peer.aggregate(Krum(num_malicious_nodes=4), x)
        same.append(np.array_equal(flowers, want))
    assert not all(same)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 4), st.integers(3, 9), st.integers(0, 2**32))
def test_bulyan_is_the_papers(f, more, seed):
    x = random_updates(seed, n=4 * f + more)
    np.testing.assert_allclose(bulyan(x, f), slow_bulyan(x, f), atol=1e-12)


def one_after_the_other(contents, num_malicious_nodes, num_nodes_to_select):
    """The paper's selection for Flower's Bulyan, made of Flower's own Krum."""
    left, chosen = list(contents), []
    while len(chosen) < num_nodes_to_select:
        (best,) = select_multikrum(left, num_malicious_nodes, 1)
        chosen.append(best)
        left = [one for one in left if one is not best]
    return chosen


def test_bulyan_is_flowers_once_flower_chooses_as_the_paper_does(monkeypatch):
    """The paper runs Krum again among those that are left; Flower scores once and takes the best.

    With the paper's selection in Flower's hook for it both agree; as it comes, Flower's Bulyan
    gives something else on some inputs. Ours follows the paper.
    """
    monkeypatch.setattr("gc.collect", lambda *_: 0)  # Flower calls it for every reply it reads
    as_it_comes = []
    for seed in range(12):
        x = random_updates(seed, n=19 + seed % 4)
        strategy = Bulyan(num_malicious_nodes=4, selection_rule=one_after_the_other)
        got = bulyan(x, 4)
        np.testing.assert_allclose(got, flower_peer.aggregate(strategy, x), atol=1e-12)
        flowers = flower_peer.aggregate(Bulyan(num_malicious_nodes=4), x)
        as_it_comes.append(np.allclose(got, flowers, atol=1e-9))
    assert not all(as_it_comes)


def test_too_few_clients_are_an_error_where_flower_skips_the_round():
    x = random_updates(0, n=18)
    assert flower_peer.aggregate(Bulyan(num_malicious_nodes=4), x) is None
    with pytest.raises(ValueError, match=r"bulyan needs at least 4 n_adversaries \+ 3 = 19 .* 18"):
        bulyan(x, 4)
    with pytest.raises(ValueError, match=r"krum needs at least 2 n_adversaries \+ 3 = 19 .* 18"):
        krum(x, 8)


@pytest.mark.parametrize("rival", [median, trimmed_mean, lambda x: multi_krum(x, 4)])
def test_far_adversaries_hardly_matter(rival):
    x = random_updates(3, n=20)
    x[:2] = 1e9
    assert np.abs(rival(x)).max() < 10
    assert np.abs(bulyan(x, 2)).max() < 10
    assert np.abs(krum(x, 2)).max() < 30


@pytest.mark.parametrize("huge", [1e200, -1e308])
def test_squares_that_overflow_choose_nobody_wrong(huge):
    x = random_updates(4, n=20)
    want = multi_krum(np.delete(x, [2, 5], axis=0), 1, 18)
    x[[2, 5]] = huge
    assert np.abs(krum(x, 4)).max() < 30
    np.testing.assert_allclose(multi_krum(x, 4, 18), want, atol=1e-12)
    assert np.abs(bulyan(x, 4)).max() < 30


def test_selection_is_of_whole_clients_whatever_the_shape():
    x = random_updates(5, n=20).reshape(20, -1)
    wide = np.concatenate([x] * 3, axis=1)[:, : 2 * (3 * x.shape[1] // 2)]
    for rival in (lambda u: krum(u, 4), lambda u: multi_krum(u, 4), lambda u: bulyan(u, 4)):
        shaped = rival(wide.reshape(20, 2, -1))
        np.testing.assert_array_equal(shaped.ravel(), rival(wide))


def test_many_coordinates_are_summed_block_after_block(monkeypatch):
    x = np.random.default_rng(0).normal(size=(20, 1000)).astype(np.float32)
    want = krum(x, 4), multi_krum(x, 4), bulyan(x, 4)
    monkeypatch.setattr("rfout.defences.whole_updates.BLOCK", 7)
    for a, b in zip(want, (krum(x, 4), multi_krum(x, 4), bulyan(x, 4)), strict=True):
        np.testing.assert_array_equal(a, b)


RIVALS = {
    "median": median,
    "trimmed mean": trimmed_mean,
    "Krum": lambda x: krum(x, 2),
    "Multi-Krum": lambda x: multi_krum(x, 2),
    "Bulyan": lambda x: bulyan(x, 2),
}
each = pytest.mark.parametrize("rival", RIVALS.values(), ids=list(RIVALS))


@each
def test_what_goes_in_is_not_changed_and_whole_numbers_become_floats(rival):
    x = random_updates(6, n=20)
    before = x.copy()
    whole = np.rint(100 * x).astype(np.int32)
    assert rival(x).shape == x.shape[1:]
    np.testing.assert_array_equal(x, before)
    assert rival(whole).dtype == np.float64
    np.testing.assert_allclose(rival(whole), rival(whole.astype(float)))
    np.testing.assert_array_equal(rival(list(x)), rival(x))


@each
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_an_error(rival, value):
    x = random_updates(7, n=20).reshape(20, -1)
    x[13, -1] = value
    with pytest.raises(ValueError, match=f"client 13: the update has {value}"):
        rival(x)


@each
@pytest.mark.parametrize(
    ("updates", "error", "words"),
    [
        ([], ValueError, "at least one"),
        (np.zeros((0, 3)), ValueError, "at least one"),
        ([np.zeros(3)] * 11 + [np.zeros(4)], ValueError, "client 11: the shape"),
        (np.zeros((20, 3), complex), TypeError, "complex"),
        ([[np.zeros(3)]] * 20, TypeError, "not a list of layers"),
    ],
)
def test_other_malformed_updates(rival, updates, error, words):
    with pytest.raises(error, match=words):
        rival(updates)


@pytest.mark.parametrize("cut", [-1, 10, 0.5, -0.1, 1.0, float("nan")])
def test_a_cut_that_leaves_nothing(cut):
    with pytest.raises(ValueError, match="cut must be"):
        trimmed_mean(np.zeros((20, 2)), cut)


@pytest.mark.parametrize("keep", [0, 21])
def test_keep_is_a_number_of_clients(keep):
    with pytest.raises(ValueError, match="keep must be from 1 to 20"):
        multi_krum(np.zeros((20, 2)), 4, keep)


@pytest.mark.parametrize("rival", [krum, multi_krum, bulyan])
def test_n_adversaries_is_a_number(rival):
    with pytest.raises(ValueError, match="n_adversaries must be at least 0"):
        rival(np.zeros((20, 2)), -1)
    with pytest.raises(TypeError):
        rival(np.zeros((20, 2)), 1.5)
