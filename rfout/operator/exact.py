"""Decide the doubtful: the rule in double-double arithmetic, about 106 bits.

The fast paths decide in float64 with a bound on their own rounding errors. A coordinate with a
value too near the threshold for that bound, or whose squares leave float64's range, comes here.
A number is an unevaluated sum of two float64 (high, low); the elementary steps are Dekker's and
Knuth's, exact in any IEEE arithmetic that rounds to nearest.
"""

import numpy as np
from numpy.typing import NDArray

from .rule import MAD_FACTOR, Rule

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]

# Nearer to the threshold than this, relatively and in squares, is a tie, and a tie is not flagged.
# The errors of double-double stay under n * 2**-103, so a true tie always lands inside.
TIE = 2.0**-80
FAR = 2.0**400


def two_sum(a: Floats, b: Floats) -> Pair:
    """Add without error."""
    high = a + b
    part = high - a
    return high, (a - (high - part)) + (b - part)


def two_product(a: Floats, b: Floats) -> Pair:
    """Multiply without error: each factor is split in halves whose products are exact."""
    high = a * b
    a_big, b_big = 134217729.0 * a, 134217729.0 * b  # 2**27 + 1
    a_high, b_high = a_big - (a_big - a), b_big - (b_big - b)
    a_low, b_low = a - a_high, b - b_high
    return high, ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low


def add(a: Pair, b: Pair) -> Pair:
    """Add two pairs."""
    high, low = two_sum(a[0], b[0])
    more, rest = two_sum(a[1], b[1])
    high, low = two_sum(high, low + more)
    return two_sum(high, low + rest)


def subtract(a: Pair, b: Pair) -> Pair:
    """Subtract a pair from another."""
    return add(a, (-b[0], -b[1]))


def multiply(a: Pair, b: Pair) -> Pair:
    """Multiply two pairs."""
    high, low = two_product(a[0], b[0])
    return two_sum(high, low + (a[0] * b[1] + a[1] * b[0]))


def times(number: float, a: Pair) -> Pair:
    """Multiply a pair by a number."""
    return multiply((np.float64(number), np.float64(0.0)), a)  # type: ignore[arg-type]


def total(a: Pair) -> Pair:
    """Sum over clients, in their order."""
    result = (np.zeros(a[0].shape[1]), np.zeros(a[0].shape[1]))
    for high, low in zip(*a, strict=True):
        result = add(result, (high, low))
    return result


def middle(a: Pair) -> Pair:
    """Sum of the two middle values over clients: twice the median, without a division."""
    n = len(a[0])
    order = np.lexsort((a[1], a[0]), axis=0)
    high, low = (np.take_along_axis(part, order, axis=0) for part in a)
    return add((high[(n - 1) // 2], low[(n - 1) // 2]), (high[n // 2], low[n // 2]))


def magnitude(a: Pair) -> Pair:
    """Take the absolute value of a pair."""
    sign = np.where(a[0] < 0, -1.0, 1.0)
    return sign * a[0], sign * a[1]


def _size(x: Floats, rule: Rule) -> Floats:
    """What a power of two is to bring near 1, so that no square over- or underflows.

    The largest value, of which sigma is never a small part; but MAD may be, and then what is
    `FAR` beyond it is flagged wherever it lies.
    """
    largest = np.abs(x).max(axis=0)
    if rule.center == "mean" or rule.scale == "std":
        return largest
    n = len(x)
    with np.errstate(over="ignore"):
        deviation = np.abs(x - np.sort(x, axis=0)[(n - 1) // 2])
    middle = np.sort(deviation, axis=0)[n // 2]
    # Where MAD is 0, the smallest deviation there is: it must not become 0 as well.
    smallest = np.min(deviation, axis=0, where=deviation > 0, initial=np.inf)
    size = np.where(middle > 0, middle, smallest)
    return np.where(np.isfinite(size), size, largest)


def resolve(x: Floats, rule: Rule) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Apply `rule` to (n_clients, n) finite float64.

    Gives the aggregate (n,), who was flagged (n_clients, n), and each |z| (n_clients, n).
    """
    n = len(x)
    exponent = np.frexp(_size(x, rule))[1]
    with np.errstate(over="ignore"):
        given, x = x, np.clip(np.ldexp(x, -exponent), -FAR, FAR)
    # The lower median as origin: within one sigma of the mean, so that nothing cancels, and no
    # attacker of a minority places it.
    origin = np.sort(x, axis=0)[(n - 1) // 2]
    d = two_sum(x, np.broadcast_to(-origin, x.shape))
    double_median, sums = middle(d), total(d)
    from_median = magnitude(subtract(times(2.0, d), double_median))  # twice |x - median|

    if rule.center == "mean":
        center = sums[0] / n
        distance = magnitude(subtract(times(n, d), sums))
    else:
        center = double_median[0] / 2
        distance = times(n / 2, from_median)
    if rule.scale == "std":  # squares on both sides: n² (x - center)² against n² sigma²
        left = multiply(distance, distance)
        scale = subtract(times(n, total(multiply(d, d))), multiply(sums, sums))
        factor = two_product(np.float64(rule.threshold), np.float64(rule.threshold))  # type: ignore[arg-type]
    else:  # 4 n |x - center| against 4 n 1.4826 MAD
        left = times(4.0, distance)
        scale = times(n, middle(from_median))
        factor = two_product(np.float64(rule.threshold), np.float64(MAD_FACTOR))  # type: ignore[arg-type]
    right = multiply(factor, scale)
    flagged = subtract(left, right)[0] > TIE * right[0]

    unit = scale[0] if rule.scale == "std" else MAD_FACTOR * scale[0]
    with np.errstate(over="ignore"):  # a z beyond the largest float64 is infinite
        z = np.divide(left[0], unit, out=np.zeros_like(x), where=unit > 0)
    if rule.scale == "std":
        z = np.sqrt(np.maximum(z, 0.0))

    with np.errstate(over="ignore"):  # then it is not needed either
        offset = np.ldexp(center, exponent)
    return _average(given, flagged, offset, rule), flagged, z


def _average(x: Floats, flagged: NDArray[np.bool_], offset: Floats, rule: Rule) -> Floats:
    """The mean of what results, from the values as given, so that small ones keep their bits.

    `offset` leads from the lower median to the center.
    """
    n, n_flagged = len(x), flagged.sum(axis=0)
    origin = np.sort(x, axis=0)[(n - 1) // 2]
    counted = np.where(flagged, 0.0, x)
    # Room for the sum, where it is wanted.
    largest = np.maximum(np.abs(counted).max(axis=0), np.abs(origin))
    if rule.replacement == "center":
        largest = np.maximum(largest, np.abs(offset))
    down = np.maximum(np.frexp(largest)[1] + n.bit_length() - 1022, 0)
    low, high = np.ldexp(x.min(axis=0), -down), np.ldexp(x.max(axis=0), -down)
    x, origin, offset = (np.ldexp(one, -down) for one in (counted, origin, offset))

    kept = np.zeros_like(origin)
    if rule.replacement == "center":
        for row in np.where(flagged, 0.0, x - origin):
            kept += row
        average = origin + (kept + n_flagged * offset) / n
    else:
        for row in x:
            kept += row
        all_gone = n_flagged == n
        average = np.where(all_gone, origin + offset, kept / np.where(all_gone, 1, n - n_flagged))
    # It lies within its values; rounding must not push it past the largest float64.
    return np.ldexp(np.clip(average, low, high), down)
