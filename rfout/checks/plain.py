"""Statistics written out in plain Python: no function of NumPy is called, so none can mislead."""

from collections.abc import Callable
from functools import partial
from math import sqrt
from typing import Any

Numbers = list[float]
Rows = list[Numbers]
"""A list of clients, each a list of numbers."""


def average(values: Numbers) -> float:
    """Mean; written out, like all of this module."""
    return sum(values) / len(values)


def middle(values: Numbers) -> float:
    """Median; the mean of the two in the middle of an even number of values."""
    ranked, half = sorted(values), len(values) // 2
    return ranked[half] if len(values) % 2 else (ranked[half - 1] + ranked[half]) / 2


def spread(values: Numbers, ddof: int = 0) -> float:
    """Standard deviation about the mean."""
    mean = average(values)
    return sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - ddof))


def mad(values: Numbers, factor: float = 1.4826, center: Callable[..., float] = middle) -> float:
    """Scaled median distance from the center."""
    return factor * middle([abs(v - center(values)) for v in values])


def by_coordinate(rule: Callable[[Numbers], float], rows: Rows) -> Numbers:
    """Apply a rule of one coordinate's values to each coordinate."""
    return [rule(list(column)) for column in zip(*rows, strict=True)]


def reshaped(values: Any, shape: tuple[int, ...]) -> Any:
    """Nest a flat list to a shape; () gives its one value."""
    if not shape:
        return values[0]
    step = len(values) // shape[0]
    return [reshaped(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def columns_to_rows(columns: list[Numbers]) -> Rows:
    """Turn values by coordinate into values by client."""
    return [list(row) for row in zip(*columns, strict=True)]


sample, unscaled = partial(spread, ddof=1), partial(mad, factor=1.0)


def filtered(
    values: Numbers,
    threshold: float = 3.0,
    *,
    center: Callable[[Numbers], float] = average,
    scale: Callable[[Numbers], float] = spread,
    strict: bool = True,
    replacement: str = "center",
    one_sided: bool = False,
) -> float:
    """Apply the rule of RFOut-1d, or a relative of it, to one coordinate."""
    middle_one, limit = center(values), threshold * scale(values)
    result = []
    for value in values:
        distance = value - middle_one if one_sided else abs(value - middle_one)
        flagged = distance > limit or (not strict and distance == limit)
        if not flagged:
            result.append(value)
        elif replacement != "drop":
            edge = middle_one + (limit if value > middle_one else -limit)
            instead = {"center": middle_one, "zero": 0.0, "edge": edge}
            instead |= {"mean": average(values), "median": middle(values)}
            result.append(instead[replacement])
    return average(result) if result else middle_one
