"""The paper's rule in NumPy, on a block of coordinates that fits in the processor's cache."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._rule import TINY, Rule, band

Values = NDArray[Any]  # (n_clients, w) float32 or float64
Floats = NDArray[np.float64]


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

    def __call__(self, which: int, shape: tuple[int, ...], dtype: Any = np.float64) -> Any:
        return self._held[which].view(dtype)[: math.prod(shape)].reshape(shape)


def sum_clients(x: Floats) -> Floats:
    """Sum over axis 0 in the order of clients, as the compiled path does, whatever the width.

    NumPy adds the rows of a wide array one after the other, but a single column in pairs.
    """
    if x.shape[1] == 1:
        return np.add.accumulate(x, axis=0)[-1]
    return np.add.reduce(x, axis=0)


def paper(x: Values, rule: Rule, tally: bool, scratch: Scratch) -> Block:
    """Flag by mean and standard deviation. A value that is not finite is doubtful."""
    n, w = x.shape
    shift = x[0].astype(np.float64)  # a shift makes the sum of squares safe far from zero
    d = deviations(x, shift, scratch)
    total = sum_clients(d)
    if tally:
        squares = sum_clients(np.multiply(d, d, out=scratch(1, d.shape)))
    else:  # summed in an order of its own: no byte of the aggregate depends on it, only of z
        squares = np.einsum("ij,ij->j", d, d)
    mean, sigma, limit, error = band(total, squares, n, rule.threshold)

    doubtful = ~((error < limit / 4) & (squares > TINY))
    constant = np.flatnonzero(squares < TINY)
    constant = constant[~d[:, constant].any(axis=0)]
    doubtful[constant], sigma[constant], limit[constant], error[constant] = False, np.inf, 0.0, 0.0
    flagged, column, unsure = beyond(x, d, shift, mean, limit, error, scratch)
    doubtful |= unsure

    n_flagged = np.bincount(column, minlength=w)
    if rule.replacement == "center":
        # The outlier's share stays in the mean, so subtracting it again loses nothing that counts.
        gone = np.bincount(column, d.reshape(-1)[flagged], minlength=w)
        aggregate = shift + ((total - gone) + n_flagged * mean) / n
    else:
        aggregate = without(x, shift + mean, shift + mean, flagged, n_flagged, scratch)
    counted = count(d, mean, sigma, doubtful, flagged) if tally else nobody(n)
    return Block(aggregate, np.flatnonzero(doubtful), *counted)


def deviations(x: Values, shift: Floats, scratch: Scratch) -> Any:
    """Take `shift` from the values, in float64: converted first, as NumPy would do it in bits."""
    d = scratch(0, x.shape)
    d[:] = x
    d -= shift
    return d


def beyond(
    x: Values,
    d: Floats,
    shift: Floats,
    center: Floats,
    limit: Floats,
    error: Floats,
    scratch: Scratch,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Flat places of who is further than `limit` from `center`, their columns, and who is unsure.

    Every value of x, which is d + shift, is compared with bounds of its own dtype a little inside
    the limit, in half the time for float32; what lies beyond them, with the limit itself.
    """
    near, far = limit - error, limit + error
    where = shift + center
    slack = 4 * np.finfo(x.dtype).eps * (np.abs(where) + np.abs(shift) + limit)
    up, down = (where + (near - slack)).astype(x.dtype), (where - (near - slack)).astype(x.dtype)
    outside, below = scratch(1, (2, *x.shape), np.bool_)
    np.greater(x, up, out=outside)
    outside |= np.less(x, down, out=below)
    place = np.flatnonzero(outside)
    column = place % max(1, x.shape[1])
    value = d.reshape(-1)[place]
    sure = (value > (center + far)[column]) | (value < (center - far)[column])
    inside = ~((value > (center + near)[column]) | (value < (center - near)[column]))
    unsure = np.zeros(x.shape[1], np.bool_)
    unsure[column[~(sure | inside)]] = True
    return place[~inside], column[~inside], unsure


def without(
    x: Values,
    mean: Floats,
    center: Floats,
    flagged: NDArray[np.intp],
    n_flagged: NDArray[np.intp],
    scratch: Scratch,
) -> Floats:
    """The mean of what is not flagged: `mean` if that is all, `center` if it is nothing.

    From the values themselves: a huge one that is left out must not have swallowed the others.
    """
    n = len(x)
    if not len(flagged):
        return mean
    kept = scratch(1, x.shape)
    kept[:] = x
    kept.reshape(-1)[flagged] = 0.0
    rest = (sum_clients(kept) + 0.0) / (n - n_flagged)
    return np.where(n_flagged == 0, mean, np.where(n_flagged == n, center, rest))


def count(
    d: Floats,
    center: Floats,
    scale: Floats,
    doubtful: NDArray[np.bool_],
    flagged: NDArray[np.intp],
) -> tuple[NDArray[np.intp], Floats]:
    """Each client's number of flagged values and largest |z|, the doubtful left out; ends `d`."""
    n, w = d.shape
    n_flagged = np.bincount(flagged[~doubtful[flagged % w]] // w, minlength=n)
    d -= np.where(doubtful, 0.0, center)
    np.abs(d, out=d)
    d /= np.where(doubtful, np.inf, scale)
    return n_flagged, np.fmax.reduce(d, axis=1, initial=0.0)  # what is doubtful may be NaN


def nobody(n: int) -> tuple[NDArray[np.intp], Floats]:
    return np.zeros(n, np.intp), np.zeros(n)
