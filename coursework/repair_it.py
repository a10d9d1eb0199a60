"""Items of the assignment "Repair it"."""

import math

import numpy as np

from rfout.checks import TASKS
from rfout.checks.plain import average, by_coordinate, columns_to_rows, middle, reshaped, spread
from rfout.checks.rules import honest
from rfout.checks.task import Case, Task, array, explain, same

from . import faults
from .answers import Unanswered, number, once

A = 1000.0  # what the outliers of the second task send


CENTERS = {"mean": average, "median": middle}


def relative(values, rule, **other):
    """Apply a student's rule, or one that differs a little, to one coordinate's values."""
    rule = {**rule, **other}
    center, limit = (
        CENTERS[rule["center"]](values),
        rule["threshold"] * spread(values, rule["ddof"]),
    )
    result = []
    for value in values:
        far = abs(value - center)
        if far < limit or (rule["strict"] and far == limit) or far == 0:
            result.append(value)
        elif rule["replacement"] != "drop":
            result.append(CENTERS[rule["replacement"]](values))
    return average(result) if result else center


def decided(values, threshold):
    """Whether no center and no standard deviation decides by a hair, which rounding could turn."""
    return not any(
        abs(abs(v - center(values)) - threshold * spread(values, ddof)) < 1e-3
        for center in CENTERS.values()
        for ddof in (0, 1)
        for v in values
    )


def largest_z(mine, k):
    """How many s from m k colluders are, who send any A where the others send 0."""
    values = [A] * k + [0.0] * (mine["n_clients"] - k)
    center = CENTERS[mine["rule"]["center"]](values)
    return (A - center) / spread(values, mine["rule"]["ddof"])


def theory(key, right):
    """Compare a number of the student's with what the rule gives."""

    def grade(answers, record, rng):
        found = answers.value("theory")
        if not isinstance(found, dict) or found.get(key) is None:
            raise Unanswered(f"`theory` has no value for {key!r}.")
        wanted = right(record["mine"])
        if isinstance(wanted, bool):
            plain = found[key].item() if isinstance(found[key], np.bool_) else found[key]
            if not isinstance(plain, bool):
                return f"`theory[{key!r}]` should be True or False."
            return None if plain == wanted else f"`theory[{key!r}]` is not right for your rule."
        given = number(found[key], f"`theory[{key!r}]`")
        if abs(given - wanted) > 0.01 * abs(wanted) + 1e-6:
            return f"`theory[{key!r}]` is not right for your rule and your clients."

    return grade


def seen(mine):
    """Whether all of the colluders together are flagged, however far they go."""
    return largest_z(mine, mine["n_adversaries"]) > mine["rule"]["threshold"]


def left(mine):
    """What one outlier leaves in the aggregate."""
    return relative([A] + [0.0] * (mine["n_clients"] - 1), mine["rule"])


def rule_task(rule, examples):
    """Make a task of the student's rule: `examples(rng)` gives columns, shape, about."""
    mistakes = {
        "it flags nothing: this is the plain mean.": {"threshold": 1e9},
        "the threshold is another.": {"threshold": rule["threshold"] + 1},
        "it takes the other center.": {
            "center": {"mean": "median", "median": "mean"}[rule["center"]]
        },
        "it takes the other standard deviation (ddof).": {"ddof": 1 - rule["ddof"]},
        "it decides the other way for a value at the threshold.": {"strict": not rule["strict"]},
        **{
            f"a flagged value is treated as by another rule ({other}).": {"replacement": other}
            for other in (*CENTERS, "drop")
            if other != rule["replacement"]
        },
    }

    def cases(rng):
        for columns, shape, about in examples(rng):
            rows = columns_to_rows(columns)

            def answer(rows=rows, shape=shape, **other):
                return reshaped(by_coordinate(lambda v: relative(v, rule, **other), rows), shape)

            wrong = {sentence: answer(**other) for sentence, other in mistakes.items()}
            updates = array([reshaped(row, shape) for row in rows])
            yield Case({"updates": updates}, answer(), wrong, about)

    return Task("aggregate(updates)", "", "float array", cases)


def far_out(rng, rule, n=22):
    """Values of which one is far outside, and no decision is close."""
    while True:
        values = honest(rng, n, float(rng.choice((-1, 1)) * rng.randint(60, 90)))
        if decided(values, rule["threshold"]):
            return values


def at_the_edge(rng, rule):
    """Values of which one is exactly threshold * s from the center, whichever that is."""
    c, step = rule["threshold"], float(rng.randint(1, 6))
    values = [c * step] + [-step] * c + [0.0] * (c * c - 1 + rule["ddof"])
    rng.shuffle(values)
    return values


