"""The members of the family with a median in them, in NumPy, on a block of coordinates."""

import numpy as np

from .blocks import beyond, count, sum_unflagged, without
from .rule import EPSILON, MAD_FACTOR, TINY, Rule, band
from .scratch import Block, Scratch, Values, deviations, nobody, sum_clients


def middles(x: Values) -> tuple[Values, Values]:
    """Lower and upper median over clients."""
    n = len(x)
    low, high = (n - 1) // 2, n // 2
    ranked = np.partition(x.T.copy(), (low, high), axis=1)  # clients adjacent in memory: faster
    return ranked[:, low], ranked[:, high]


def robust(x: Values, rule: Rule, tally: bool, scratch: Scratch) -> Block:
    """Flag by a median, a MAD, or both. A value that is not finite is doubtful."""
    n, w = x.shape
    low, high = (part.astype(np.float64) for part in middles(x))
    d = deviations(x, low, scratch)  # from the lower median: no attacker places it
    span = high - low
    total = sum_clients(d)
    center = total / n if rule.center == "mean" else span / 2
    if rule.scale == "std":
        squares = sum_clients(np.multiply(d, d, out=scratch(1, x.shape)))
        _, scale, limit, error = band(total, squares, n, rule.threshold)
        error = error + 4 * EPSILON * (limit + span)
        settled = ~d.any(axis=0)
        doubtful = ~((error < limit / 4) & (squares > TINY)) & ~settled
    else:
        ranked = middles(np.abs(d - span / 2))
        scale = MAD_FACTOR * ((ranked[0] + ranked[1]) / 2)
        limit = rule.threshold * scale
        error = 64 * EPSILON * (limit + span)
        # More than half at one value: MAD is 0 and every other value is flagged, without rounding.
        settled = (ranked[1] == 0) & (span == 0)
        if rule.center == "mean":
            size = np.abs(d).max(axis=0)
            error = error + 2 * (n + 8) * EPSILON * size
            settled = size == 0
        doubtful = ~((error < limit / 4) & (limit > TINY) & np.isfinite(limit)) & ~settled
        doubtful |= ~np.isfinite(total)
    limit[settled], error[settled] = 0.0, 0.0
    scale[scale == 0] = np.inf
    flagged, column, unsure = beyond(x, d, low, center, limit, error, scratch)
    doubtful |= unsure

    n_flagged = np.bincount(column, minlength=w)
    if rule.replacement == "center":
        aggregate = low + (sum_unflagged(d, flagged, scratch) + n_flagged * center) / n
    else:
        aggregate = without(x, low + total / n, low + center, flagged, n_flagged, scratch)
    doubtful |= ~np.isfinite(aggregate)  # a sum may overflow where a mean does not
    counted = count(d, center, scale, doubtful, flagged) if tally else nobody(n)
    return Block(aggregate, np.flatnonzero(doubtful), *counted)
