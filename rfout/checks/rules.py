"""Checks of RFOut-1d and its relatives: rules that judge each coordinate on its own."""

from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from random import Random
from typing import Any

from .plain import (
    Numbers,
    Rows,
    average,
    by_coordinate,
    columns_to_rows,
    filtered,
    mad,
    middle,
    reshaped,
    sample,
    spread,
    unscaled,
)
from .task import Case, Task, array

SHAPES = ((4,), (), (2, 3))
ABOUT = {
    (4,): "clients on axis 0, a coordinate for each column",
    (): "one number for each client: the updates may have any shape",
    (2, 3): "a layer of shape (2, 3) for each client: the updates may have any shape",
}

TOGETHER = (
    "it takes one center and one scale of all values: take those of each coordinate (axis 0)."
)
THRESHOLD = "the threshold is fixed: your function should take it from its argument."
RULE = partial(filtered)
RULE_MISTAKES: dict[str, Callable[..., float]] = {
    "it flags nothing: this is the plain mean of all values.": lambda v, c: average(v),
    "it flags a value at the threshold: `>` is asked for, not `>=`.": partial(
        filtered, strict=False
    ),
    "it takes the sample standard deviation (ddof=1): the rule takes ddof=0.": partial(
        filtered, scale=sample
    ),
    "it takes the mean of the values that were kept: a flagged value counts as the mean.": partial(
        filtered, replacement="drop"
    ),
    "it counts a flagged value as 0: it should count as the mean.": partial(
        filtered, replacement="zero"
    ),
    "it counts a flagged value as the median: it should count as the mean.": partial(
        filtered, replacement="median"
    ),
    "it moves a flagged value to the edge of the band: it should count as the mean.": partial(
        filtered, replacement="edge"
    ),
    "it takes the median for the center: take the mean.": partial(filtered, center=middle),
    "it flags on one side only: take the absolute distance.": partial(filtered, one_sided=True),
    THRESHOLD: lambda v, c: filtered(v, 3.0),
}
DROP = partial(filtered, replacement="drop")
DROP_MISTAKES: dict[str, Callable[..., float]] = {
    "it flags nothing: this is the plain mean of all values.": lambda v, c: average(v),
    "it counts a flagged value as the mean: it should be left out.": RULE,
    "it counts a flagged value as 0: it should be left out.": partial(filtered, replacement="zero"),
    "it leaves out a value at the threshold: `>` is asked for, not `>=`.": partial(
        DROP, strict=False
    ),
    "it takes the sample standard deviation (ddof=1): the rule takes ddof=0.": partial(
        DROP, scale=sample
    ),
    "it flags on one side only: take the absolute distance.": partial(DROP, one_sided=True),
    THRESHOLD: lambda v, c: DROP(v, 3.0),
}
MEDIAN = partial(filtered, center=middle, scale=mad)
MEDIAN_MISTAKES: dict[str, Callable[..., float]] = {
    "it flags nothing: this is the plain mean of all values.": lambda v, c: average(v),
    "this is the plain median: average the values after replacing the flagged ones.": (
        lambda v, c: middle(v)
    ),
    "the factor 1.4826 is missing.": partial(MEDIAN, scale=unscaled),
    "it takes the standard deviation as the scale: take 1.4826 times the MAD.": partial(
        MEDIAN, scale=spread
    ),
    "it takes the distances from the mean: take them from the median.": partial(
        filtered, scale=mad, center=average
    ),
    "it takes the mean distance from the median: take the median distance.": partial(
        MEDIAN, scale=lambda v: 1.4826 * average([abs(x - middle(v)) for x in v])
    ),
    "it counts a flagged value as the mean: it should count as the median.": partial(
        MEDIAN, replacement="mean"
    ),
    "it leaves a flagged value out: it should count as the median.": partial(
        MEDIAN, replacement="drop"
    ),
    THRESHOLD: lambda v, c: MEDIAN(v, 3.0),
}


def honest(rng: Random, n: int, outlier: float | None = None) -> Numbers:
    """Give whole numbers of n clients, away from 0; one may be an outlier, that far from them."""
    base = rng.choice((-1, 1)) * rng.randint(15, 30)
    values = [float(base + rng.randint(-3, 3)) for _ in range(n)]
    if outlier is not None:
        values[-1] = base + outlier
    rng.shuffle(values)
    return values


def telling(rng: Random, rule: Callable[..., float], mistaken: Callable[..., float]) -> Numbers:
    """Values by which a slight mistake about the scale flags another value than the rule does."""
    while True:
        values = honest(rng, 14, float(rng.choice((-1, 1)) * rng.randint(4, 20)))
        apart = abs(rule(values, 3.0) - mistaken(values, 3.0))
        if apart > 0.01 and clear(values, 3.0):
            return values


