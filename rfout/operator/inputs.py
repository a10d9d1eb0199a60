"""What a client may send, and what is said when it sends something else.

Nothing here reads the values: that would cost as much as the aggregate. The walk finds NaN and
infinity on its way.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rows import Rows, floating_dtype
from .rule import Rule

Array = NDArray[Any]


class NotFiniteError(ValueError):
    """An update has a value that is not finite."""


@dataclass(frozen=True)
class Layer:
    """One layer as the walk reads it: a row for each client that is kept.

    Attributes
    ----------
    rows
        Each client's values in a line, as views.
    shape
        Of a client's layer.
    """

    rows: Rows
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Given:
    """What was given, checked but for its values.

    Attributes
    ----------
    n_given
        Number of clients.
    layered
        Whether each client sent a list of layers.
    kept
        The clients, by their number, whose rows are in `layers`.
    layers
        Their layers.
    left_out
        Why the others are not there, by client.
    """

    n_given: int
    layered: bool
    kept: list[int]
    layers: list[Layer]
    left_out: dict[int, str]

    def not_finite(self, row: int, layer: int, place: int) -> str:
        """Say which client, in which row, has a value that is not finite, and where."""
        index = tuple(int(i) for i in np.unravel_index(place, self.layers[layer].shape))
        where = f" at index {index}" if index else ""
        value = self.layers[layer].rows[row][place]
        return f"{_where(self.kept[row], layer, self.layered)}: the update has {value}{where}"


def nobody_left(left_out: dict[int, str]) -> ValueError:
    """Make the error for a call that leaves every client out."""
    reason = "; ".join(left_out[client] for client in sorted(left_out)[:3])
    return ValueError(f"every client was left out, and nothing is to be averaged: {reason}")


def _where(client: int, layer: int, layered: bool) -> str:
    return f"client {client}, layer {layer}" if layered else f"client {client}"


def _layer(arrays: list[Array] | Array) -> Layer:
    """Read the clients' arrays of one layer, or one array of all, as rows."""
    shape = np.shape(arrays[0])
    if isinstance(arrays, np.ndarray):
        if arrays.ndim == 2:
            return Layer(arrays, shape)
        if arrays.flags.c_contiguous:
            return Layer(arrays.reshape(len(arrays), -1), shape)
    lines = [a.reshape(-1) if a.flags.c_contiguous else a.flat for a in map(np.asarray, arrays)]
    return Layer(lines, shape)


def read(updates: Any, on_invalid: str) -> Given:
    """Look at what was given without copying it.

    Raises
    ------
    TypeError, ValueError
        As `rfout.rfout1d` documents.
    """
    if isinstance(updates, (str, bytes, dict, set, frozenset)) or updates is None:
        raise TypeError(f"updates must be an array or a list of clients, not {_kind(updates)}")
    if not isinstance(updates, (list, tuple)):
        array, problem = as_array(updates)
        if problem is not None:
            raise type(problem)(f"updates: {problem}")
        if array.ndim == 0 or len(array) == 0:
            raise ValueError(
                f"updates need clients on axis 0, at least one; their shape is {array.shape}"
            )
        return Given(len(array), False, list(range(len(array))), [_layer(array)], {})
    if len(updates) == 0:
        raise ValueError("updates need clients, at least one; the list is empty")
    layered = any(_is_layers(one) for one in updates)
    arrays, problems = _read_each(updates, layered)
    if problems and on_invalid == "raise":
        raise next(iter(problems.values()))
    left_out = {client: str(problem) for client, problem in problems.items()}
    kept = [client for client in range(len(updates)) if client not in left_out]
    if not kept:
        raise nobody_left(left_out)
    layers = [_layer(list(one)) for one in zip(*(arrays[i] for i in kept), strict=True)]
    return Given(len(updates), layered, kept, layers, left_out)


def read_array(updates: Any) -> Array:
    """Read one finite floating (n_clients, ...) array, for the rivals; not copied if it is one.

    Raises
    ------
    TypeError, ValueError
        As `rfout.rfout1d` does with ``on_invalid="raise"``; for lists of layers too.
    """
    given = read(updates, "raise")
    if given.layered:
        raise TypeError("updates must be one array for each client here, not a list of layers")
    layer = given.layers[0]
    whole = isinstance(updates, np.ndarray)
    array = updates if whole else np.stack([np.asarray(row) for row in layer.rows])
    array = array.reshape(given.n_given, *layer.shape)
    array = array.astype(floating_dtype(layer.rows), copy=False)
    with np.errstate(over="ignore", invalid="ignore"):  # a sum may overflow where no value does
        sums = array.reshape(len(array), -1).sum(axis=1, dtype=np.float64)
    for client in np.flatnonzero(~np.isfinite(sums)):
        places = np.flatnonzero(~np.isfinite(array[client]))
        if len(places):
            raise NotFiniteError(given.not_finite(int(client), 0, int(places[0])))
    return array


