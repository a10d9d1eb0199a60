"""The rule in NumPy, on a block of coordinates small enough for the processor's cache."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._rule import EPSILON, MAD_FACTOR, TINY, Rule, band

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


def sum_clients(x: Floats) -> Floats:
    """Sum over axis 0 in the order of clients, as the compiled path does, whatever the width.

    NumPy adds the rows of a wide array one after the other, but a single column in pairs.
    """
    if x.shape[1] == 1:
        return np.add.accumulate(x, axis=0)[-1]
    return np.add.reduce(x, axis=0)


def middles(x: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Lower and upper median over clients."""
    n = len(x)
    low, high = (n - 1) // 2, n // 2
    ranked = np.partition(x.T.copy(), (low, high), axis=1)  # clients adjacent in memory: faster
    return ranked[:, low], ranked[:, high]


class Scratch:
    """Two arrays to work in, made once: fresh memory costs more than what is done in it."""

    def __init__(self, n: int, width: int) -> None:
        self._held = np.empty((2, n * width))

    def __call__(self, which: int, shape: tuple[int, ...], dtype: Any = np.float64) -> Any:
        return self._held[which].view(dtype)[: math.prod(shape)].reshape(shape)


def block(x: NDArray[Any], rule: Rule, tally: bool, scratch: Scratch) -> Block:
    """Apply `rule` to (n_clients, w) float32 or float64.

    A non-finite value makes its coordinate doubtful.
    """
    with np.errstate(all="ignore"):  # what overflows or divides by zero becomes doubtful
        return (
            _paper(x, rule, tally, scratch) if rule.is_papers else _robust(x, rule, tally, scratch)
        )


def _paper(x: NDArray[Any], rule: Rule, tally: bool, scratch: Scratch) -> Block:
    n, w = x.shape
    shift = x[0].astype(np.float64)  # a shift makes the sum of squares safe far from zero
    d = scratch(0, x.shape)
    d[:] = x
    d -= shift
    total, squares = sum_clients(d), sum_clients(np.multiply(d, d, out=scratch(1, x.shape)))
    mean, sigma, limit, error = band(total, squares, n, rule.threshold)

    doubtful = ~((error < limit / 4) & (squares > TINY))
    constant = np.flatnonzero(squares < TINY)
    constant = constant[~d[:, constant].any(axis=0)]
    doubtful[constant], sigma[constant], limit[constant], error[constant] = False, np.inf, 0.0, 0.0

    flagged, column, unsure = _beyond(x, d, shift, mean, limit, error)
    doubtful |= unsure
    n_flagged = np.bincount(column, minlength=w)
    if rule.replacement == "center":
        # The outlier's share stays in the mean, so subtracting it again loses nothing that counts.
        gone = np.bincount(column, d.reshape(-1)[flagged], minlength=w)
        aggregate = shift + ((total - gone) + n_flagged * mean) / n
    else:
        aggregate = _without(x, shift + mean, shift + mean, flagged, n_flagged, scratch)
    return _finish(aggregate, d, mean, sigma, doubtful, flagged, tally)


def _robust(x: NDArray[Any], rule: Rule, tally: bool, scratch: Scratch) -> Block:
    """The members of the family with a median in them."""
    n = len(x)
    low, high = (part.astype(np.float64) for part in middles(x))
    d = scratch(0, x.shape)
    d[:] = x
    d -= low  # from the lower median: no attacker places it
    span = high - low
    total = sum_clients(d)
    power = sum_clients(np.multiply(d, d, out=scratch(1, x.shape))) / n
    center = total / n if rule.center == "mean" else span / 2
    if rule.scale == "std":
        _, scale, limit, error = band(total, power * n, n, rule.threshold)
        error = error + 4 * EPSILON * (limit + span)
        settled = ~d.any(axis=0)
        doubtful = ~((error < limit / 4) & (power > TINY)) & ~settled
    else:
        ranked = middles(np.abs(d - span / 2))
        scale = MAD_FACTOR * ((ranked[0] + ranked[1]) / 2)
        limit = rule.threshold * scale
        error = 64 * EPSILON * (limit + span)
        if rule.center == "mean":
            error = error + 2 * (n + 8) * EPSILON * np.sqrt(power)
        # More than half at one value: MAD is 0 and every other value is flagged, without rounding.
        settled = (ranked[1] == 0) & (span == 0) & (error == 0)
        doubtful = ~((error < limit / 4) & (limit > TINY) & np.isfinite(limit)) & ~settled
        doubtful |= ~np.isfinite(total)
    limit[settled], error[settled] = 0.0, 0.0
    scale[scale == 0] = np.inf
    flagged, column, unsure = _beyond(x, d, low, center, limit, error)
    doubtful |= unsure

    n_flagged = np.bincount(column, minlength=len(low))
    if rule.replacement == "center":
        kept = scratch(1, x.shape)
        kept[:] = d
        kept.reshape(-1)[flagged] = 0.0
        aggregate = low + (sum_clients(kept) + n_flagged * center) / n
    else:
        aggregate = _without(x, low + total / n, low + center, flagged, n_flagged, scratch)
    return _finish(aggregate, d, center, scale, doubtful, flagged, tally)


def _without(
    x: NDArray[Any],
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


def _beyond(
    x: NDArray[Any], d: Floats, shift: Floats, center: Floats, limit: Floats, error: Floats
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Flat places of the flagged values, their columns, and which columns are unsure.

    All of x, which is d + shift, is compared with bounds of its own dtype a little inside the
    limit, in half the time for float32; what lies beyond, with the limit itself.
    """
    near, far = limit - error, limit + error
    room = near - 4 * EPSILON * (np.abs(shift) + np.abs(center) + near)
    up = np.nextafter((shift + (center + room)).astype(x.dtype), x.dtype.type(-np.inf))
    down = np.nextafter((shift + (center - room)).astype(x.dtype), x.dtype.type(np.inf))
    place = np.flatnonzero((x > up) | (x < down))
    column = place % max(1, x.shape[1])
    value = d.reshape(-1)[place]
    beyond = (value > (center + near)[column]) | (value < (center - near)[column])
    place, column, value = place[beyond], column[beyond], value[beyond]
    sure = (value > (center + far)[column]) | (value < (center - far)[column])
    unsure = np.zeros(x.shape[1], np.bool_)
    unsure[column[~sure]] = True
    return place, column, unsure


def _finish(
    aggregate: Floats,
    d: Floats,
    center: Floats,
    scale: Floats,
    doubtful: NDArray[np.bool_],
    flagged: NDArray[np.intp],
    tally: bool,
) -> Block:
    n, w = d.shape
    n_flagged, largest_z = np.zeros(n, np.intp), np.zeros(n)
    if tally:
        n_flagged += np.bincount(flagged[~doubtful[flagged % w]] // w, minlength=n)
        center, scale = np.where(doubtful, 0.0, center), np.where(doubtful, np.inf, scale)
        z = np.abs(np.where(doubtful, 0.0, d) - center) / scale
        largest_z = z.max(axis=1, initial=0.0)
    return Block(aggregate, np.flatnonzero(doubtful), n_flagged, largest_z)
