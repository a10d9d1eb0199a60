"""Cost against the number of clients and of values, with the memory's bandwidth next to it."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import contenders
import numpy as np
import timing

from rfout import rfout1d
from rfout.operator import walk


def read_all(x: np.ndarray) -> None:
    """Touch every byte with as many threads as `rfout1d`: the least that it can take."""
    parts = np.array_split(x.reshape(-1), 8 * walk.n_threads())
    with ThreadPoolExecutor(walk.n_threads()) as pool:
        list(pool.map(np.max, parts))


def table(rounds: int) -> list[dict]:
    warnings.filterwarnings("ignore", "nothing can be flagged")  # with 10 clients
    result = []
    for n_values in (10**4, 10**5, 10**6, 10**7, 10**8):
        for n in (10, 30, 100, 300, 1000):
            x = contenders.updates(n, n_values // n)
            cases = {
                "rfout1d": lambda x=x: rfout1d(x),
                "mean": lambda x=x: x.mean(axis=0),
                "read": lambda x=x: read_all(x),
            }
            seconds = timing.interleaved(cases, max(3, rounds // 4) if n_values > 10**7 else rounds)
            best = {name: min(measured) for name, measured in seconds.items()}
            result.append(
                {
                    "n_clients": n,
                    "n_params": x.shape[1],
                    "n_values": x.size,
                    "seconds": best["rfout1d"],
                    "seconds_mean": best["mean"],
                    "seconds_read": best["read"],
                    "nanoseconds_per_value": 1e9 * best["rfout1d"] / x.size,
                    "gigabytes_per_second": x.nbytes / best["rfout1d"] / 1e9,
                    "bandwidth_gigabytes_per_second": x.nbytes / best["read"] / 1e9,
                }
            )
    return result
