"""Checks of aggregators that look at a client's whole update: its norm, its distances."""

from collections.abc import Iterator
from math import prod, sqrt
from random import Random

from .aggregators import case, drawn
from .plain import Numbers, Rows, average, by_coordinate, middle
from .task import Case, Task


def clipped(rows: Rows, limit: float, *, lengthen: bool = False) -> Rows:
    """Shorten each client's update to a norm of at most `limit`."""
    norms = [sqrt(sum(v * v for v in row)) for row in rows]
    return [
        [v * (limit / norm if norm > limit or (lengthen and norm > 0) else 1.0) for v in row]
        for row, norm in zip(rows, norms, strict=True)
    ]


def clipped_alone(values: Numbers) -> float:
    """Clip a coordinate's values to the median of their sizes, and average."""
    limit = middle([abs(v) for v in values])
    return average([max(-limit, min(limit, v)) for v in values])


def clipping_cases(rng: Random) -> Iterator[Case]:
    """Give one long update among others; then one that is zero."""
    for shape, zero in (((3,), False), ((2, 2), False), ((3,), True)):
        rows = drawn(rng, 5, shape)
        rows[rng.randrange(5)] = [float(rng.randint(40, 90)) for _ in range(prod(shape))]
        if zero:
            rows.insert(rng.randrange(5), [0.0] * prod(shape))
        norms = [sqrt(sum(v * v for v in row)) for row in rows]
        right = clipped(rows, middle(norms))
        mistakes = {
            "it clips nothing: this is the plain mean.": by_coordinate(average, rows),
            "it lengthens short updates too: clip only those above the median norm.": (
                by_coordinate(average, clipped(rows, middle(norms), lengthen=True))
            ),
            "it clips to the mean of the norms: take their median.": (
                by_coordinate(average, clipped(rows, average(norms)))
            ),
            "it clips to a norm of 1: take the median of the norms.": (
                by_coordinate(average, clipped(rows, 1.0))
            ),
            "it sums the clipped updates: average them.": by_coordinate(sum, right),
            "it clips each coordinate on its own: a norm is that of a client's whole update.": (
                by_coordinate(clipped_alone, rows)
            ),
        }
        about = "one client's update is zero" if zero else None
        yield case(rows, shape, by_coordinate(average, right), mistakes, about)


def scores(rows: Rows, n_nearest: int, *, power: float = 2.0, itself: bool = False) -> Numbers:
    """Score each client by the distances to its nearest others."""
    found = []
    for i, own in enumerate(rows):
        far = [
            sum((a - b) ** 2 for a, b in zip(own, other, strict=True)) ** (power / 2)
            for j, other in enumerate(rows)
            if itself or i != j
        ]
        found.append(sum(sorted(far)[:n_nearest]))
    return found


def krum_cases(rng: Random) -> Iterator[Case]:
    """Give examples in which each mistake about the neighbours chooses another client."""
    for seek, shape in enumerate(((2,), (2,), (2,), (2,), (3,), (), (2, 2))):
        n, f = rng.randint(7, 9), rng.choice((1, 2))
        near = n - f - 2
        while True:
            rows = drawn(rng, n, shape, 30)
            right = scores(rows, near)
            mistaken = {
                "it counts a client as its own neighbour: leave out the distance to itself.": (
                    scores(rows, near, itself=True)
                ),
                "it sums one distance too many: take n - n_adversaries - 2.": (
                    scores(rows, near + 1)
                ),
                "it sums the distances to all others: take the n - n_adversaries - 2 nearest.": (
                    scores(rows, n - 1)
                ),
                "it sums the distances: sum their squares.": scores(rows, near, power=1.0),
                "it takes the highest score: take the lowest.": [-score for score in right],
            }
            picks = {sentence: s.index(min(s)) for sentence, s in mistaken.items()}
            best = right.index(min(right))
            others = [best, *picks.values()]
            told_apart = seek > 3 or others.count(others[seek + 1]) == 1
            if told_apart and sorted(right)[0] + 1 < sorted(right)[1]:
                break
        mistakes = {sentence: rows[pick] for sentence, pick in picks.items()}
        mistakes["this is the mean of the updates: krum gives one of them."] = by_coordinate(
            average, rows
        )
        yield case(rows, shape, rows[best], mistakes, n_adversaries=f)


TASKS = {
    "norm_clipping": Task(
        "norm_clipping(updates)",
        "the mean of the updates, each shortened to at most the median of the clients' norms.",
        "float array",
        clipping_cases,
    ),
    "krum": Task(
        "krum(updates, n_adversaries)",
        "the one update with the least sum of squared distances to its n - f - 2 nearest others.",
        "same dtype",
        krum_cases,
    ),
}
