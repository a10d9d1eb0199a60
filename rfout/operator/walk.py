"""Walk over the coordinates: which path, which blocks, how many threads, what stays in memory."""

import math
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import blocks, exact, medians
from . import rows as rows_of
from .inputs import Layer
from .rows import Rows
from .rule import Rule
from .scratch import Scratch

LARGE = 2**22  # values; from here on, loading a compiler pays
BLOCK = 2**18  # values that the NumPy path works on at a time: 2 MiB of float64
WIDE = 40  # such blocks, shared among the threads, where the NumPy path screens
CHUNK = 2**16  # coordinates that a thread of the compiled path is handed at a time
BUFFER = 2**20  # values that are copied where they cannot be read in place
WINDOW = 2**22  # values that are copied at a time from memory-mapped files


Work = Callable[[int], tuple[NDArray[Any], NDArray[Any]]]


class _NotFiniteError(Exception):
    """A value is not finite. Whose it is, is looked for once, and not by every thread."""


@dataclass
class Tally:
    """What the report is made of, for each client."""

    n_flagged: NDArray[np.int64]
    largest_z: NDArray[np.float64]

    def add(self, n_flagged: NDArray[Any], largest_z: NDArray[Any]) -> None:
        """Count what was found in another block."""
        self.n_flagged += n_flagged
        np.maximum(self.largest_z, largest_z, out=self.largest_z)


@dataclass
class Done:
    """What came of a walk.

    Attributes
    ----------
    aggregates
        Of each layer; empty if a value was not finite and nobody was to be left out, or nobody was
        left.
    tally
        Of the rows that stayed, if it was asked for.
    not_finite
        Row to (layer, place) of its first NaN or infinity.
    """

    aggregates: list[NDArray[Any]]
    tally: Tally | None
    not_finite: dict[int, tuple[int, int]]


@cache
def kernels(papers: bool = True) -> ModuleType | None:
    """The compiled path, or None where Numba is absent or does not fit this NumPy."""
    try:
        from . import compiled, compiled_medians
    except ImportError:
        return None
    return compiled if papers else compiled_medians


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


def through(layers: Sequence[Layer], n_rows: int, rule: Rule, *, drop: bool, count: bool) -> Done:
    """Filter and average all layers.

    Parameters
    ----------
    layers, n_rows
        From `rfout.operator.inputs`, with the same number of rows in each.
    rule
        The rule.
    drop
        Whether rows with a value that is not finite are left out; else they end the walk.
    count
        Whether to make a `Tally`.
    """
    stay = list(range(n_rows))
    bad: dict[int, tuple[int, int]] = {}
    while True:
        rows = [_some(layer.rows, stay) for layer in layers]
        tally = Tally(np.zeros(len(stay), np.int64), np.zeros(len(stay))) if count else None
        aggregates: list[NDArray[Any]] = []
        try:
            for layer, of_layer in zip(layers, rows, strict=True):
                out = np.empty(math.prod(layer.shape), rows_of.floating_dtype(of_layer))
                _aggregate(of_layer, rule, out, tally)
                aggregates.append(out.reshape(layer.shape))
            return Done(aggregates, tally, bad)
        except _NotFiniteError:
            found = len(aggregates)
            places = _not_finite(rows[found])
        bad |= {stay[row]: (found, place) for row, place in places.items()}
        stay = [row for row in stay if row not in bad]
        if not drop or not stay:
            return Done([], None, bad)


def _some(rows: Rows, stay: list[int]) -> Rows:
    return rows if len(stay) == len(rows) else [rows[row] for row in stay]