def _read_each(
    updates: Sequence[Any], layered: bool
) -> tuple[dict[int, list[Array]], dict[int, Exception]]:
    """Each client's layers as arrays, and what is wrong with whom."""
    arrays: dict[int, list[Array]] = {}
    problems: dict[int, Exception] = {}
    for client, sent in enumerate(updates):
        if layered and not isinstance(sent, (list, tuple)):
            problems[client] = TypeError(
                f"client {client}: a list of layers is expected, as others sent, not {_kind(sent)}"
            )
            continue
        arrays[client] = []
        for layer, one in enumerate(sent if layered else [sent]):
            array, problem = as_array(one)
            if problem is not None:
                where = _where(client, layer, layered)
                problems[client] = type(problem)(f"{where}: {problem}")
                del arrays[client]
                break
            arrays[client].append(array)

    shapes = {client: tuple(a.shape for a in sent) for client, sent in arrays.items()}
    if len(set(shapes.values())) > 1:
        # What most clients sent is right, not what the first one sent: it may be the adversary.
        (usual, n), (_, runner_up) = Counter(shapes.values()).most_common(2)
        for client, shape in shapes.items():
            if shape != usual:
                problems[client] = ValueError(_difference(client, layered, shape, usual))
        if n == runner_up:
            first = min(problems)
            raise ValueError(f"{problems[first]}; no shape is that of most, so none can be right")
    return arrays, dict(sorted(problems.items()))


def _difference(client: int, layered: bool, shape: tuple[Any, ...], usual: tuple[Any, ...]) -> str:
    if len(shape) != len(usual):
        layer = min(len(shape), len(usual))
        return (
            f"{_where(client, layer, layered)}: {len(shape)} layers were sent where other clients "
            f"have {len(usual)}"
        )
    layer = next(i for i, (a, b) in enumerate(zip(shape, usual, strict=True)) if a != b)
    return (
        f"{_where(client, layer, layered)}: the shape is {shape[layer]} where other clients "
        f"have {usual[layer]}"
    )


def _is_layers(sent: Any) -> bool:
    """Whether it is a list of arrays, and not a list of numbers, which is itself an array."""
    return isinstance(sent, (list, tuple)) and any(
        hasattr(one, "__array__") and not isinstance(one, np.generic) for one in sent
    )


def as_array(sent: Any) -> tuple[Array, Exception | None]:
    """Read what one client sent for one layer; gives the array, and what is wrong with it."""
    nothing: Array = np.empty(0)
    if isinstance(sent, np.ma.MaskedArray):
        return nothing, TypeError("a masked array is not taken: fill it, or leave the client out")
    try:
        array = np.asarray(sent)
    except Exception as error:  # whatever an object's own __array__ raises
        reason = " ".join(str(error).split())[:120]
        return nothing, ValueError(f"{_kind(sent)} cannot be read as an array ({reason})")
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        return nothing, TypeError(
            "updates must be real numbers of at most 64 bits, and these are of dtype "
            f"{str(array.dtype)[:80]}"
        )
    return array, None


def _kind(thing: Any) -> str:
    return f"a {type(thing).__name__}"


def read_rule(threshold: Any, center: Any, scale: Any, replacement: Any) -> Rule:
    """Check the keyword arguments that make the rule."""
    if not isinstance(threshold, Real) or isinstance(threshold, bool):
        raise TypeError(f"threshold must be a positive number of sigmas, not {threshold!r}")
    if not 0 < float(threshold) < np.inf:
        raise ValueError(f"threshold must be a positive number of sigmas, not {threshold!r}")
    for name, value, choices in (
        ("center", center, ("mean", "median")),
        ("scale", scale, ("std", "mad")),
        ("replacement", replacement, ("center", "drop")),
    ):
        check_choice(name, value, choices)
    return Rule(float(threshold), center, scale, replacement)


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Raise ValueError where an argument is none of its choices."""
    if not isinstance(value, str) or value not in choices:
        listed = " or ".join(f'"{choice}"' for choice in choices)
        raise ValueError(f"{name} must be {listed}, not {value!r}")
