"""Triggers shared out, and triggers that are no mark."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfout.attacks import EdgeCases, PatternKey, PatternPart, rarest, rarity, split_pattern

relaxed = settings(deadline=None, max_examples=60)


def rng(seed=0):
    return np.random.default_rng(seed)


def images(n=6, shape=(9, 8, 1), seed=0):
    """Strictly between black and white, so that a stamped pixel shows."""
    return rng(seed).uniform(0.1, 0.9, size=(n, *shape)).astype(np.float32)


@relaxed
@given(st.integers(1, 6), st.integers(1, 36), st.integers(1, 3), st.integers(0, 99))
def test_the_parts_make_the_whole_in_any_order_and_share_no_pixel(size, n_parts, channels, seed):
    pattern, clean = PatternKey(size), images(shape=(9, 8, channels), seed=seed)
    n_parts = min(n_parts, size**2)
    parts = split_pattern(pattern, n_parts)
    stamped, changed = clean, np.zeros(clean.shape[1:3], int)
    for i in rng(seed).permutation(n_parts):
        before = stamped.copy()
        own = parts[i](clean, rng())
        changed += changed_by(own, clean)
        stamped = parts[i](stamped, rng())
        assert stamped.dtype == np.float32
        np.testing.assert_array_equal(
            np.any(stamped != before, axis=(0, 3)), changed_by(own, clean)
        )
    np.testing.assert_array_equal(stamped, pattern(clean, rng()))
    assert changed.max() == 1
    sizes = [np.sum(changed_by(part(clean, rng()), clean)) for part in parts]
    assert max(sizes) - min(sizes) <= 1


def changed_by(triggered, clean):
    return np.any(triggered != clean, axis=(0, 3))


def test_a_part_leaves_its_input_as_it_is():
    clean = images()
    before = clean.copy()
    triggered = PatternPart(PatternKey(4), 1, 3)(clean, rng())
    np.testing.assert_array_equal(clean, before)
    assert not np.shares_memory(clean, triggered)


@pytest.mark.parametrize(("part", "n_parts"), [(3, 3), (-1, 3), (0, 10), (0, 0)])
def test_a_part_that_is_not_there_is_an_error(part, n_parts):
    with pytest.raises(ValueError, match=r"no part|cannot be dealt out"):
        PatternPart(PatternKey(3), part, n_parts)


@relaxed
@given(st.integers(1, 7), st.integers(0, 30), st.integers(0, 99))
def test_edge_cases_are_shown_in_turn_and_unmarked(n_tail, n, seed):
    tail = images(n_tail, seed=1)
    shown = EdgeCases(tail)(images(n), rng(seed))
    assert shown.shape == (n, 9, 8, 1)
    which = [int(np.flatnonzero((tail == one).all(axis=(1, 2, 3)))[0]) for one in shown]
    counts = np.bincount(which, minlength=n_tail)
    assert counts.max() - counts.min() <= 1
    np.testing.assert_array_equal(shown, EdgeCases(tail)(images(n), rng(seed)))
    assert not np.shares_memory(shown, tail)


def test_an_empty_tail_is_an_error():
    with pytest.raises(ValueError, match="at least one image"):
        EdgeCases(images(0))


@relaxed
@given(st.integers(3, 15), st.integers(1, 2), st.integers(0, 999))
def test_the_rarest_are_those_that_a_loop_finds(n, neighbours, seed):
    x = images(n, seed=seed).astype(np.float64)
    wanted = []
    for i in range(n):
        distances = sorted(np.linalg.norm(x[i] - x[j]) for j in range(n) if j != i)
        wanted.append(np.mean(distances[:neighbours]))
    np.testing.assert_allclose(rarity(x, x, neighbours=neighbours), wanted, rtol=1e-6)
    found = rarest(x, n, neighbours=neighbours)
    assert sorted(found) == list(range(n))
    assert np.all(np.diff(np.array(wanted)[found]) <= 1e-5)
    np.testing.assert_array_equal(rarest(x, 2, neighbours=neighbours), found[:2])


def test_rarity_among_others_is_the_mean_distance_to_the_nearest():
    x, others = (images(n, seed=n).astype(np.float64) for n in (4, 30))
    apart = np.linalg.norm((x[:, None] - others).reshape(4, 30, -1), axis=2)
    wanted = np.sort(apart, axis=1)[:, :5].mean(axis=1)
    np.testing.assert_allclose(rarity(x, others), wanted)


def test_the_odd_one_out_is_the_rarest():
    x = np.concatenate([images(20) * 0.1, np.ones((1, 9, 8, 1), np.float32)])
    assert rarest(x, 1).tolist() == [20]


@pytest.mark.parametrize(("n", "neighbours"), [(7, 2), (-1, 2), (2, 6), (2, 0)])
def test_too_few_images_are_an_error(n, neighbours):
    with pytest.raises(ValueError, match="6 images have no"):
        rarest(images(6), n, neighbours=neighbours)