def at_the_threshold(rng: Random) -> Numbers:
    """Give ten clients, nine of them at one value: a value exactly at mean + 3 sigma."""
    value, step = rng.randint(-5, 5), rng.randint(1, 4)
    values = [float(value)] * 9 + [float(value + 10 * step)]
    rng.shuffle(values)
    return values


def clear(values: Numbers, threshold: float) -> bool:
    """Whether no rule of the family decides by a hair, which rounding could turn."""
    of_mean = ((average, spread), (average, sample))
    of_median = ((middle, spread), (middle, mad), (middle, unscaled))
    for center, scale in (*of_mean, *of_median):
        limit = threshold * scale(values)
        if any(abs(abs(v - center(values)) - limit) < 1e-3 * (1 + limit) for v in values):
            return False
    return True


def all_together(rule: Callable[..., float], rows: Rows, threshold: float) -> Numbers:
    """Judge each value by the center and the scale of all values of all coordinates."""
    everything = [value for row in rows for value in row]
    given = {"center": average, "scale": spread, **getattr(rule, "keywords", {})}
    center, scale = given["center"](everything), given["scale"](everything)
    fixed = {**given, "center": lambda v: center, "scale": lambda v: scale}
    return by_coordinate(lambda v: filtered(v, threshold, **fixed), rows)


def rule_cases(
    rule: Callable[..., float], mistakes: dict[str, Callable[..., float]], *, mean_and_std: bool
) -> Callable[[Random], Iterator[Case]]:
    """Give the examples of a rule that judges each coordinate on its own."""

    def cases(rng: Random) -> Iterator[Case]:
        def case(columns: list[Numbers], shape: tuple[int, ...], about: str, **more: Any) -> Case:
            dtype, threshold = more.get("dtype", "float64"), more.get("threshold")
            rows = columns_to_rows(columns)
            updates = array([reshaped(row, shape) for row in rows], dtype)
            given = {} if threshold is None else {"threshold": threshold}
            limit = 3.0 if threshold is None else threshold

            def answers(one: Callable[..., float]) -> Any:
                return reshaped(by_coordinate(lambda v: one(v, limit), rows), shape)

            wrong = {sentence: answers(one) for sentence, one in mistakes.items()}
            wrong[TOGETHER] = reshaped(all_together(rule, rows, limit), shape)
            return Case({"updates": updates, **given}, answers(rule), wrong, about)

        def column(outlier: int, threshold: float = 3.0, n: int = 14) -> Numbers:
            while True:
                values = honest(rng, n, float(outlier) + rng.randint(-9, 9))
                if clear(values, threshold):
                    return values

        if mean_and_std:
            yield case([telling(rng, rule, partial(rule, scale=sample))], (1,), "one coordinate")
            yield case([at_the_threshold(rng)], (1,), "a value exactly at mean + 3 sigma")
        else:
            yield case([telling(rng, rule, partial(rule, scale=unscaled))], (1,), "one coordinate")
        for shape in SHAPES:
            outliers = [rng.choice((-1, 1)) * rng.randint(40, 90) for _ in range(prod(shape))]
            yield case([column(o) for o in outliers], shape, ABOUT[shape])
        yield case([column(-60), column(2)], (2,), "an outlier below")
        yield case([column(50), column(-40)], (2,), "single precision", dtype="float32")
        for threshold in (1.5, 2.5, 5.0):
            columns = [column(60, threshold), column(7, threshold)]
            yield case(columns, (2,), "another threshold", threshold=threshold)
        if not mean_and_std:
            few = [2.0] * 9 + [float(rng.randint(5, 9)) for _ in range(4)]
            rng.shuffle(few)
            yield case([few], (1,), "a MAD of 0: whatever differs from the median is flagged")

    return cases


TASKS = {
    "rule": Task(
        "rule(updates, threshold=3.0)",
        "RFOut-1d: the mean after each value beyond threshold * sigma counts as the mean.",
        "same dtype",
        rule_cases(RULE, RULE_MISTAKES, mean_and_std=True),
    ),
    "drop": Task(
        "drop(updates, threshold=3.0)",
        "the mean of the values that are not flagged by RFOut-1d.",
        "same dtype",
        rule_cases(DROP, DROP_MISTAKES, mean_and_std=True),
    ),
    "median_mad": Task(
        "median_mad(updates, threshold=3.0)",
        "RFOut-1d with the median for the mean and 1.4826 MAD for sigma.",
        "same dtype",
        rule_cases(MEDIAN, MEDIAN_MISTAKES, mean_and_std=False),
    ),
}
