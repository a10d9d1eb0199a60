"""The check of what a server makes of a client's reply, which may be hostile."""

from collections.abc import Iterator
from random import Random
from typing import Any

from .task import Case, Task, array


def reply_cases(rng: Random) -> Iterator[Case]:
    """Give replies to a model of two layers, right and wrong ones in turn."""

    def layers(dtype: str = "float32", shape: tuple[int, int] = (2, 3)) -> list[Any]:
        matrix = [[rng.randint(-9, 9) / 4 for _ in range(shape[1])] for _ in range(shape[0])]
        return [array(matrix, dtype), array([rng.randint(-9, 9) / 4] * 3, dtype)]

    def spoilt(value: float) -> list[Any]:
        reply = layers()
        reply[0][rng.randrange(2), rng.randrange(3)] = value
        return reply

    replies: list[tuple[list[Any], bool, str]] = [
        (layers(), True, "the right shapes, finite numbers"),
        (spoilt(float("nan")), False, "a NaN in the first layer"),
        (spoilt(float("inf")), False, "an infinite value in the first layer"),
        (spoilt(float("-inf")), False, "a value of minus infinity in the first layer"),
        (spoilt(1e30), True, "a huge number: it is finite, and the rule's to judge"),
        (layers()[:1], False, "a layer is missing"),
        ([*layers(), array([1.0])], False, "a layer too many"),
        ([], False, "no layer"),
        (layers(shape=(3, 2)), False, "the right number of values in another shape"),
        ([layers()[0], array([1.0], "float32")], False, "a shape that NumPy would broadcast"),
        ([layers()[0], array(["a", "b", "c"], "str")], False, "text in place of numbers"),
        ([layers()[0], array([1.0, None, 2.0], "object")], False, "Python objects"),
        (layers("float64"), True, "numbers in double precision"),
    ]
    sentence = {True: "this reply is usable", False: "this reply is not usable"}
    for arrays, usable, about in replies:
        mistakes = {f"{sentence[usable]}: {about}.": not usable}
        yield Case({"arrays": arrays, "model": layers()}, usable, mistakes, about)


TASKS = {
    "reply_is_usable": Task(
        "reply_is_usable(arrays, model)",
        "whether a client's arrays have the model's shapes and hold finite numbers.",
        "bool",
        reply_cases,
    ),
}
