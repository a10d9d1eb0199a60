"""The items that are graded by tests: what each asks of a submission, and its points."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from . import break_it, repair_it
from .answers import Unanswered


@dataclass(frozen=True)
class Item:
    """A graded item.

    Attributes
    ----------
    points
        Whole; given all or not at all.
    about
        What is graded, for the student.
    grade
        ``grade(answers, record, rng)`` gives None if the item is right, else a sentence; `record`
        is the student's entry in the key.
    """

    points: int
    about: str
    grade: Callable[..., str | None]


ITEMS = {
    name: {key: Item(*found) for key, found in module.ITEMS.items()}
    for name, module in (("break-it", break_it), ("repair-it", repair_it))
}


def judge(assignment: str, name: str, answers: Any, record: dict) -> str | None:
    """Give None if the item is right, else the sentence for the student."""
    try:
        return ITEMS[assignment][name].grade(answers, record, Random())
    except Unanswered as said:
        return str(said)
    except Exception as error:  # a function of the submission raised it
        return f"your code raises {type(error).__name__}: {error}"[:400]
