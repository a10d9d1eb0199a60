"""Shards by coordinate give the bytes of one process; shards by client its result, to rounding."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from rfout import rfout1d
from rfout.operator.sharding import combine, merge, moments, slices, unflagged


@pytest.fixture(scope="module")
def x():
    x = np.random.default_rng(0).standard_normal((60, 1003)).astype(np.float32) + 5
    x[7] *= 40
    x[:, 11] = 2.5
    return x


@pytest.mark.parametrize("n_shards", [1, 2, 4, 7, 2000])
def test_by_coordinate_in_one_process(x, n_shards):
    shards = slices(x.shape[1], n_shards)
    assert len(shards) == n_shards
    parts = [rfout1d(x[:, one]) for one in shards]
    assert np.concatenate(parts).tobytes() == rfout1d(x).tobytes()


@pytest.mark.parametrize("n_shards", [2, 4])
def test_by_coordinate_over_processes(x, n_shards):
    parts = [x[:, one] for one in slices(x.shape[1], n_shards)]
    with ProcessPoolExecutor(n_shards, get_context("spawn")) as pool:
        assert np.concatenate(list(pool.map(rfout1d, parts))).tobytes() == rfout1d(x).tobytes()


@pytest.mark.parametrize("n_shards", [1, 2, 4, 60])
@pytest.mark.parametrize("threshold", [3.0, 1.3])
def test_by_client(x, n_shards, threshold):
    shards = [x[one] for one in slices(len(x), n_shards)]
    everyone = merge(moments(iter(shard)) for shard in shards)
    assert everyone.count == len(x)
    np.testing.assert_allclose(everyone.mean, x.mean(axis=0, dtype=np.float64), rtol=1e-13)
    np.testing.assert_allclose(everyone.std, x.std(axis=0, dtype=np.float64), rtol=1e-12)
    aggregate = combine(everyone, [unflagged(shard, everyone, threshold) for shard in shards])
    np.testing.assert_allclose(
        aggregate, rfout1d(x.astype(np.float64), threshold=threshold), rtol=1e-13
    )


def test_moments_far_from_zero():
    x = 1e8 + np.random.default_rng(0).standard_normal((40, 5))
    np.testing.assert_allclose(moments(x).std, (x - 1e8).std(axis=0), rtol=1e-8)


def test_what_cannot_be():
    for arguments in ((3, 0), (-1, 2)):
        with pytest.raises(ValueError, match="shards"):
            slices(*arguments)
    with pytest.raises(ValueError, match="at least one client"):
        moments([])
    with pytest.raises(ValueError, match="client 1"):
        moments([np.ones(2), np.array([np.nan, 1])])
    with pytest.raises(ValueError, match="no shard"):
        merge([])
    with pytest.raises(ValueError, match="threshold"):
        unflagged([np.ones(2)], moments([np.ones(2)]), -1)
