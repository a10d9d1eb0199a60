"""The rule in exact rational arithmetic, one coordinate at a time."""

from fractions import Fraction

import numpy as np

MAD_FACTOR = Fraction(1.4826)  # the float64 of that name, exactly

# What the operator's documentation calls a tie, in squares.
TIE = Fraction(1, 2**79)


def double_median(values):
    ranked = sorted(values)
    return ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]


def rfout1d(values, threshold=3.0, center="mean", scale="std", replacement="center"):
    """Aggregate, who is flagged, and how near the nearest value is to the threshold.

    Nearness is the relative distance of z² (or of z for "mad") to its bound; None if scale is 0.
    """
    n, t = len(values), Fraction(float(threshold))
    exact = [Fraction(float(v)) for v in values]
    # Floats are whole numbers of the largest power of two that divides them all; in units of
    # 1/(2n) of it, so are their mean and their median.
    unit = 2 * n * max(v.denominator for v in exact)
    x = [int(v * unit) for v in exact]
    mean, median = sum(x) // n, double_median(x) // 2
    middle = median if center == "median" else mean
    if scale == "std":
        distances = [(v - middle) ** 2 for v in x]
        bound = t * t * sum((v - mean) ** 2 for v in x) / n
    else:
        distances = [abs(v - middle) for v in x]
        bound = t * MAD_FACTOR * double_median(abs(v - median) for v in x) / 2
    flagged = [distance * bound.denominator > bound.numerator for distance in distances]
    nearest = min(abs(d / bound - 1) for d in set(distances)) if bound else None
    kept = [v for v, out in zip(x, flagged, strict=True) if not out]
    if replacement == "center":
        aggregate = Fraction(sum(kept) + sum(flagged) * middle, n * unit)
    else:
        aggregate = Fraction(sum(kept), len(kept) * unit) if kept else Fraction(middle, unit)
    return aggregate, np.array(flagged), nearest


def rounding(values, flagged, dtype, center="mean", scale="std", replacement="center"):
    """How far from exact an average in float64, rounded to `dtype`, may be.

    What leaves no trace in the aggregate must not leave its rounding error behind either.
    """
    x = values.astype(np.float64)
    counted = [0.0, *x[~flagged]]
    if center == "median":
        counted += [np.sort(x)[len(x) // 2], np.sort(x)[(len(x) - 1) // 2]]
    elif replacement == "center" or flagged.all():
        counted = x
    limits = np.finfo(dtype)
    largest = Fraction(float(np.abs(counted).max()))
    return (
        4 * len(x) * largest * Fraction(1, 2**53)
        + largest * Fraction(float(limits.eps)) / 2
        + Fraction(float(limits.smallest_subnormal))
    )
