"""The paper's rule compiled by Numba: one pass over memory for almost every coordinate.

The pass keeps, for each coordinate of a strip, the sum and the sum of squares in float64 and the
two largest and two smallest values. Where at most the largest and the smallest value lie beyond
the limit, that is all the rule needs, and the cost is that of reading the updates once. The few
coordinates with more flagged values are read again, one at a time.

Every coordinate is computed by one thread, in the order of the clients, with the operations of
`rfout.operator.blocks`: the bytes depend neither on the number of threads nor on the path.
"""

from typing import Any

import numpy as np

from .compiler import Array, compiled, compiled_band, row
from .rule import TINY

STRIP = 4096  # coordinates; what is kept of them fits in a core's own cache


@compiled
def _add(x: Array, shift: Array, total: Array, squares: Array) -> None:
    for i in range(len(x)):
        d = x[i] - shift[i]
        total[i] += d
        squares[i] += d * d


@compiled
def _rank(x: Array, top: Array, second: Array, bottom: Array, last_but_one: Array) -> None:
    for i in range(len(x)):
        v, t, b = x[i], top[i], bottom[i]
        loser = v if v < t else t
        top[i] = v if v > t else t
        second[i] = loser if loser > second[i] else second[i]
        loser = v if v > b else b
        bottom[i] = v if v < b else b
        last_but_one[i] = loser if loser < last_but_one[i] else last_but_one[i]


@compiled
def _add8(rows: Any, shift: Array, total: Array, squares: Array) -> None:
    # Eight clients a sweep: what is kept is loaded and stored an eighth as often.
    x0, x1, x2, x3, x4, x5, x6, x7 = rows
    for i in range(len(x0)):
        c, s, q = shift[i], total[i], squares[i]
        for v in (x0[i], x1[i], x2[i], x3[i], x4[i], x5[i], x6[i], x7[i]):
            d = v - c
            s += d
            q += d * d
        total[i], squares[i] = s, q


@compiled
def _pair(a: Any, b: Any) -> Any:
    return (a, b) if a > b else (b, a)


@compiled
def _rank8(rows: Any, top: Array, second: Array, bottom: Array, last_but_one: Array) -> None:
    # The two largest and two smallest of four, and those into what is kept: a quarter less to
    # compare than value by value.
    x0, x1, x2, x3, x4, x5, x6, x7 = rows
    for i in range(len(x0)):
        t, t2, b, b2 = top[i], second[i], bottom[i], last_but_one[i]
        for four in ((x0[i], x1[i], x2[i], x3[i]), (x4[i], x5[i], x6[i], x7[i])):
            high, low = _pair(four[0], four[1])
            other_high, other_low = _pair(four[2], four[3])
            largest, less = _pair(high, other_high)
            more, smallest = _pair(low, other_low)
            upper, lower = _pair(less, more)
            t, loser = _pair(t, largest)
            t2, _ = _pair(t2, loser)
            t2, _ = _pair(t2, upper)
            loser, b = _pair(b, smallest)
            _, b2 = _pair(b2, loser)
            _, b2 = _pair(b2, lower)
        top[i], second[i], bottom[i], last_but_one[i] = t, t2, b, b2


@compiled
def _again(
    addresses: Array, like: Array, place: int, shift: float, mean: float, near: float, far: float
) -> tuple[bool, int, float, float]:
    """One coordinate, value by value: doubtful or not, how many flagged, their sum, the rest's."""
    n_flagged, gone, kept = 0, 0.0, 0.0
    for client in range(len(addresses)):
        v = np.float64(row(addresses, like, client, place, 1)[0])
        d = v - shift
        if not (d > mean + near or d < mean - near):
            kept += v
        elif d > mean + far or d < mean - far:
            n_flagged += 1
            gone += d
        else:
            return True, 0, 0.0, 0.0
    return False, n_flagged, gone, kept


@compiled
def _decide(
    n: int,
    threshold: float,
    kept: Any,
    extremes: Any,
    bands: Any,
    out: Array,
    special: Array,
) -> None:
    """The aggregate where nothing, or only the extremes, is flagged; `special` elsewhere.

    Without a branch, so that square roots and divisions are done several at a time.
    """
    shift, total, squares = kept
    top, second, bottom, last_but_one = extremes
    means, sigmas, limits, errors = bands
    for i in range(len(shift)):
        c = shift[i]
        mean, sigma, limit, error = compiled_band(total[i], squares[i], n, threshold)
        near, far = limit - error, limit + error
        above, below = top[i] - c, bottom[i] - c
        high, low = above > mean + near, below < mean - near
        unsure = (high and not above > mean + far) | (low and not below < mean - far)
        many = (second[i] - c > mean + near) | (last_but_one[i] - c < mean - near)
        regular = (error < limit / 4) & (squares[i] > TINY)
        special[i] = unsure | many | (not regular) | ((high | low) << 1)
        gone = (above if high else 0.0) + (below if low else 0.0)
        out[i] = c + ((total[i] - gone) + (np.float64(high) + np.float64(low)) * mean) / n
        means[i], sigmas[i], limits[i], errors[i] = mean, sigma, limit, error


