"""Every sample has exactly one client, and the skew is what was asked for."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rfout.partitions import partition_dirichlet, partition_iid

labels = arrays(np.int64, st.integers(1, 200), elements=st.integers(0, 9))
seeds = st.integers(0, 2**32 - 1)
alphas = st.floats(min_value=0, exclude_min=True, allow_infinity=False, allow_nan=False)
relaxed = settings(deadline=None, max_examples=60)


def rng(seed=0):
    return np.random.default_rng(seed)


def assert_each_sample_once(clients, n_samples):
    assert all(client.dtype == np.int64 and client.ndim == 1 for client in clients)
    assert sorted(np.concatenate(clients).tolist()) == list(range(n_samples))


@relaxed
@given(labels, st.integers(1, 200), seeds)
def test_iid_deals_every_sample_once_and_evenly(y, n_clients, seed):
    assume(n_clients <= len(y))
    clients = partition_iid(y, n_clients, rng=rng(seed))
    assert len(clients) == n_clients
    assert_each_sample_once(clients, len(y))
    sizes = [len(client) for client in clients]
    assert max(sizes) - min(sizes) <= 1


@relaxed
@given(labels, st.integers(1, 30), alphas, seeds)
def test_dirichlet_deals_every_sample_once(y, n_clients, alpha, seed):
    assume(n_clients <= len(y))
    clients = partition_dirichlet(y, n_clients, alpha, rng=rng(seed), min_samples=0)
    assert len(clients) == n_clients
    assert_each_sample_once(clients, len(y))


@relaxed
@given(labels, st.integers(1, 10), st.floats(0.05, 10), seeds, st.integers(0, 20))
def test_dirichlet_draws_until_it_keeps_its_minimum(y, n_clients, alpha, seed, min_samples):
    """The first of ten draws that does; if none does, the error says what to do."""
    assume(n_clients * max(min_samples, 1) <= len(y))
    draws, same = rng(seed), rng(seed)
    for _ in range(10):
        wanted = partition_dirichlet(y, n_clients, alpha, rng=draws, min_samples=0)
        if min(map(len, wanted)) >= min_samples:
            found = partition_dirichlet(y, n_clients, alpha, rng=same, min_samples=min_samples)
            assert [part.tolist() for part in found] == [part.tolist() for part in wanted]
            return
    with pytest.raises(ValueError, match=r"larger alpha or fewer clients, or .*min_samples=0"):
        partition_dirichlet(y, n_clients, alpha, rng=same, min_samples=min_samples)


@pytest.mark.parametrize("alpha", [1e9, 1e308])
def test_a_huge_alpha_gives_every_client_the_same_labels(alpha):
    y = np.repeat(np.arange(10), 100)
    for client in partition_dirichlet(y, 20, alpha, rng=rng()):
        np.testing.assert_allclose(np.bincount(y[client], minlength=10), 5, atol=1)


def test_a_tiny_alpha_gives_a_class_to_one_client():
    y = np.repeat(np.arange(10), 100)
    clients = partition_dirichlet(y, 5, 1e-6, rng=rng(), min_samples=0)
    for label in range(10):
        assert sorted(np.sum(y[client] == label) for client in clients) == [0, 0, 0, 0, 100]


def test_the_smaller_alpha_is_the_more_skewed():
    y = np.repeat(np.arange(10), 100)

    def largest_share(alpha):
        clients = partition_dirichlet(y, 10, alpha, rng=rng(1), min_samples=0)
        return np.mean([max(np.sum(y[c] == label) for c in clients) / 100 for label in range(10)])

    assert largest_share(0.1) > largest_share(1) + 0.1 > largest_share(100) + 0.2


def test_dirichlet_shares_have_the_mean_and_variance_of_their_distribution():
    # Dirichlet(alpha over k clients): mean 1/k, variance (1/k)(1 - 1/k) / (k alpha + 1).
    k, alpha = 4, 0.5
    y = np.repeat(np.arange(2000), 50)
    clients = partition_dirichlet(y, k, alpha, rng=rng(2))
    shares = np.array([np.bincount(y[client], minlength=2000) for client in clients]) / 50
    np.testing.assert_allclose(shares.mean(axis=1), 1 / k, atol=0.02)
    np.testing.assert_allclose(shares.var(axis=1), 0.25 * 0.75 / (k * alpha + 1), rtol=0.1)


@pytest.mark.parametrize("alpha", [0.3, 1e6])
def test_rounding_favours_no_client(alpha):
    y = np.arange(4000)  # one sample a class: its client is all rounding
    sizes = [len(client) for client in partition_dirichlet(y, 4, alpha, rng=rng(3))]
    np.testing.assert_allclose(sizes, 1000, atol=150)


def both(y, n_clients, seed=0):
    yield partition_iid(y, n_clients, rng=rng(seed))
    yield partition_dirichlet(y, n_clients, 1.0, rng=rng(seed))


def test_the_same_seed_gives_the_same_clients_and_another_seed_others():
    y = np.repeat(np.arange(10), 30)
    for once, again, other in zip(both(y, 5), both(y, 5), both(y, 5, seed=1), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
        assert not all(np.array_equal(a, b) for a, b in zip(once, other, strict=True))


def test_a_client_s_samples_are_shuffled_also_over_the_classes():
    y = np.repeat(np.arange(10), 100)
    for clients in both(y, 4):
        for client in clients:
            # In sorted order neighbours differ in label at most nine times.
            assert np.count_nonzero(np.diff(y[client])) > len(client) / 3


def test_a_client_s_samples_come_from_anywhere_in_a_class():
    for clients in both(np.zeros(400, np.int64), 4):
        for client in clients:
            assert np.ptp(client) > len(client) * 1.1


def test_a_list_of_labels_will_do():
    assert_each_sample_once(partition_iid([0, 1, 0], 2, rng=rng()), 3)
    assert_each_sample_once(partition_dirichlet(["a", "b", "a"], 1, 1, rng=rng()), 3)


@pytest.mark.parametrize("n_clients", [0, -1, 4])
def test_the_number_of_clients_is_checked(n_clients):
    y = np.zeros(3, np.int64)
    with pytest.raises(ValueError, match=f"n_clients must be from 1 to 3 samples, not {n_clients}"):
        partition_iid(y, n_clients, rng=rng())
    with pytest.raises(ValueError, match=f"n_clients must be from 1 to 3 samples, not {n_clients}"):
        partition_dirichlet(y, n_clients, 1.0, rng=rng())


@pytest.mark.parametrize("alpha", [0, -1.0, float("nan"), float("inf")])
def test_alpha_is_checked(alpha):
    with pytest.raises(ValueError, match="alpha must be positive and finite"):
        partition_dirichlet(np.zeros(3, np.int64), 2, alpha, rng=rng())


@pytest.mark.parametrize("min_samples", [-1, 6])
def test_a_minimum_that_no_seed_can_keep_is_refused(min_samples):
    with pytest.raises(ValueError, match="min_samples must be from 0 to samples / clients = 5"):
        partition_dirichlet(np.zeros(10, np.int64), 2, 1.0, rng=rng(), min_samples=min_samples)


def test_one_hot_labels_are_refused():
    y = np.eye(4)
    with pytest.raises(ValueError, match="one-dimensional"):
        partition_iid(y, 2, rng=rng())
    with pytest.raises(ValueError, match="one-dimensional"):
        partition_dirichlet(y, 2, 1.0, rng=rng())
