"""Walk over the coordinates: which path, which blocks, how many threads, what stays in memory."""

import mmap
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _blocks, _exact, _robust, _rows
from ._rows import Rows
from ._rule import Rule

LARGE = 2**22  # values; from here on, loading a compiler pays
BLOCK = 2**18  # values that the NumPy path works on at a time: 2 MiB of float64
CHUNK = 2**16  # coordinates that a thread of the compiled path is handed at a time
BUFFER = 2**20  # values that are copied where they cannot be read in place
WINDOW = 2**26  # values of a memory-mapped file that are held resident


Work = Callable[[int], tuple[NDArray[Any], NDArray[Any]]]


class NotFiniteError(Exception):
    """Client -> place of its first NaN or infinity in the row."""

    def __init__(self, places: dict[int, int]) -> None:
        super().__init__(places)
        self.places = places


class _SomewhereError(Exception):
    """A value is not finite; whose, is looked for once, and not by every thread."""


@dataclass
class Tally:
    """What the report is made of, for each client."""

    n_flagged: NDArray[np.int64]
    largest_z: NDArray[np.float64]

    def add(self, n_flagged: NDArray[Any], largest_z: NDArray[Any]) -> None:
        self.n_flagged += n_flagged
        np.maximum(self.largest_z, largest_z, out=self.largest_z)


@cache
def kernels() -> ModuleType | None:
    """The compiled path, or None where Numba is absent or does not fit this NumPy."""
    try:
        from . import _kernels
    except ImportError:
        return None
    return _kernels


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


def aggregate(rows: Rows, rule: Rule, out: NDArray[Any], tally: Tally | None) -> None:
    """Write the aggregate of one layer to `out` (n_params,), and count into `tally`.

    Raises
    ------
    NotFiniteError
        If a value is NaN or infinite. `out` and `tally` are then of no use.
    """
    n, d = len(rows), len(out)
    if d == 0:
        return
    maps = _rows.maps(rows)
    window = max(1, WINDOW // n) if maps else d
    for start in range(0, d, window):
        stop = min(start + window, d)
        try:
            if rule.is_papers and n * d >= LARGE and (compiled := kernels()) is not None:
                _compiled(compiled, rows, start, stop, rule, out, tally)
            else:
                _in_blocks(rows, start, stop, rule, out, tally)
        except _SomewhereError:
            raise NotFiniteError(_not_finite(rows)) from None
        for one in maps:  # what was read counts as resident until it is given back
            one.madvise(mmap.MADV_DONTNEED)


def _in_blocks(
    rows: Rows, start: int, stop: int, rule: Rule, out: NDArray[Any], tally: Tally | None
) -> None:
    n = len(rows)
    dtype = _rows.working_dtype(rows)
    apply = _blocks.paper if rule.is_papers else _robust.robust
    width = max(1, BLOCK // n)
    own = threading.local()

    def work(low: int) -> tuple[NDArray[Any], NDArray[Any]]:
        high = min(low + width, stop)
        if not hasattr(own, "scratch"):
            own.scratch = _blocks.Scratch(n * width)
        x = _rows.gather(rows, low, high, dtype)
        with np.errstate(all="ignore"):  # what overflows or divides by zero becomes doubtful
            done = apply(x, rule, tally is not None, own.scratch)
        out[low:high] = done.aggregate
        extra = _resolve(rows, low + done.doubtful, rule, out)
        return done.n_flagged + extra[0], np.maximum(done.largest_z, extra[1])

    _run(work, range(start, stop, width), tally)


def _compiled(
    compiled: ModuleType,
    rows: Rows,
    start: int,
    stop: int,
    rule: Rule,
    out: NDArray[Any],
    tally: Tally | None,
) -> None:
    n = len(rows)
    dtype = _rows.working_dtype(rows)
    addresses = _rows.addresses(rows, dtype)
    chunk = CHUNK if addresses is not None else max(1, BUFFER // n)
    chunk = max(1, min(chunk, -(-(stop - start) // n_threads())))
    result = out if out.dtype == dtype else np.empty(len(out), dtype)

    def work(low: int) -> tuple[NDArray[Any], NDArray[Any]]:
        high = min(low + chunk, stop)
        doubtful = np.empty(high - low, np.int64)
        n_flagged, largest_z = np.zeros(n, np.int64), np.zeros(n)
        where, first = addresses, low
        if where is None:
            block = _rows.gather(rows, low, high, dtype)
            where, first = _rows.addresses(block, dtype), 0
        n_doubtful = compiled.aggregate(
            where,
            np.empty(0, dtype),
            first,
            first + high - low,
            rule.threshold,
            rule.replacement == "drop",
            tally is not None,
            result[low - first :],
            doubtful,
            n_flagged,
            largest_z,
        )
        extra = _resolve(rows, doubtful[:n_doubtful] + (low - first), rule, result)
        return n_flagged + extra[0], np.maximum(largest_z, extra[1])

    _run(work, range(start, stop, chunk), tally)
    if result is not out:
        out[start:stop] = result[start:stop]


def _run(work: Work, starts: range, tally: Tally | None) -> None:
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

    threads = min(n_threads(), len(starts))
    if threads == 1:
        return drain()
    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(drain) for _ in range(threads)]:
            future.result()


def _resolve(
    rows: Rows, columns: NDArray[np.intp], rule: Rule, out: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Settle the doubtful coordinates, or find that a client sent what is not finite."""
    n = len(rows)
    n_flagged, largest_z = np.zeros(n, np.int64), np.zeros(n)
    step = max(1, BLOCK // n)
    for start in range(0, len(columns), step):
        some = columns[start : start + step]
        x = np.stack([np.asarray(row[some], np.float64) for row in rows])
        if not np.isfinite(x).all():
            raise _SomewhereError
        out[some], flagged, z = _exact.resolve(x, rule)
        n_flagged += flagged.sum(axis=1)
        np.maximum(largest_z, z.max(axis=1), out=largest_z)
    return n_flagged, largest_z


def _not_finite(rows: Rows) -> dict[int, int]:
    places: dict[int, int] = {}
    for client, row in enumerate(rows):
        for start in range(0, len(row), BUFFER):
            bad = np.flatnonzero(~np.isfinite(row[start : start + BUFFER]))
            if len(bad):
                places[client] = start + int(bad[0])
                break
    return places
