"""FoolsGold and FLAME: against the published pseudo-code, and what they are made for."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rfout.defences import flame, foolsgold, mean
from rfout.defences.similarity import foolsgold_weights, largest_cluster

updates = arrays(
    np.float64,
    st.tuples(st.integers(2, 9), st.integers(1, 4)),
    elements=st.integers(-5, 5).map(float),
)


def slow_foolsgold_weights(x):
    """FoolsGold, algorithm 1 without memory, value by value."""
    n = len(x)

    def cosine(a, b):
        lengths = np.linalg.norm(a) * np.linalg.norm(b)
        # In exact arithmetic parallel updates have cosine 1, and weight 0.
        return round(a @ b / lengths, 12) if lengths else 0.0

    similar = [[cosine(x[i], x[j]) if i != j else -np.inf for j in range(n)] for i in range(n)]
    most = [max(row) for row in similar]
    weights = []
    for i in range(n):
        for j in range(n):
            if i != j and most[j] > most[i] and most[j] > 0:
                similar[i][j] *= most[i] / most[j]
        weights.append(min(1.0, max(0.0, 1 - max(similar[i]))))
    top = max(weights)
    if top == 0:
        return np.zeros(n)
    weights = [weight / top for weight in weights]
    logits = []
    for weight in weights:
        weight = 0.99 if weight > 0.99 else weight
        logit = np.log(weight / (1 - weight)) + 0.5 if weight > 0 else -np.inf
        logits.append(min(1.0, max(0.0, logit)))
    return np.array(logits)


@settings(max_examples=100, deadline=None)
@given(updates)
@example(np.array([[1.0, 0, 1], [-1, 0, 1], [0, 0, -1]]))  # at a right angle but for rounding
@example(np.array([[-1.0, 2], [-2, 4]]))  # parallel but for rounding
def test_foolsgold_is_the_published_algorithm(x):
    weights = slow_foolsgold_weights(x)
    total = weights.sum()
    expected = (weights[:, None] * x).sum(axis=0) / total if total else np.zeros(x.shape[1])
    np.testing.assert_allclose(foolsgold(x), expected, atol=1e-6)


def colluding(n_colluders, size=8.0):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 200))
    x[:n_colluders] = size * (np.ones(200) + 0.01 * rng.normal(size=(n_colluders, 200)))
    return x, x[n_colluders:].mean(axis=0)


@pytest.mark.parametrize("aggregator", [foolsgold, flame])
def test_colluders_of_one_direction_are_left_out(aggregator):
    x, honest = colluding(4)
    off = np.linalg.norm(aggregator(x) - honest)
    assert off < np.linalg.norm(mean(x) - honest) / 4


def test_flame_keeps_the_majority_clips_and_averages():
    x = np.random.default_rng(1).normal(1.0, 0.2, size=(20, 50))
    x[3] *= 10
    x[:2] = -x[:2]
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    clipped = x * np.minimum(1, np.median(norms) / norms)
    directions = x / norms
    kept = largest_cluster(1 - directions @ directions.T)
    assert len(kept) > 10
    assert not {0, 1} & set(kept.tolist())
    np.testing.assert_allclose(flame(x, noise=0.0), clipped[kept].mean(axis=0), rtol=1e-6)
    spread = np.std([flame(x, noise=0.1, rng=seed) for seed in range(200)], axis=0).mean()
    assert spread == pytest.approx(0.1 * np.median(norms), rel=0.05)


def test_without_a_majority_cluster_flame_keeps_everybody():
    apart = np.ones((6, 6)) - np.eye(6)
    apart[:3, :3] = apart[3:, 3:] = 0
    assert largest_cluster(apart).tolist() == list(range(6))


@pytest.mark.parametrize("aggregator", [foolsgold, flame])
def test_contract(aggregator):
    x = np.random.default_rng(2).normal(size=(12, 2, 3)).astype(np.float32)
    before = x.copy()
    first = aggregator(x)
    assert (first.shape, first.dtype) == ((2, 3), np.float32)
    np.testing.assert_array_equal(first, aggregator(x))  # no state between calls
    np.testing.assert_array_equal(x, before)
    assert np.isfinite(aggregator(np.zeros((12, 4)))).all()
    assert np.isfinite(aggregator(np.where(np.eye(12) > 0, 1e200, 1.0))).all()
    with pytest.raises(ValueError, match="nan"):
        aggregator(np.full((12, 2), np.nan))
    with pytest.raises(ValueError, match="at least"):
        aggregator(x[:1])


def test_weights_of_strangers_are_full():
    assert foolsgold_weights(np.eye(4)).tolist() == [1.0] * 4