@compiled
def _tally(x: Array, shift: Array, mean: Array, sigma: Array, limit: Array) -> tuple[int, float]:
    n_flagged, best = 0, np.zeros(64)  # 64 maxima side by side: one would have to wait for itself
    for start in range(0, len(x), 64):
        lane = slice(start, min(start + 64, len(x)))
        values, c, m, s, far = x[lane], shift[lane], mean[lane], sigma[lane], limit[lane]
        for i in range(len(values)):
            distance = abs(values[i] - c[i] - m[i])
            n_flagged += distance > far[i]
            z = distance / s[i]
            best[i] = z if z > best[i] else best[i]
    return n_flagged, np.max(best)


@compiled
def aggregate(
    addresses: Array,
    like: Array,
    start: int,
    stop: int,
    threshold: float,
    drop: bool,
    tally: bool,
    out: Array,
    doubtful: Array,
    n_flagged: Array,
    largest_z: Array,
) -> int:
    """Write the aggregate of coordinates `start` to `stop` to `out`, which begins with the first.

    `addresses` are those of the clients' values, which have the dtype of `like`. Gives how many
    coordinates are left undecided, listed in `doubtful` as places in `out`; with `tally`, adds the
    others to each client's number of flagged values and largest |z|.
    """
    n, n_doubtful = len(addresses), 0
    width = min(STRIP, stop - start)
    shift, total, squares = np.empty(width), np.empty(width), np.empty(width)
    means, sigmas, limits, errors = (
        np.empty(width),
        np.empty(width),
        np.empty(width),
        np.empty(width),
    )
    special = np.empty(width, np.uint8)
    top, second = np.empty(width, like.dtype), np.empty(width, like.dtype)
    bottom, last_but_one = np.empty(width, like.dtype), np.empty(width, like.dtype)

    for strip in range(start, stop, width):
        w, begin = min(width, stop - strip), strip - start
        first = row(addresses, like, 0, strip, w)
        shift[:w], top[:w], bottom[:w] = first, first, first
        total[:w], squares[:w], second[:w], last_but_one[:w] = 0.0, 0.0, -np.inf, np.inf
        for client in range(n % 8):
            x = row(addresses, like, client, strip, w)
            _add(x, shift[:w], total[:w], squares[:w])
            if client > 0:
                _rank(x, top[:w], second[:w], bottom[:w], last_but_one[:w])
        for client in range(n % 8, n, 8):
            rows = (
                row(addresses, like, client, strip, w),
                row(addresses, like, client + 1, strip, w),
                row(addresses, like, client + 2, strip, w),
                row(addresses, like, client + 3, strip, w),
                row(addresses, like, client + 4, strip, w),
                row(addresses, like, client + 5, strip, w),
                row(addresses, like, client + 6, strip, w),
                row(addresses, like, client + 7, strip, w),
            )
            _add8(rows, shift[:w], total[:w], squares[:w])
            _rank8(rows, top[:w], second[:w], bottom[:w], last_but_one[:w])

        _decide(
            n,
            threshold,
            (shift[:w], total[:w], squares[:w]),
            (top[:w], second[:w], bottom[:w], last_but_one[:w]),
            (means[:w], sigmas[:w], limits[:w], errors[:w]),
            out[begin : begin + w],
            special[:w],
        )
        for i in range(w):
            if special[i] == 0 or (special[i] == 2 and not drop):
                continue
            if squares[i] < TINY and top[i] == bottom[i]:
                out[begin + i] = shift[i] + 0.0  # as the blocks do: no negative zero
                means[i], sigmas[i], limits[i] = 0.0, np.inf, np.inf
                continue
            near, far = limits[i] - errors[i], limits[i] + errors[i]
            undecided, k, gone, kept = _again(
                addresses, like, strip + i, shift[i], means[i], near, far
            )
            overflows = drop and not np.isfinite(kept)
            if undecided or overflows or not (errors[i] < limits[i] / 4 and squares[i] > TINY):
                doubtful[n_doubtful] = begin + i
                n_doubtful += 1
                means[i], sigmas[i], limits[i] = 0.0, np.inf, np.inf
            elif drop:
                out[begin + i] = kept / (n - k) if 0 < k < n else shift[i] + means[i]
            else:
                out[begin + i] = shift[i] + ((total[i] - gone) + k * means[i]) / n

        if tally:
            for client in range(n):
                x = row(addresses, like, client, strip, w)
                count, z = _tally(x, shift[:w], means[:w], sigmas[:w], limits[:w])
                n_flagged[client] += count
                largest_z[client] = max(largest_z[client], z)
    return n_doubtful
