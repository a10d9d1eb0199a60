"""The paper's rule in NumPy, on blocks of coordinates that fit in the processor's cache."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._rule import TINY, Rule, band
from ._work import (
    Block,
    Floats,
    Scratch,
    Values,
    count_true,
    deviations,
    nobody,
    sum_clients,
)


def takes_wide(rule: Rule, tally: bool) -> bool:
    """Whether `paper` works on a block by parts, so that it may be several times the scratch."""
    return rule.is_papers and rule.replacement == "center" and not tally


def paper(x: Values, rule: Rule, tally: bool, scratch: Scratch) -> Block:
    """Flag by mean and standard deviation. A value that is not finite is doubtful."""
    if not takes_wide(rule, tally):
        return value_by_value(x, rule, tally, scratch)
    aggregate, special = extremes(x, rule, scratch)
    if not len(special):
        return Block(aggregate, special, *nobody(len(x)))
    doubtful = []
    for part in scratch.parts(len(x), len(special)):
        rest = value_by_value(x.take(special[part], axis=1), rule, tally, scratch)
        aggregate[special[part]] = rest.aggregate
        doubtful.append(special[part][rest.doubtful])
    return Block(aggregate, np.concatenate(doubtful), *nobody(len(x)))


def extremes(x: Values, rule: Rule, scratch: Scratch) -> tuple[Floats, NDArray[np.intp]]:
    """The aggregate where at most the largest and the smallest value are flagged.

    That is nearly everywhere, and needs no list of who is flagged. The coordinates where it does
    not hold, or cannot be told, are the second thing given: `aggregate` is undefined there.

    What touches every value goes by parts of the scratch's size, which stay in the cache. What is
    done once a coordinate takes them all: many calls on short arrays cost more than their work,
    and threads wait for each other at each.
    """
    n, w = x.shape
    parts = scratch.parts(n, w)
    shift = x[0].astype(np.float64)
    top, bottom = np.empty((2, w), x.dtype)
    total, squares = np.empty((2, w))
    for part in parts:
        np.maximum.reduce(x[:, part], axis=0, out=top[part])
        np.minimum.reduce(x[:, part], axis=0, out=bottom[part])
        d = deviations(x[:, part], shift[part], scratch)
        total[part] = sum_clients(d)
        # Summed in any order: no byte of the aggregate depends on it.
        np.einsum("ij,ij->j", d, d, out=squares[part])
    mean, _, limit, error = band(total, squares, n, rule.threshold)
    up, down = bounds(x.dtype, shift, shift + mean, limit, error)
    n_outside = np.empty(w, np.intp)
    for part in parts:
        outside = scratch(1, (2, *x[:, part].shape), np.bool_)
        np.greater(x[:, part], up[part], out=outside[0])
        np.less(x[:, part], down[part], out=outside[1])
        n_outside[part] = count_true(outside.reshape(2 * n, -1))

    above, below = top.astype(np.float64), bottom.astype(np.float64)
    above -= shift
    below -= shift
    far = limit + error
    high, low = above > mean + far, below < mean - far
    n_extremes = high.view(np.uint8) + low.view(np.uint8)
    regular = n_outside == n_extremes  # and no others
    regular &= error < limit / 4
    regular &= squares > TINY
    above *= high
    below *= low
    above += below
    total -= above
    mean *= n_extremes
    total += mean
    total /= n
    shift += total
    return shift, np.flatnonzero(~regular)


def value_by_value(x: Values, rule: Rule, tally: bool, scratch: Scratch) -> Block:
    """The same, and more, from a list of all that lies beyond the limit."""
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
    doubtful |= ~np.isfinite(aggregate)  # a sum may overflow where a mean does not
    counted = count(d, mean, sigma, doubtful, flagged) if tally else nobody(n)
    return Block(aggregate, np.flatnonzero(doubtful), *counted)


def bounds(
    dtype: np.dtype[Any], shift: Floats, where: Floats, limit: Floats, error: Floats
) -> tuple[Values, Values]:
    """In the values' own dtype, a little inside of where they are flagged: above, and below."""
    rounding = np.finfo(dtype)
    slack = np.abs(where)
    slack += np.abs(shift)
    slack += limit
    slack *= 4 * rounding.eps
    slack += rounding.smallest_subnormal
    reach = limit - error
    reach -= slack
    return (where + reach).astype(dtype), (where - reach).astype(dtype)


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
    up, down = bounds(x.dtype, shift, shift + center, limit, error)
    outside, below = scratch(1, (2, *x.shape), np.bool_)
    np.greater(x, up, out=outside)
    outside |= np.less(x, down, out=below)
    place = np.flatnonzero(outside)
    column = place % max(1, x.shape[1])
    value = d.reshape(-1)[place]

    def further(reach: Floats) -> NDArray[np.bool_]:
        return (value > (center + reach)[column]) | (value < (center - reach)[column])

    flagged, sure = further(limit - error), further(limit + error)
    unsure = np.zeros(x.shape[1], np.bool_)
    unsure[column[flagged & ~sure]] = True
    return place[flagged], column[flagged], unsure


def sum_unflagged(x: Values, flagged: NDArray[np.intp], scratch: Scratch) -> Floats:
    """Sum over clients what is not in the flat places `flagged`."""
    kept = scratch(1, x.shape)
    kept[:] = x
    kept.reshape(-1)[flagged] = 0.0
    return sum_clients(kept)


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
    rest = (sum_unflagged(x, flagged, scratch) + 0.0) / (n - n_flagged)
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
