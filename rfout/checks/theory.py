"""Checks of formulas and of a correction for many tests."""

from collections.abc import Iterator
from math import inf, nan, sqrt
from random import Random

from .task import Case, Task, array

Numbers = list[float]


def residue_cases(rng: Random) -> Iterator[Case]:
    """Give one colluder, then several."""
    for k in (1, 2, 3, 4, 5):
        n, value = rng.randint(10 * k + 1, 70), float(rng.randint(2, 99) * 1000)
        mistakes = {
            "this is what the plain mean holds, k A / n: only k of n values count as the mean.": (
                k * value / n
            ),
            "it does not depend on k as it should: k values count as the mean, which holds k A.": (
                value / n**2
            ),
            "k is missing once: k values count as the mean, which holds k A / n.": k * value / n**2,
            "it divides by n once: the mean holds k A / n, and k of n values count as it.": (
                k**2 * value / n
            ),
            "nothing is left: but the mean holds k A / n, and a flagged value counts as it.": 0.0,
        }
        yield Case({"A": value, "n": n, "k": k}, value * (k / n) ** 2, mistakes)


def reach(n: int, k: int, c: float) -> float:
    """Give the farthest unflagged place, in honest standard deviations."""
    room = n - (1 + c * c) * k
    return c * sqrt(n / room) if room > 0 else inf


def reach_cases(rng: Random) -> Iterator[Case]:
    """Give federations before the wall, at it and beyond; then other thresholds."""
    examples: list[tuple[int, int, float | None, str]] = [
        (rng.randint(12, 40), 1, None, "one colluder"),
        (rng.randint(21, 40), 2, None, "two colluders"),
        (rng.randint(45, 90), 4, None, "four colluders"),
        (rng.randint(40, 60), 3, 2.0, "another threshold"),
        (rng.randint(40, 60), 2, 4.0, "another threshold"),
        (10 * (k := rng.randint(1, 5)), k, None, "one colluder in ten: the reach is infinite"),
        (9 * k, k, None, "more than one colluder in ten: the reach is infinite"),
    ]
    for n, k, threshold, about in examples:
        c = 3.0 if threshold is None else threshold
        right = reach(n, k, c)
        mistakes = {
            "the threshold is fixed at 3: take it from the argument.": reach(n, k, 3.0),
            "k is missing: this is the reach of one colluder.": reach(n, 1, c),
            "the square root is missing.": right * right / c,
            "the factor `threshold` is missing.": right / c,
            "the colluders move the mean too: it is 1 + threshold**2 in the root.": (
                c * sqrt(n / (n - c * c * k)) if n > c * c * k else inf
            ),
            "this is the plain threshold: the colluders also widen sigma.": c,
        }
        given = {"n": n, "k": k} if threshold is None else {"n": n, "k": k, "threshold": c}
        yield Case(given, right, mistakes, about)


def rejected(p: Numbers, level: float, *, strict: bool = False, n: int | None = None) -> list[bool]:
    """Apply Benjamini and Hochberg's step-up rule; NaN is no test."""
    tested = sorted(value for value in p if value == value)
    m = len(tested) if n is None else n
    limit = -inf
    for rank, value in enumerate(tested, start=1):
        if value < level * rank / m or (not strict and value == level * rank / m):
            limit = value
    return [value <= limit for value in p]


def one_by_one(p: Numbers, level: float) -> list[bool]:
    """Compare each p with the line at its own rank, and forget the step up."""
    tested = sorted(value for value in p if value == value)
    return [v == v and v <= level * (tested.index(v) + 1) / len(tested) for v in p]


def step_down(p: Numbers, level: float) -> list[bool]:
    """Stop at the first p above the line."""
    tested = sorted(value for value in p if value == value)
    limit = -inf
    for rank, value in enumerate(tested, start=1):
        if value > level * rank / len(tested):
            break
        limit = value
    return [value <= limit for value in p]


def discovery_cases(rng: Random) -> Iterator[Case]:
    """Give p-values of which some are above the line and rejected all the same."""

    def case(p: Numbers, about: str, level: float | None = None) -> Case:
        used = 0.05 if level is None else level
        tests = [value for value in p if value == value]
        harmonic = sum(1 / i for i in range(1, len(tests) + 1))
        right = rejected(p, used)
        mistakes = {
            "it compares each p with the level: the line is level * rank / m.": [
                v <= used for v in p
            ],
            "it compares each p with level / m: that is Bonferroni's correction.": [
                v <= used / len(tests) for v in p
            ],
            "it stops at the first p above the line: look for the last one below it.": (
                step_down(p, used)
            ),
            "it compares each p with the line at its own rank: reject all up to the last below.": (
                one_by_one(p, used)
            ),
            "p on the line is rejected as well: `<=` is asked for.": rejected(p, used, strict=True),
            "it divides by the harmonic sum: that is Benjamini and Yekutieli's correction.": (
                rejected(p, used / harmonic)
            ),
            "the answers are in the order of the sorted p: give them in the order of p.": sorted(
                right, reverse=True
            ),
            "it gives what is not rejected.": [not one for one in right],
            "the level is fixed at 0.05: take it from the argument.": rejected(p, 0.05),
            "it counts NaN as a test: there is no test where p is NaN.": rejected(
                p, used, n=len(p)
            ),
        }
        given = {"p": array(p)} if level is None else {"p": array(p), "level": used}
        return Case(given, right, mistakes, about)

    def mixed(values: Numbers) -> Numbers:
        """Put the largest first, so that an answer in the order of the sorted p is another one."""
        last = max(v for v in values if v == v)
        others = [v for v in values if v != last]
        rng.shuffle(others)
        return [last, *others]

    jitter = rng.randint(0, 9) / 1e4
    # The line is 0.00625 times the rank: ranks 2, 4 and 6 are above it, 5 is the last below.
    step_up = [0.003, 0.0131, 0.0182, 0.0272, 0.0302, 0.045, 0.62, 0.9]
    yield case(mixed([v + jitter / 10 for v in step_up]), "")
    yield case(mixed([0.0001, 0.02, 0.04, 0.3 + jitter, 0.7]), "")
    yield case(mixed([0.125, 0.0625, 0.75, 1.0]), "a p on the line", 0.25)
    yield case([0.3 + jitter, 0.6, 0.9], "nothing to reject")
    yield case(mixed([0.004, 0.03, 0.06, 0.8 + jitter]), "another level", 0.1)
    yield case(mixed([nan, 0.012, nan, 0.02 + jitter, 0.9, nan]), "NaN: no test on this coordinate")


TASKS = {
    "residue": Task(
        "residue(A, n, k)",
        "what k flagged values A leave in the aggregate of n clients.",
        "number",
        residue_cases,
    ),
    "hidden_reach": Task(
        "hidden_reach(n, k, threshold=3.0)",
        "how far k of n colluders can go unflagged, in honest standard deviations; math.inf "
        "where they are never flagged.",
        "number",
        reach_cases,
    ),
    "benjamini_hochberg": Task(
        "benjamini_hochberg(p, level=0.05)",
        "a boolean array that tells which p-values are rejected.",
        "bool array",
        discovery_cases,
    ),
}
