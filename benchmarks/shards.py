"""The same aggregate from 2 and 4 processes: by coordinate, and by client with merged moments."""

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import contenders
import numpy as np

from rfout import rfout1d
from rfout.operator.sharding import Moments, combine, merge, moments, slices, unflagged


def by_coordinate(path: str, one: slice) -> np.ndarray:
    return rfout1d(np.ascontiguousarray(np.load(path, mmap_mode="r")[:, one]))


def first_pass(path: str, one: slice) -> Moments:
    return moments(np.load(path, mmap_mode="r")[one])


def second_pass(path: str, one: slice, everyone: Moments) -> np.ndarray:
    return unflagged(np.load(path, mmap_mode="r")[one], everyone)


def table(n_clients: int = 1000, n_params: int = 100_000) -> list[dict]:
    x = contenders.updates(n_clients, n_params)
    whole = rfout1d(x)
    result = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "x.npy")
        np.save(path, x)
        for n in (2, 4):
            with ProcessPoolExecutor(n, get_context("spawn")) as pool:
                paths = [path] * n
                list(pool.map(by_coordinate, paths, slices(n_params, n)))  # start the processes

                start = time.perf_counter()
                parts = list(pool.map(by_coordinate, paths, slices(n_params, n)))
                seconds = time.perf_counter() - start
                aggregate = np.concatenate(parts)
                result.append(row("coordinate", n, x, seconds, aggregate, whole, 0))

                start = time.perf_counter()
                shards = slices(n_clients, n)
                everyone = merge(pool.map(first_pass, paths, shards))
                parts = list(pool.map(second_pass, paths, shards, [everyone] * n))
                seconds = time.perf_counter() - start
                aggregate = combine(everyone, parts)
                # mean and squares to the coordinator and back, and each shard's sum
                moved = n * n_params * 8 * (2 + 2 + 1)
                result.append(row("client", n, x, seconds, aggregate, whole, moved))
    return result


def row(by, n, x, seconds, aggregate, whole, moved) -> dict:
    apart = np.abs(aggregate - whole).max() / np.abs(whole).max()
    return {
        "sharded_by": by,
        "n_processes": n,
        "n_clients": len(x),
        "n_params": x.shape[1],
        "seconds": seconds,
        "nanoseconds_per_value": 1e9 * seconds / x.size,
        "bytes_between_servers": moved,
        "same_bytes": aggregate.astype(whole.dtype).tobytes() == whole.tobytes(),
        "largest_relative_difference": float(apart),
    }
