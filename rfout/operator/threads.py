"""Threads over the coordinates: each coordinate falls to one, so their number changes nothing."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Work = Callable[[int], tuple[NDArray[Any], NDArray[Any]]]


@dataclass
class Tally:
    """What the report is made of, for each client."""

    n_flagged: NDArray[np.int64]
    largest_z: NDArray[np.float64]

    def add(self, n_flagged: NDArray[Any], largest_z: NDArray[Any]) -> None:
        """Count what was found in another block."""
        self.n_flagged += n_flagged
        np.maximum(self.largest_z, largest_z, out=self.largest_z)


def n_threads() -> int:
    """RFOUT_NUM_THREADS, else as many as this process may use, at most 8: memory is the limit."""
    asked = os.environ.get("RFOUT_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    if sys.platform == "emscripten":  # a browser starts no threads
        return 1
    if hasattr(os, "sched_getaffinity"):
        return min(8, len(os.sched_getaffinity(0)))
    return min(8, os.cpu_count() or 1)


def shares(d: int, most: int, threads: int) -> int:
    """Coordinates at a time: as many for each thread in each turn, so that none waits for one."""
    turns = -(-d // (most * threads))
    return -(-d // (turns * threads))


def run(work: Work, starts: range, tally: Tally | None, threads: int) -> None:
    """Do all of the work; each coordinate falls to one thread, so their number changes nothing."""
    queue, lock = iter(starts), threading.Lock()

    def drain() -> None:
        nonlocal queue
        while True:
            with lock:
                start = next(queue, None)
            if start is None:
                return
            try:
                counted = work(start)
            except BaseException:
                with lock:
                    queue = iter(())  # the others need not go on
                raise
            if tally is not None:
                with lock:
                    tally.add(*counted)

    threads = min(threads, len(starts))
    if threads == 1:
        return drain()
    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(drain) for _ in range(threads)]:
            future.result()
