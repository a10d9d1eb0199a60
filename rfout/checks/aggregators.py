"""Checks of aggregators that weigh or rank, and of the band of colluders."""

from collections.abc import Iterator
from math import prod
from random import Random
from typing import Any

from .plain import Numbers, Rows, average, by_coordinate, reshaped
from .rules import ABOUT, SHAPES
from .task import Case, Task, array


def drawn(rng: Random, n: int, shape: tuple[int, ...], reach: int = 9) -> Rows:
    """Give whole numbers of n clients, no two of them alike."""
    while True:
        rows = [[float(rng.randint(-reach, reach)) for _ in range(prod(shape))] for _ in range(n)]
        if len({tuple(row) for row in rows}) == n:
            return rows


def case(
    rows: Rows,
    shape: tuple[int, ...],
    right: Numbers,
    mistakes: dict[str, Any],
    about: str | None = None,
    **more: Any,
) -> Case:
    """Give an example with updates of a trailing shape; answers are flat, or a row a client."""

    def nest(answer: Any) -> Any:
        if isinstance(answer[0], list):
            return [reshaped(row, shape) for row in answer]
        return reshaped(answer, shape)

    updates = array([reshaped(row, shape) for row in rows])
    wrong = {sentence: nest(answer) for sentence, answer in mistakes.items()}
    about = ABOUT.get(shape, "") if about is None else about
    return Case({"updates": updates, **more}, nest(right), wrong, about)


def weighted_cases(rng: Random) -> Iterator[Case]:
    """Give clients with different numbers of samples."""

    def weighted(rows: Rows, weights: list[int], total: int) -> Numbers:
        return by_coordinate(
            lambda column: sum(w * v for w, v in zip(weights, column, strict=True)) / total, rows
        )

    for shape in SHAPES:
        n = rng.randint(3, 5)
        w = rng.sample(range(1, 60), n)
        rows = drawn(rng, n, shape)
        mistakes = {
            "this is the plain mean: a client's weight is its number of samples.": (
                by_coordinate(average, rows)
            ),
            "the weighted sum is not divided by the number of all samples.": weighted(rows, w, 1),
            "the weighted sum is divided by the number of clients, not of samples.": (
                weighted(rows, w, n)
            ),
            "the weights belong to the clients, in their order.": weighted(rows, w[::-1], sum(w)),
        }
        yield case(rows, shape, weighted(rows, w, sum(w)), mistakes, n_samples=array(w, "int64"))


def trimmed_cases(rng: Random) -> Iterator[Case]:
    """Give different cuts; a cut of 0 is the mean."""

    def trimmed(rows: Rows, low: int, high: int, divisor: int = 0) -> Numbers:
        return by_coordinate(
            lambda v: sum(sorted(v)[low : len(v) - high]) / (divisor or len(v) - low - high), rows
        )

    for cut, shape in ((1, (4,)), (2, ()), (2, (2, 3)), (0, (3,))):
        n = rng.randint(6, 8)
        rows = drawn(rng, n, shape, 20)
        mistakes = {
            "it cuts nothing.": trimmed(rows, 0, 0),
            "it cuts the largest values only: cut as many of the smallest.": trimmed(rows, 0, cut),
            "it cuts the smallest values only: cut as many of the largest.": trimmed(rows, cut, 0),
            "it divides by the number of all clients: divide by how many are left.": (
                trimmed(rows, cut, cut, n)
            ),
            "it leaves out `cut` values in all: leave out `cut` at either end.": (
                trimmed(rows, cut // 2, cut - cut // 2)
            ),
        }
        about = "a cut of 0" if cut == 0 else None
        yield case(rows, shape, trimmed(rows, cut, cut), mistakes, about, cut=cut)


def band_cases(rng: Random) -> Iterator[Case]:
    """Give updates of which some coordinates are outside the band."""

    def into(update: Numbers, mean: Numbers, reach: Numbers) -> Numbers:
        return [min(max(u, m - r), m + r) for u, m, r in zip(update, mean, reach, strict=True)]

    for dtype in ("float64", "float32"):
        update = [float(rng.randint(10, 20)), float(-rng.randint(10, 20)), 1.0, 5.0]
        mean = [float(rng.randint(1, 3)) for _ in range(4)]
        reach = [float(rng.randint(1, 3)) for _ in range(4)]
        both = list(zip(update, mean, reach, strict=True))
        largest = max(abs(u - m) / r for u, m, r in both)
        mistakes = {
            "it changes nothing.": update,
            "it clips to 0 ± reach: the band is mean ± reach.": into(update, [0.0] * 4, reach),
            "it brings what is outside to the mean: take the nearest point of the band.": [
                u if abs(u - m) <= r else m for u, m, r in both
            ],
            "it clips from above only.": [min(u, m + r) for u, m, r in both],
            "it clips from below only.": [max(u, m - r) for u, m, r in both],
            "it scales the whole update: bring each coordinate into the band on its own.": [
                m + (u - m) / largest for u, m, r in both
            ],
        }
        arguments = {"update": update, "mean": mean, "reach": reach}
        given = {name: array(values, dtype) for name, values in arguments.items()}
        yield Case(given, into(update, mean, reach), mistakes, dtype)


TASKS = {
    "weighted_mean": Task(
        "weighted_mean(updates, n_samples)",
        "federated averaging: the mean of the updates, weighted by the clients' samples.",
        "float array",
        weighted_cases,
    ),
    "trimmed_mean": Task(
        "trimmed_mean(updates, cut)",
        "the mean on each coordinate without the `cut` largest and the `cut` smallest values.",
        "float array",
        trimmed_cases,
    ),
    "into_band": Task(
        "into_band(update, mean, reach)",
        "the update with each coordinate moved to the nearest point of mean ± reach.",
        "same dtype",
        band_cases,
    ),
}