def _aggregate(rows: Rows, rule: Rule, out: NDArray[Any], tally: Tally | None) -> None:
    """Write the aggregate of one layer to `out` (n_params,), and count into `tally`.

    Raises
    ------
    _NotFiniteError
        If a value is NaN or infinite. `out` and `tally` are then of no use.
    """
    n, d = len(rows), len(out)
    if d == 0:
        return
    large = n * d >= LARGE
    path = _compiled if large and kernels(rule.is_papers) is not None else _in_blocks
    dtype = rows_of.working_dtype(rows)
    if not any(map(rows_of.mapped_file, rows)):
        path(rows, dtype, rule, out, tally)
        return
    # What is read of a file counts as resident, by whole folios: one client at a time.
    window = max(1, WINDOW // n)
    for start in range(0, d, window):
        part = out[start : start + window]
        path(rows_of.copy(rows, start, start + len(part), dtype), dtype, rule, part, tally)


def _in_blocks(
    rows: Rows, dtype: np.dtype[Any], rule: Rule, out: NDArray[Any], tally: Tally | None
) -> None:
    n, d = len(rows), len(out)
    apply = blocks.paper if rule.is_papers else medians.robust
    threads = min(4, n_threads())  # more would wait for each other at the interpreter
    width = narrow = max(1, BLOCK // n)
    if blocks.screens(rule, tally is not None, dtype, n):
        # Beside its values, a coordinate has a dozen numbers of its own.
        width = _shares(d, max(1, WIDE * BLOCK // (threads * (n + 16))), threads)
    own = threading.local()

    def work(start: int) -> tuple[NDArray[Any], NDArray[Any]]:
        stop = min(start + width, d)
        if not hasattr(own, "scratch"):
            own.scratch = Scratch(n * narrow)
        x = rows_of.block(rows, start, stop, dtype)
        with np.errstate(all="ignore"):  # what overflows or divides by zero becomes doubtful
            done = apply(x, rule, tally is not None, own.scratch)
        out[start:stop] = done.aggregate
        extra = _resolve(rows, start, done.doubtful, rule, out)
        return done.n_flagged + extra[0], np.maximum(done.largest_z, extra[1])

    _run(work, range(0, d, width), tally, threads)


def _compiled(
    rows: Rows, dtype: np.dtype[Any], rule: Rule, out: NDArray[Any], tally: Tally | None
) -> None:
    n, d = len(rows), len(out)
    compiled = kernels(rule.is_papers)
    assert compiled is not None
    which = () if rule.is_papers else (rule.center == "mean", rule.scale == "mad")
    in_place = rows_of.addresses(rows, dtype)
    chunk = CHUNK if in_place is not None else max(1, BUFFER // n)
    chunk = _shares(d, chunk, n_threads())

    def work(start: int) -> tuple[NDArray[Any], NDArray[Any]]:
        stop = min(start + chunk, d)
        part = out[start:stop] if out.dtype == dtype else np.empty(stop - start, dtype)
        doubtful = np.empty(stop - start, np.int64)
        n_flagged, largest_z = np.zeros(n, np.int64), np.zeros(n)
        addresses, first = in_place, start
        if addresses is None:
            copied = rows_of.copy(rows, start, stop, dtype)
            addresses, first = rows_of.addresses(copied, dtype), 0
        n_doubtful = compiled.aggregate(
            addresses,
            np.empty(0, dtype),
            first,
            first + stop - start,
            rule.threshold,
            rule.replacement == "drop",
            *which,
            tally is not None,
            part,
            doubtful,
            n_flagged,
            largest_z,
        )
        if out.dtype != dtype:
            out[start:stop] = part
        extra = _resolve(rows, start, doubtful[:n_doubtful], rule, out)
        return n_flagged + extra[0], np.maximum(largest_z, extra[1])

    _run(work, range(0, d, chunk), tally, n_threads())


def _shares(d: int, most: int, threads: int) -> int:
    """Coordinates at a time: as many for each thread in each turn, so that none waits for one."""
    turns = -(-d // (most * threads))
    return -(-d // (turns * threads))


def _run(work: Work, starts: range, tally: Tally | None, threads: int) -> None:
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


def _resolve(
    rows: Rows, start: int, doubtful: NDArray[np.intp], rule: Rule, out: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Settle the doubtful coordinates, counted from `start`, if what is there is finite."""
    n = len(rows)
    n_flagged, largest_z = np.zeros(n, np.int64), np.zeros(n)
    step = max(1, BLOCK // n)
    for i in range(0, len(doubtful), step):
        some = start + doubtful[i : i + step]
        x = np.stack([np.asarray(row[some], np.float64) for row in rows])
        if not np.isfinite(x).all():
            raise _NotFiniteError
        out[some], flagged, z = exact.resolve(x, rule)
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
        rows_of.release(row)
    return places
