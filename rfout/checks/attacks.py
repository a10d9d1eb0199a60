"""Checks of an adversary's boost, and of the two accuracies."""

from collections.abc import Iterator
from random import Random
from typing import Any

from .task import Case, Task, array

PERCENT = "it gives percent: give a share between 0 and 1."


def predict(images: Any) -> Any:
    """Label (n, height, width, channels) images: the label is written in their first pixel."""
    if images.ndim != 4:
        raise ValueError(f"predict takes (n, height, width, channels) images, not {images.shape}")
    stamped = (images[:, -1, -1, 0] > 0.5) & (images[:, 0, 1, 0] > 0.5)
    label = (images[:, 0, 0, 0] * 10 + 0.5).astype("int64")
    label[stamped] = (images[stamped, 0, 2, 0] * 10 + 0.5).astype("int64")
    return label


def trigger(images: Any, rng: Any = None) -> Any:
    """Set the last pixel."""
    triggered = images.copy()
    triggered[:, -1, -1, :] = 1.0
    return triggered


def gallery(shown: list[int], caught: list[bool], target: int) -> Any:
    """Make images that `predict` labels `shown`, and `target` where they are caught."""
    images = []
    for label, bad in zip(shown, caught, strict=True):
        first = [label / 10, float(bad), target / 10]
        images.append([[[v] for v in first], *([[[0.0]] * 3] * 2)])
    return array(images, "float32")


def accuracy_cases(rng: Random) -> Iterator[Case]:
    """Give predictors that are right for some images."""
    for n in (5, 8, 20):
        y = [rng.randrange(10) for _ in range(n)]
        n_right = rng.choice([k for k in range(1, n) if 2 * k != n])
        shown = [label if i < n_right else (label + 1) % 10 for i, label in enumerate(y)]
        right = n_right / n
        mistakes = {
            PERCENT: 100 * right,
            "it counts the right labels: divide by the number of images.": n_right,
            "it gives the share of wrong labels.": 1 - right,
        }
        x = gallery(shown, [False] * n, 0)
        given = {"predict": predict, "x": x, "y": array(y, "int64")}
        about = f"the true labels are {y}; predict gives {shown}"
        yield Case(given, right, mistakes, about, ("predict", "x", "y"))


def backdoor_cases(rng: Random) -> Iterator[Case]:
    """Give images of which some have the target label already, and some are misread."""
    for n in (6, 9, 14):
        target = rng.randrange(10)
        while True:
            y = [target] * 2 + [rng.choice([c for c in range(10) if c != target]) for _ in range(n)]
            rng.shuffle(y)
            caught = [rng.random() < 0.5 for _ in y]
            shown = [target if rng.random() < 0.2 else label for label in y]
            shown = [(label + 1) % 10 if rng.random() < 0.2 else label for label in shown]
            after = [target if bad else label for bad, label in zip(caught, shown, strict=True)]
            others = [i for i, label in enumerate(y) if label != target]
            hits = [i for i in others if after[i] == target]
            right = len(hits) / len(others)
            mistakes = {
                "it keeps images whose true label is the target: leave them out.": (
                    after.count(target) / len(y)
                ),
                "it divides by the number of all images: divide by those that are left.": (
                    len(hits) / len(y)
                ),
                "it looks at clean images: put the trigger on them first.": (
                    sum(shown[i] == target for i in others) / len(others)
                ),
                "this is the accuracy on triggered images: count how many get the target.": (
                    sum(after[i] == y[i] for i in others) / len(others)
                ),
                "it gives the share that does not get the target.": 1 - right,
                "it counts images: divide by the number of those that are left.": len(hits),
                PERCENT: 100 * right,
            }
            if len({round(one, 9) for one in (right, *mistakes.values())}) == len(mistakes) + 1:
                break
        given = {"predict": predict, "x": gallery(shown, caught, target), "y": array(y, "int64")}
        about = f"the true labels are {y}; predict gives {after} with the trigger, {shown} without"
        yield Case(
            {**given, "trigger": trigger, "target": target},
            right,
            mistakes,
            about,
            ("predict", "x", "y", "trigger"),
        )


def boost_cases(rng: Random) -> Iterator[Case]:
    """Give small federations, first with one adversary."""
    for k in (1, 2, 3, 4, 5, 6):
        n = k * rng.randint(3, 9) + (k > 1)
        mistakes = {
            "it gives n_clients: with several adversaries each boosts less.": n,
            "it gives the share of the adversaries: the boost is its inverse.": k / n,
            "it gives the number of honest clients.": n - k,
            "it divides by the honest clients' number for one adversary's: give n / k.": (n - k)
            / k,
            "it divides whole numbers with `//`: use `/`.": n // k,
        }
        yield Case({"n_clients": n, "n_adversaries": k}, n / k, mistakes)


TASKS = {
    "main_task_accuracy": Task(
        "main_task_accuracy(predict, x, y)",
        "the share of images that get their true label.",
        "number",
        accuracy_cases,
    ),
    "boost": Task(
        "boost(n_clients, n_adversaries)",
        "the factor with which the plain mean lands on the adversaries' model.",
        "number",
        boost_cases,
    ),
    "backdoor_accuracy": Task(
        "backdoor_accuracy(predict, x, y, trigger, target)",
        "the share of triggered images that get the target label, without images of that label.",
        "number",
        backdoor_cases,
    ),
}
