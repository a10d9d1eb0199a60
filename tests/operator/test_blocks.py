"""The screen in float32 settles nearly every coordinate, and none of them otherwise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfout.operator import blocks, exact
from rfout.operator.rule import Rule
from rfout.operator.scratch import Scratch


def updates(seed, n, spread, location, threshold, w=200):
    """Gaussians; half of the coordinates with a value at about the limit and one far off.

    In the other half they nearly cancel, so that the mean is of the size of the sum's own errors.
    """
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, w))
    near = 1 + rng.choice([-1, 1], w // 2) * 10 ** -rng.uniform(1, 10, w // 2)
    for client, factor in [(0, near), (n // 2, 50.0)][: n - 1]:
        others = np.delete(x[:, : w // 2], client, axis=0)
        # So many standard deviations of the others are `threshold` of all, where any are.
        reach = threshold * np.sqrt(n / max(1, n - 1 - threshold**2))
        x[client, : w // 2] = others.mean(axis=0) + reach * others.std(axis=0) * factor
    x[n - n // 2 :, w // 2 :] = -x[: n // 2, w // 2 :]
    x[0, w // 2 :] *= 1 + 1e-7
    return np.clip((x + location) * spread, -3e38, 3e38).astype(np.float32)


def settled_slowly(x, threshold):
    """The aggregate of every coordinate, from float64 and, where that may err, from fractions."""
    rule = Rule(threshold)
    with np.errstate(all="ignore"):
        block = blocks.value_by_value(x, rule, False, Scratch(x.size))
    settled, _, _ = exact.resolve(x[:, block.doubtful].astype(np.float64), rule)
    block.aggregate[block.doubtful] = settled
    return block.aggregate.astype(np.float32)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([1, 2, 11, 12, 20, 50, 255, 256, 300]),
    st.sampled_from([1e-38, 1e-30, 1e-22, 1e-21, 1e-13, 1e-3, 1.0, 1e10, 1e17, 1e30]),
    st.sampled_from([0.0, 1.0, -30.0, 1e4, 1e7]),
    st.sampled_from([0.5, 1.0, 2.0, 3.0, 5.0]),
    st.sampled_from([1, 7, 200]),
)
def test_what_the_screen_settles_is_right(seed, n, spread, location, threshold, room):
    x = updates(seed, n, spread, location, threshold)
    with np.errstate(all="ignore"):
        aggregate, special = blocks.screen(x, threshold, Scratch(n * room))
    settled = np.setdiff1d(np.arange(x.shape[1]), special)
    wanted = settled_slowly(x, threshold)
    assert aggregate[settled].tobytes() == wanted[settled].tobytes()


@pytest.mark.parametrize("n", [12, 50, 300])
def test_the_screen_settles_nearly_everything(n):
    x = np.random.default_rng(0).standard_normal((n, 10_000), dtype=np.float32)
    x[3] *= n
    _, special = blocks.screen(x, 3.0, Scratch(n * 1000))
    with_two = (np.abs(x - x.mean(axis=0)) > 3 * x.std(axis=0)).sum(axis=0) > 1
    assert len(np.setdiff1d(special, np.flatnonzero(with_two))) < 0.1 * x.shape[1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_what_is_not_finite_or_overflows_is_never_settled(value):
    x = np.random.default_rng(0).standard_normal((20, 50), dtype=np.float32)
    x[3, 7] = value
    with np.errstate(all="ignore"):
        _, special = blocks.screen(x, 3.0, Scratch(20 * 50))
    assert 7 in special
