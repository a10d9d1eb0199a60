"""What was given to the operator, as rows for the walk.

Nothing here but `read_array` reads the values: that would cost as much as the aggregate. The walk
finds NaN and infinity on its way.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import sent
from .rows import Rows, floating_dtype

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
        return f"{sent.where(self.kept[row], layer, self.layered)}: the update has {value}{where}"


def nobody_left(left_out: dict[int, str]) -> ValueError:
    """Make the error for a call that leaves every client out."""
    reason = "; ".join(left_out[client] for client in sorted(left_out)[:3])
    return ValueError(f"every client was left out, and nothing is to be averaged: {reason}")


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
        raise TypeError(f"updates must be an array or a list of clients, not {sent.kind(updates)}")
    if not isinstance(updates, (list, tuple)):
        array, problem = sent.as_array(updates)
        if problem is not None:
            raise type(problem)(f"updates: {problem}")
        if array.ndim == 0 or len(array) == 0:
            raise ValueError(
                f"updates need clients on axis 0, at least one; their shape is {array.shape}"
            )
        return Given(len(array), False, list(range(len(array))), [_layer(array)], {})
    if len(updates) == 0:
        raise ValueError("updates need clients, at least one; the list is empty")
    layered = any(sent.is_layers(one) for one in updates)
    arrays, problems = sent.read_each(updates, layered)
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
