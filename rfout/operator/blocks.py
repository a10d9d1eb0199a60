"""The paper's rule in NumPy, on blocks of coordinates that fit in the processor's cache."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rule import EPSILON, TINY, Rule, band
from .scratch import (
    Block,
    Floats,
    Scratch,
    Values,
    count_true,
    deviations,
    nobody,
    sum_clients,
)


def screens(rule: Rule, tally: bool, dtype: np.dtype[Any], n: int) -> bool:
    """Whether `paper` screens in float32, by parts: blocks may be several times the scratch."""
    plain = rule.is_papers and rule.replacement == "center" and not tally
    return plain and dtype == np.float32 and n <= 4096 and slack(n, rule.threshold) < 0.25


def paper(x: Values, rule: Rule, tally: bool, scratch: Scratch) -> Block:
    """Flag by mean and standard deviation. A value that is not finite is doubtful."""
    n = len(x)
    if not screens(rule, tally, x.dtype, n):
        return value_by_value(x, rule, tally, scratch)
    aggregate, special = screen(x, rule.threshold, scratch)
    doubtful = [special[:0]]
    for part in scratch.parts(n, len(special)):
        rest = value_by_value(x[:, special[part]], rule, tally, scratch)
        aggregate[special[part]] = rest.aggregate
        doubtful.append(special[part][rest.doubtful])
    return Block(aggregate, np.concatenate(doubtful), *nobody(n))


def slack(n: int, threshold: float) -> float:
    """How far off (value - center)² / (threshold² variance) may be in `screen`, twice over.

    A sum of n squares in float32 is off by (n + 3) / 2 parts in 2^23; the center by one in 2^12 of
    a standard deviation, which `screen` sees to.
    """
    return (n + 8) * 2**-23 + 2**-10 / threshold


def screen(x: Values, threshold: float, scratch: Scratch) -> tuple[Values, NDArray[np.intp]]:
    """The float32 aggregate where at most one value is flagged, and the places where that fails.

    That is nearly everywhere. Only the mean needs float64; who is flagged can be told in float32,
    with room for its errors. What cannot be told is among the places given, and so is what does
    not round to the same float32 whatever the order of the sums: no byte depends on the screen.

    What touches every value goes by parts of the scratch's size, which stay in the cache. What is
    done once a coordinate takes them all: many calls on short arrays cost more than their work,
    and threads wait for each other at each.
    """
    n, w = x.shape
    client = np.arange(n, dtype=np.min_scalar_type(n))[:, None]
    off = slack(n, threshold)
    near, far = (np.float32(threshold * threshold / n * factor) for factor in (1 - off, 1 + off))
    column = np.arange(w)
    mean, n_outside = np.empty(w), np.empty(w, client.dtype)
    center, squares, one = np.empty((3, w), np.float32)
    for part in scratch.parts(n, w, np.float32):
        own = x[:, part]
        np.add.reduce(own, axis=0, dtype=np.float64, out=mean[part])
        mean[part] /= n
        center[part] = mean[part]
        away = np.subtract(own, center[part], out=scratch(0, own.shape, np.float32))
        away *= away
        np.add.reduce(away, axis=0, out=squares[part])
        outside = np.greater(away, squares[part] * near, out=scratch(1, own.shape, np.bool_))
        n_outside[part] = count_true(outside)
        # Where there is one, the numbers of those outside add up to who it is.
        ones = scratch(0, own.shape, client.dtype)
        np.multiply(outside.view(np.uint8), client, out=ones)
        who = np.minimum(ones.sum(axis=0, dtype=client.dtype), client[-1])
        one[part] = own[who, column[: len(who)]]

    # In place from here on: fresh memory costs more than what is done in it.
    # Of this mean, and of a float64 mean of the same values less the first of them, together:
    error = np.sqrt(squares)
    error += np.abs(center)
    error *= np.float32(2 * (n + 8) * EPSILON)
    shifted = (mean - center).astype(np.float32)
    np.abs(shifted, out=shifted)
    shifted += error
    shifted *= shifted
    # Squares that were lost to underflow are below what is asked for; overflow makes `error` huge.
    regular = shifted < squares * np.float32(2**-24 / n)
    center -= one
    center *= center
    squares *= far
    beyond_doubt = center > squares
    regular &= beyond_doubt.view(np.uint8) == n_outside
    gone = one - mean
    gone *= n_outside.astype(np.float32)
    gone /= n
    mean -= gone
    aggregate = np.subtract(mean, error, out=gone).astype(np.float32)
    mean += error
    regular &= aggregate == mean.astype(np.float32)
    return aggregate, np.flatnonzero(~regular)


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
    largest: Any = np.fmax.reduce  # its types differ between NumPy's versions
    return n_flagged, largest(d, axis=1, initial=0.0)  # what is doubtful may be NaN
