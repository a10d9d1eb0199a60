"""Checks for the exercises: each says in which way an answer is wrong, with an example.

A check calls the reader's function on fresh random input and compares what it gives with an oracle
of its own. The oracles are plain Python over lists, so a replaced NumPy function changes nothing in
them. NumPy and Python are all that a check needs.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from . import aggregators, attacks, replies, rules, theory, triggers, whole_updates
from .task import Task, explain

__all__ = ["check"]

ROOMS = (aggregators, attacks, triggers, rules, theory, whole_updates, replies)
TASKS: dict[str, Task] = {name: task for room in ROOMS for name, task in room.TASKS.items()}
"""Name to task, in the order in which `check` lists them."""


def check(name: str | None = None, fn: Callable[..., Any] | None = None) -> bool | None:
    """Check a function, and print whether it is right or in which way it is wrong.

    Parameters
    ----------
    name
        Of the exercise; None lists all of them with a line each.
    fn
        The function that you wrote; None says what it should do.

    Returns
    -------
    bool or None
        Whether the function is right; None where there was none to check.

    Raises
    ------
    ValueError
        If there is no exercise of this name.

    Examples
    --------
    >>> check("boost", lambda n_clients, n_adversaries: n_clients / n_adversaries)
    Right: boost, in 6 examples.
    True
    >>> check("residue")
    residue(A, n, k): what k flagged values A leave in the aggregate of n clients.
    """
    if name is None:
        print("\n".join(f"{task.call}: {task.does}" for task in TASKS.values()))
        return None
    if name not in TASKS:
        raise ValueError(f"there is no check {name!r}; the checks are {', '.join(TASKS)}")
    task = TASKS[name]
    if fn is None:
        print(f"{task.call}: {task.does}")
        return None
    wrong, n_examples = explain(task, fn, Random())
    print(wrong or f"Right: {name}, in {n_examples} examples.")
    return wrong is None
