"""One layer's values where the clients have them: what can be read in place, and what is copied."""

import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

# One layer's values, a row for each client: a 2-D array, or one-dimensional arrays (or `.flat`
# of what is not contiguous) anywhere in memory.
Rows = Sequence[Any] | NDArray[Any]


def working_dtype(rows: Rows) -> np.dtype[Any]:
    """float32 for 16 and 32 bit floats, else float64: in it the sums are made in float64."""
    kinds = {np.asarray(row[:0]).dtype for row in _distinct(rows)}
    narrow = all(kind.kind == "f" and kind.itemsize <= 4 for kind in kinds)
    return np.dtype(np.float32 if narrow else np.float64)


def floating_dtype(rows: Rows) -> np.dtype[Any]:
    """Dtype of the aggregate: that of the updates, float64 for integers."""
    kind = np.result_type(*{np.asarray(row[:0]).dtype for row in _distinct(rows)})
    return kind.newbyteorder("=") if kind.kind == "f" else np.dtype(np.float64)


def _distinct(rows: Rows) -> Rows:
    """One row for all of an array's, which are alike; all of a list's."""
    return rows[:1] if isinstance(rows, np.ndarray) else rows


def block(rows: Rows, start: int, stop: int, dtype: DTypeLike) -> NDArray[Any]:
    """Some coordinates of all clients in one array: a view of one if `rows` is, row by row."""
    if isinstance(rows, np.ndarray):
        part = rows[:, start:stop]
        by_row = part.strides[1] == part.itemsize  # else every pass over it would be a walk
        return part if by_row and part.dtype == dtype else part.astype(dtype, order="C")
    return copy(rows, start, stop, dtype)


def copy(rows: Rows, start: int, stop: int, dtype: DTypeLike) -> NDArray[Any]:
    """The same, copied a client at a time; pages of a mapped file are given back at once."""
    copied = np.empty((len(rows), stop - start), dtype)
    for into, row in zip(copied, rows, strict=True):
        into[:] = row[start:stop]
        release(row)
    return copied


def addresses(rows: Rows, dtype: np.dtype[Any]) -> NDArray[np.int64] | None:
    """Where each client's values begin, or None if one's cannot be read in place."""
    if isinstance(rows, np.ndarray) and not rows.flags.aligned:
        return None
    for row in _distinct(rows):
        in_place = (
            isinstance(row, np.ndarray)
            and row.dtype == dtype
            and row.flags.c_contiguous
            and row.flags.aligned
        )
        if not in_place:
            return None
    if isinstance(rows, np.ndarray):
        return rows.ctypes.data + rows.strides[0] * np.arange(len(rows), dtype=np.int64)
    return np.array([row.ctypes.data for row in rows], dtype=np.int64)


def mapped_file(row: Any) -> mmap.mmap | None:
    """The file that `row` is mapped from, if giving pages back loses nothing."""
    base: Any = row.base if isinstance(row, np.flatiter) else row
    shared = False
    while isinstance(base, np.ndarray):
        # A copy-on-write map ("c") keeps its changes in the pages: those stay.
        shared = isinstance(base, np.memmap) and base.mode in ("r", "r+")
        base = base.base
    return base if shared and isinstance(base, mmap.mmap) else None


def release(row: Any) -> None:
    """Give back the memory that a mapped file occupies."""
    file = mapped_file(row)
    if file is not None and hasattr(mmap, "MADV_DONTNEED"):  # not on Windows, which sees to it
        file.madvise(mmap.MADV_DONTNEED)
