"""The members of the family with a median in them, compiled by Numba.

A strip of coordinates is copied, sorted over clients all at once, and decided. Batcher's network
sorts: which two rows it compares does not depend on the values, so that one comparison is done for
many coordinates at a time, without a branch. Medians are read off the sorted strip, and MADs too.

The operations, and their order, are those of `rfout.operator.medians`: both paths give the same
bytes.

Source: Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M (merge exchange).
"""

import numpy as np

from .compiler import Array, compiled, compiled_band, row
from .rule import EPSILON, MAD_FACTOR, TINY

STRIP = 128  # coordinates; of 50 clients they fit in the fastest cache
SORTED = 2**18  # values of a strip at most, where clients are many


@compiled
def _exchange(a: Array, b: Array) -> None:
    for i in range(len(a)):
        u, v = a[i], b[i]
        a[i] = v if v < u else u
        b[i] = u if v < u else v


@compiled
def sort_clients(x: Array, w: int) -> None:
    """Sort `w` columns of (n_clients, ...) in place; one with a NaN comes in no order."""
    n = len(x)
    top = 1
    while 2 * top < n:
        top *= 2
    p = top
    while p > 0 and n > 1:
        q, r, apart = top, 0, p
        while True:
            for i in range(n - apart):
                if i & p == r:
                    _exchange(x[i, :w], x[i + apart, :w])
            if q == p:
                break
            apart, q, r = q - p, q // 2, p
        p //= 2


@compiled
def _nearest(ranked: Array, low: Array, half: Array, k: int, best: Array) -> None:
    """The k-th smallest distance from the median: that of the best k neighbours in order."""
    best[:] = np.inf
    for i in range(len(ranked) - k + 1):
        first, last = ranked[i, : len(best)], ranked[i + k - 1, : len(best)]
        for j in range(len(best)):
            below = -((first[j] - low[j]) - half[j])
            above = (last[j] - low[j]) - half[j]
            reach = above if above > below else below
            best[j] = reach if reach < best[j] else best[j]


@compiled
def _sum(x: Array, low: Array, total: Array, squares: Array, size: Array) -> None:
    for i in range(len(x)):
        d = x[i] - low[i]
        total[i] += d
        squares[i] += d * d
        size[i] = abs(d) if abs(d) > size[i] else size[i]


@compiled
def _mark(x: Array, low: Array, center: Array, bounds: Array, counts: Array, sums: Array) -> None:
    """Count who lies beyond and who cannot be told, and sum the others."""
    near, far = bounds
    flagged, unsure = counts
    kept, rest = sums
    for i in range(len(x)):
        d = x[i] - low[i]
        outside = (d > center[i] + near[i]) | (d < center[i] - near[i])
        surely = (d > center[i] + far[i]) | (d < center[i] - far[i])
        flagged[i] += 1.0 if outside else 0.0
        unsure[i] += 1.0 if outside & (not surely) else 0.0
        kept[i] += 0.0 if outside else d
        rest[i] += 0.0 if outside else np.float64(x[i])


@compiled
def _tally(x: Array, low: Array, center: Array, scale: Array, near: Array) -> tuple[int, float]:
    n_flagged, largest = 0, 0.0
    for i in range(len(x)):
        d = x[i] - low[i]
        n_flagged += (d > center[i] + near[i]) | (d < center[i] - near[i])
        z = abs(d - center[i]) / scale[i]
        largest = z if z > largest else largest
    return n_flagged, largest


@compiled
def _limit(
    n: int,
    threshold: float,
    about_mean: bool,
    mad: bool,
    total: float,
    squares: float,
    size: float,
    span: float,
    middles: tuple[float, float],
) -> tuple[float, float, float, bool]:
    """Scale, limit, a bound on the limit's error, and whether these are of use."""
    if not mad:
        _, scale, limit, error = compiled_band(total, squares, n, threshold)
        error = error + 4 * EPSILON * (limit + span)
        regular, settled = error < limit / 4 and squares > TINY, size == 0
    else:
        scale = MAD_FACTOR * ((middles[0] + middles[1]) / 2)
        limit = threshold * scale
        error = 64 * EPSILON * (limit + span)
        settled = middles[1] == 0 and span == 0
        if about_mean:
            error = error + 2 * (n + 8) * EPSILON * size
            settled = size == 0
        regular = error < limit / 4 and limit > TINY and np.isfinite(limit)
    if settled and np.isfinite(total):
        return np.inf, 0.0, 0.0, True
    return scale if scale > 0 else np.inf, limit, error, regular and np.isfinite(total)


@compiled
def aggregate(
    addresses: Array,
    like: Array,
    start: int,
    stop: int,
    threshold: float,
    drop: bool,
    about_mean: bool,
    mad: bool,
    tally: bool,
    out: Array,
    doubtful: Array,
    n_flagged: Array,
    largest_z: Array,
) -> int:
    """Aggregate as `compiled` does, about the mean or the median, in units of MAD or sigma."""
    n, n_doubtful = len(addresses), 0
    width = min(stop - start, STRIP, max(8, SORTED // n))
    ranked = np.empty((n, width), like.dtype)
    for strip in range(start, stop, width):
        w, begin = min(width, stop - strip), strip - start
        for client in range(n):
            ranked[client, :w] = row(addresses, like, client, strip, w)
        sort_clients(ranked, w)
        low, span = np.empty(w), np.empty(w)
        for i in range(w):
            low[i] = ranked[(n - 1) // 2, i]
            span[i] = ranked[n // 2, i] - low[i]

        total, squares, size = np.zeros(w), np.zeros(w), np.zeros(w)
        for client in range(n):
            _sum(row(addresses, like, client, strip, w), low, total, squares, size)
        first, second = np.zeros(w), np.zeros(w)
        if mad:
            _nearest(ranked, low, span / 2, (n - 1) // 2 + 1, first)
            _nearest(ranked, low, span / 2, n // 2 + 1, second)
        center = total / n if about_mean else span / 2
        scale, bounds, regular = np.empty(w), np.empty((2, w)), np.empty(w, np.bool_)
        for i in range(w):
            scale[i], limit, error, regular[i] = _limit(
                n,
                threshold,
                about_mean,
                mad,
                total[i],
                squares[i],
                size[i],
                span[i],
                (first[i], second[i]),
            )
            bounds[0, i], bounds[1, i] = limit - error, limit + error

        counts, sums = np.zeros((2, w)), np.zeros((2, w))
        for client in range(n):
            _mark(row(addresses, like, client, strip, w), low, center, bounds, counts, sums)
        for i in range(w):
            k = counts[0, i]
            if not drop:
                result = low[i] + (sums[0, i] + k * center[i]) / n
            elif k == 0:
                result = low[i] + total[i] / n
            else:
                result = sums[1, i] / (n - k) if k < n else low[i] + center[i]
            out[begin + i] = result
            if not regular[i] or counts[1, i] > 0 or not np.isfinite(result):
                doubtful[n_doubtful] = begin + i
                n_doubtful += 1
                center[i], scale[i], bounds[0, i] = 0.0, np.inf, np.inf
                low[i] = 0.0
        if tally:
            for client in range(n):
                x_client = row(addresses, like, client, strip, w)
                count, z = _tally(x_client, low, center, scale, bounds[0])
                n_flagged[client] += count
                largest_z[client] = max(largest_z[client], z)
    return n_doubtful