def just_outside(rng, rule):
    """Values that the rule flags with one ddof and not with the other."""
    while True:
        values = honest(rng, 22, float(rng.choice((-1, 1)) * rng.randint(4, 40)))
        apart = abs(relative(values, rule, ddof=0) - relative(values, rule, ddof=1))
        if apart > 0.01 and decided(values, rule["threshold"]):
            return values


def graded(make):
    """Grade the student's `aggregate` on examples."""

    def grade(answers, record, rng):
        rule = record["mine"]["rule"]
        task = rule_task(rule, lambda rng: make(rng, rule))
        fn = answers.function("aggregate")
        return explain(task, lambda updates: fn(updates.copy()), rng)[0]

    return grade


def plain_examples(rng, rule):
    """Updates with an outlier on each coordinate."""
    for _ in range(3):
        yield [far_out(rng, rule) for _ in range(3)], (3,), ""


def edge_examples(rng, rule):
    """Updates with a value at the threshold, beside an outlier that is beyond it."""
    for _ in range(2):
        values = at_the_edge(rng, rule)
        columns = [values, far_out(rng, rule, len(values))]
        yield columns, (2,), "the first coordinate has a value exactly at the threshold"


def scale_examples(rng, rule):
    """Updates that tell one standard deviation from the other, beside a plain outlier."""
    for _ in range(3):
        yield [just_outside(rng, rule), far_out(rng, rule)], (2,), ""


def shapes(answers, record, rng):
    """Any trailing shape, and the input as it was."""
    rule = record["mine"]["rule"]

    def examples(rng):
        for shape in ((), (2, 3), (2,)):
            columns = [far_out(rng, rule) for _ in range(math.prod(shape))]
            yield columns, shape, f"a shape of {shape} for each client"

    return explain(rule_task(rule, examples), answers.function("aggregate"), rng)[0]


def counterexample(answers, record, rng):
    """Updates on which the colleague's rule and RFOut-1d differ."""
    found = answers.value("counterexample")
    if not isinstance(found, np.ndarray) or found.ndim != 2 or not 2 <= found.size <= 10_000:
        return "`counterexample` should be an array of (n_clients, n_coordinates) numbers."
    updates = np.array(found.tolist(), dtype=float)
    if not np.isfinite(updates).all():
        return "`counterexample` has a value that is not finite."
    paper = {"threshold": 3, "center": "mean", "ddof": 0, "strict": True, "replacement": "mean"}
    right = by_coordinate(lambda values: relative(values, paper), updates.tolist())
    theirs = {}
    exec(faults.faulty_rule(record["secret"]["fault"]), theirs)
    with np.errstate(all="ignore"):
        wrong = theirs["rule"](updates).tolist()
    if same(wrong, right, 1e-6):
        return "the colleague's rule is right for your `counterexample`."


def repaired(answers, record, rng):
    """The check of the book's exercise."""
    return explain(TASKS["rule"], answers.function("rule"), rng)[0]


def defended(which):
    """Run the attacked federation with the student's defence, on the student's own numbers."""

    def grade(answers, record, rng):
        run, defend = record["run"], answers.function("defend")
        main, backdoor = once(answers, "defended", lambda: run.last(run.checked(defend)))
        if which == "backdoor" and not backdoor < 0.1:
            return f"the backdoor accuracy ends at {backdoor:.2f}: it should end below 0.1."
        lowest = record["measured"]["no attack"][0] - 0.02
        if which == "main" and not main >= lowest:
            return f"the main-task accuracy ends at {main:.2f}: it should reach {lowest:.2f}."

    return grade


ITEMS = {
    "largest_z": (1, "how far the colluders can be from m, in s",
                  theory("largest z", lambda mine: largest_z(mine, mine["n_adversaries"]))),
    "seen": (1, "whether your rule can flag them", theory("seen", seen)),
    "left": (1, "what one outlier leaves", theory("left", left)),
    "plain": (2, "`aggregate` for outliers far away", graded(plain_examples)),
    "scale": (1, "the standard deviation in `aggregate`", graded(scale_examples)),
    "edge": (1, "a value at the threshold in `aggregate`", graded(edge_examples)),
    "shapes": (1, "`aggregate` for any shape, its input as it was", shapes),
    "counterexample": (1, "updates that show the colleague's fault", counterexample),
    "repaired": (1, "`rule` without the fault", repaired),
    "defend_backdoor": (2, "`defend` keeps the backdoor accuracy below 0.1", defended("backdoor")),
    "defend_main": (2, "`defend` keeps the main-task accuracy", defended("main")),
}  # fmt: skip
