"""What the NumPy paths work with: a block of coordinates, room for it, and sums over clients."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]  # (n_clients, w) float32 or float64
Floats = NDArray[np.float64]
_sum: Any = np.add.reduce  # its types differ between NumPy's versions


@dataclass
class Block:
    """What became of a block: aggregate (w,), doubtful coordinates, and each client's tally.

    At the doubtful coordinates `aggregate` is undefined; the tally leaves them out.
    """

    aggregate: Floats
    doubtful: NDArray[np.intp]
    n_flagged: NDArray[np.intp]
    largest_z: Floats


class Scratch:
    """Two arrays to work in, made once: fresh memory costs more than what is done in it."""

    def __init__(self, n_values: int) -> None:
        self._held = np.empty((2, n_values))

    def parts(self, n: int, w: int, dtype: Any = np.float64) -> list[slice]:
        """Slices of w coordinates, each of which fits for n clients."""
        step = self._held[0].nbytes // (np.dtype(dtype).itemsize * n)
        return [slice(start, start + step) for start in range(0, w, step)]

    def __call__(self, which: int, shape: tuple[int, ...], dtype: Any = np.float64) -> Any:
        """Give one of the two arrays, in this shape."""
        return self._held[which].view(dtype)[: math.prod(shape)].reshape(shape)


def sum_clients(x: Floats) -> Floats:
    """Sum over axis 0 in the order of clients, as the compiled path does, whatever the width.

    NumPy adds the rows of a wide array one after the other, but a single column in pairs.
    """
    if x.shape[1] == 1:
        return np.add.accumulate(x, axis=0)[-1]
    return _sum(x, axis=0)


def count_true(rows: NDArray[np.bool_]) -> NDArray[Any]:
    """How many in each column: counted in bytes, 255 rows at a time."""
    ones = rows.view(np.uint8)
    parts = [_sum(ones[i : i + 255], axis=0, dtype=np.uint8) for i in range(0, len(ones), 255)]
    return parts[0] if len(parts) == 1 else _sum(parts, axis=0, dtype=np.intp)


def deviations(x: Values, shift: Floats, scratch: Scratch) -> Any:
    """Take `shift` from the values, in float64: converted first, as NumPy would do it in bits."""
    d = scratch(0, x.shape)
    d[:] = x
    d -= shift
    return d


def nobody(n: int) -> tuple[NDArray[np.intp], Floats]:
    """Tally of a block in which nobody is flagged."""
    return np.zeros(n, np.intp), np.zeros(n)
