"""The two paths over a layer, blocks in NumPy and compiled kernels: both give the same bytes."""

import threading
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import blocks, exact, medians
from . import rows as rows_of
from .rows import Rows
from .rule import Rule
from .scratch import Scratch
from .threads import Tally, n_threads, run, shares

BLOCK = 2**18  # values that the NumPy path works on at a time: 2 MiB of float64
WIDE = 40  # such blocks, shared among the threads, where the NumPy path screens
CHUNK = 2**16  # coordinates that a thread of the compiled path is handed at a time
BUFFER = 2**20  # values that are copied where they cannot be read in place


class NotFiniteError(Exception):
    """A value is not finite. Whose it is, is looked for once, and not by every thread."""


@cache
def kernels(papers: bool = True) -> ModuleType | None:
    """The compiled path, or None where Numba is absent or does not fit this NumPy."""
    try:
        from . import compiled, compiled_medians
    except ImportError:
        return None
    return compiled if papers else compiled_medians


def in_blocks(
    rows: Rows, dtype: np.dtype[Any], rule: Rule, out: NDArray[Any], tally: Tally | None
) -> None:
    """Write the aggregate of `rows` to `out` (n_params,) by NumPy, and count into `tally`."""
    n, d = len(rows), len(out)
    apply = blocks.paper if rule.is_papers else medians.robust
    threads = min(4, n_threads())  # more would wait for each other at the interpreter
    width = narrow = max(1, BLOCK // n)
    if blocks.screens(rule, tally is not None, dtype, n):
        # Beside its values, a coordinate has a dozen numbers of its own.
        width = shares(d, max(1, WIDE * BLOCK // (threads * (n + 16))), threads)
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

    run(work, range(0, d, width), tally, threads)


def in_kernels(
    rows: Rows, dtype: np.dtype[Any], rule: Rule, out: NDArray[Any], tally: Tally | None
) -> None:
    """Do as `in_blocks`, by compiled code."""
    n, d = len(rows), len(out)
    module = kernels(rule.is_papers)
    assert module is not None
    which = () if rule.is_papers else (rule.center == "mean", rule.scale == "mad")
    in_place = rows_of.addresses(rows, dtype)
    chunk = CHUNK if in_place is not None else max(1, BUFFER // n)
    chunk = shares(d, chunk, n_threads())

    def work(start: int) -> tuple[NDArray[Any], NDArray[Any]]:
        stop = min(start + chunk, d)
        part = out[start:stop] if out.dtype == dtype else np.empty(stop - start, dtype)
        doubtful = np.empty(stop - start, np.int64)
        n_flagged, largest_z = np.zeros(n, np.int64), np.zeros(n)
        addresses, first = in_place, start
        if addresses is None:
            copied = rows_of.copy(rows, start, stop, dtype)
            addresses, first = rows_of.addresses(copied, dtype), 0
        n_doubtful = module.aggregate(
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

    run(work, range(0, d, chunk), tally, n_threads())


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
            raise NotFiniteError
        out[some], flagged, z = exact.resolve(x, rule)
        n_flagged += flagged.sum(axis=1)
        np.maximum(largest_z, z.max(axis=1), out=largest_z)
    return n_flagged, largest_z
