"""What a check is made of, and how an answer is compared with the oracle's."""

import inspect
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

import numpy as np

# Bound here, so that a function replaced later in NumPy or in builtins is not ours.
_Array, _Scalar, _array = np.ndarray, np.generic, np.array

Kind = Literal["same dtype", "float array", "bool array", "number", "bool"]


@dataclass(frozen=True)
class Case:
    """One example: what the function is called with, and what it should give.

    Attributes
    ----------
    arguments
        Name to value, in the order of the signature.
    expected
        The right answer: numbers in nested lists, one number, or a bool.
    mistakes
        Sentence to the answer that the mistake leads to; those equal to the right one do no harm.
    about
        What is special about this example.
    hidden
        Names of arguments that are not printed.
    """

    arguments: dict[str, Any]
    expected: Any
    mistakes: dict[str, Any] = field(default_factory=dict)
    about: str = ""
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """An exercise: its signature, a line on what it does, what it gives, and its examples."""

    call: str
    does: str
    gives: Kind
    cases: Callable[[Random], Iterator[Case]]


def explain(task: Task, fn: Any, rng: Random) -> tuple[str | None, int]:
    """Say in which way `fn` is wrong, None if it is right; and how many examples it was given."""
    if not callable(fn):
        return f"Not yet: {task.call.partition('(')[0]} is {_kind(fn)} and not a function.", 0
    answers: list[tuple[Case, Any, float]] = []
    for case in task.cases(rng):
        answer, wrong = _ask(task, case, fn)
        if wrong and all(same(a, c.expected, t) for c, a, t in answers):
            return _told(task, wrong, case), len(answers)
        if wrong:
            break
        answers.append((case, _plain(answer), _tolerance(answer)))
    wrong_ones = [one for one in answers if not same(one[1], one[0].expected, one[2])]
    if not wrong_ones:
        return None, len(answers)
    case, plain, _ = wrong_ones[0]
    everywhere, here = (_explaining(some, case.mistakes) for some in (answers, wrong_ones[:1]))
    if everywhere or len(here) == 1:
        sentence = [*everywhere, *here][0]
    else:
        nan = any(math.isnan(value) for value in _flat(plain))
        sentence = "there is a NaN in the answer." if nan else "the numbers differ."
    shown = f"It should be {_text(case.expected)} and is {_text(plain)}."
    return _told(task, f"{sentence}\n{shown}", case), len(answers)


def _told(task: Task, wrong: str, case: Case) -> str:
    about = f"{task.call}; {case.about}" if case.about else task.call
    shown = [(name, value) for name, value in case.arguments.items() if name not in case.hidden]
    example = "\n".join(f"    {name} = {_text(value)}" for name, value in shown)
    return f"Not yet: {wrong}\nThe example, {about}:\n{example}"


def _explaining(answers: list[tuple[Case, Any, float]], sentences: Iterable[str]) -> list[str]:
    """Name the mistakes that give all of these answers."""
    return [
        sentence
        for sentence in sentences
        if all(same(a, case.mistakes.get(sentence, case.expected), t) for case, a, t in answers)
    ]


def _ask(task: Task, case: Case, fn: Callable[..., Any]) -> tuple[Any, str | None]:
    given = deepcopy(case.arguments)
    try:
        answer = _call(fn, given)
    except Exception as error:
        return None, f"your function raises {type(error).__name__}: {error}"
    for name, before in case.arguments.items():
        if not _untouched(before, given[name]):
            return None, f"your function changes `{name}` in place. Work on a copy of it."
    return answer, _form(task, case, answer)


def _call(fn: Callable[..., Any], given: dict[str, Any]) -> Any:
    """Call a function as its signature asks; what it warns of is its own business."""
    try:
        parameters: Mapping[str, inspect.Parameter] = inspect.signature(fn).parameters
    except (TypeError, ValueError):  # of a builtin
        parameters = {}
    named = {
        name: value
        for name, value in given.items()
        if name in parameters and parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fn(*(value for name, value in given.items() if name not in named), **named)


def _untouched(before: Any, after: Any) -> bool:
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_untouched, before, after))
    if isinstance(before, _Array):
        return before.tobytes() == after.tobytes() and before.shape == after.shape
    return True


def _form(task: Task, case: Case, answer: Any) -> str | None:
    """What is wrong with the kind, the shape or the dtype of an answer."""
    if answer is None:
        return "your function returns None. Is there a `return`?"
    if task.gives in ("number", "bool"):
        return _scalar_form(task.gives, answer)
    shape = _shape(case.expected)
    if type(answer) is not _Array:
        if isinstance(answer, float) and shape == ():
            return None
        if not isinstance(answer, _Scalar):
            return f"your function gives {_kind(answer)}. It should give a NumPy array."
    if answer.shape != shape:
        return f"the answer has the shape {answer.shape}. It should be {shape}."
    first = next(iter(case.arguments.values()))
    wanted = first.dtype if task.gives == "same dtype" else None
    if wanted is not None and answer.dtype != wanted:
        return f"the answer has the dtype {answer.dtype}. It should be that of the input, {wanted}."
    kinds = {"bool array": "b"}.get(task.gives, "f")
    if answer.dtype.kind not in kinds:
        what = "booleans" if kinds == "b" else "floating numbers"
        return f"the answer has the dtype {answer.dtype}. It should be an array of {what}."
    return None


def _scalar_form(gives: str, answer: Any) -> str | None:
    plain = _plain(answer)
    if gives == "bool":
        right = isinstance(plain, bool)
        return None if right else f"your function gives {_kind(answer)}. Give True or False."
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        return f"your function gives {_kind(answer)}. It should give one number."
    return None


def _tolerance(answer: Any) -> float:
    single = isinstance(answer, _Array | _Scalar) and answer.dtype.itemsize < 8
    return 1e-4 if single else 1e-9


def same(answer: Any, expected: Any, tolerance: float) -> bool:
    """Whether nested lists of numbers agree, to a tolerance relative to the largest expected."""
    if _shape(answer) != _shape(expected):
        return False
    wanted = _flat(expected)
    largest = max((abs(value) for value in wanted if math.isfinite(value)), default=0.0)
    return all(
        a == b or abs(a - b) <= tolerance * (largest + 0.1)
        for a, b in zip(_flat(answer), wanted, strict=True)
    )


def _plain(answer: Any) -> Any:
    """Turn an answer into Python's own numbers, by methods that no subclass can replace."""
    if isinstance(answer, _Array):
        answer = _Array.tolist(answer)
    elif isinstance(answer, _Scalar):
        answer = _Scalar.tolist(answer)
    if isinstance(answer, float):
        return float.__add__(answer, 0.0)
    if isinstance(answer, int) and not isinstance(answer, bool):
        return int.__add__(answer, 0)
    return answer


def _flat(values: Any) -> list[float]:
    if isinstance(values, list):
        return [one for part in values for one in _flat(part)]
    return [values]


def _shape(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list):
        return ()
    return (len(values), *(_shape(values[0]) if values else ()))


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeioAEIO" else f"a {name}"


def _text(value: Any) -> str:
    """Write numbers short, and a large array by its shape alone."""
    if isinstance(value, _Array):
        if value.size > 60:
            return f"an array of shape {value.shape}, {value.dtype}"
        dtype = "" if value.dtype in (float, int, bool) else f", dtype={value.dtype}"
        return f"array({_text(value.tolist())}{dtype})"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(_text(one) for one in value[:60])}{', ...' * (len(value) > 60)}]"
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


def array(rows: Any, dtype: str = "float64") -> Any:
    """Make an array of nested lists."""
    return _array(rows, dtype=dtype)
