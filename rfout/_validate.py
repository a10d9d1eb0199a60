"""What a client may send, and what is said when it sends something else.

Nothing here reads the values: that would cost as much as the aggregate. The engine finds NaN and
infinity on its way.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._rows import Rows
from ._rule import Rule

Layer = NDArray[Any]


@dataclass
class Clients:
    """The updates as the engine reads them.

    `kept` are the clients, by their number, whose layers are in `layers`; `left_out` says why the
    others are not.
    """

    n_given: int
    layered: bool
    kept: list[int]
    layers: list[
        list[Layer] | Layer
    ]  # for each layer, the kept clients' arrays, or one array of all
    left_out: dict[int, str] = field(default_factory=dict)

    def shape(self, layer: int) -> tuple[int, ...]:
        return np.shape(self.layers[layer][0])

    def dtype(self, layer: int) -> np.dtype[Any]:
        """Floating dtype of the aggregate: that of the updates, float64 for integers."""
        arrays = self.layers[layer]
        kinds = {arrays.dtype} if isinstance(arrays, np.ndarray) else {a.dtype for a in arrays}
        kind = np.result_type(*kinds)
        return kind.newbyteorder("=") if kind.kind == "f" else np.dtype(np.float64)

    def rows(self, layer: int) -> Rows:
        """Each client's values in a line, as views."""
        arrays = self.layers[layer]
        if isinstance(arrays, np.ndarray):
            if arrays.ndim == 2:
                return arrays
            if arrays.flags.c_contiguous:
                return arrays.reshape(len(arrays), -1)
        return [a.reshape(-1) if a.flags.c_contiguous else a.flat for a in map(np.asarray, arrays)]

    def where(self, client: int, layer: int) -> str:
        return f"client {client}, layer {layer}" if self.layered else f"client {client}"

    def not_finite(self, layer: int, places: dict[int, int]) -> dict[int, str]:
        """What to say about the clients, by their place in `layers`, with such a value."""
        said = {}
        for place, at in places.items():
            index = tuple(int(i) for i in np.unravel_index(at, self.shape(layer)))
            value = self.layers[layer][place][index]
            where = f" at index {index}" if index else ""
            client = self.kept[place]
            said[client] = f"{self.where(client, layer)}: the update has {value}{where}"
        return said

    def leave_out(self, reasons: dict[int, str]) -> None:
        """Go on without these clients, or raise if nobody is left."""
        self.left_out.update(reasons)
        stay = [place for place, client in enumerate(self.kept) if client not in reasons]
        self.kept = [self.kept[place] for place in stay]
        if not self.kept:
            reason = "; ".join(self.left_out[client] for client in sorted(self.left_out)[:3])
            raise ValueError(f"every client was left out, and nothing is to be averaged: {reason}")
        self.layers = [[arrays[place] for place in stay] for arrays in self.layers]


def read(updates: Any, on_invalid: str) -> Clients:
    """Look at what was given without copying it.

    Raises
    ------
    TypeError, ValueError
        As `rfout.rfout1d` documents.
    """
    if isinstance(updates, (str, bytes, dict, set, frozenset)) or updates is None:
        raise TypeError(f"updates must be an array or a list of clients, not {_kind(updates)}")
    if not isinstance(updates, (list, tuple)):
        array, problem = _as_array(updates)
        if problem is not None:
            raise type(problem)(f"updates: {problem}")
        if array.ndim == 0 or len(array) == 0:
            raise ValueError(
                f"updates need clients on axis 0, at least one; their shape is {array.shape}"
            )
        return Clients(len(array), False, list(range(len(array))), [array])
    if len(updates) == 0:
        raise ValueError("updates need clients, at least one; the list is empty")
    layered = any(_is_layers(one) for one in updates)
    given = Clients(len(updates), layered, list(range(len(updates))), [])
    arrays, problems = _layers(given, updates)
    if problems:
        if on_invalid == "raise":
            raise next(iter(problems.values()))
        reasons = {client: str(problem) for client, problem in problems.items()}
        given.leave_out(reasons)
    given.layers = [list(layer) for layer in zip(*(arrays[i] for i in given.kept), strict=True)]
    return given


def read_array(updates: Any) -> NDArray[Any]:
    """One finite floating (n_clients, ...) array, for the rivals; not copied where it is one.

    Raises
    ------
    TypeError, ValueError
        As `rfout.rfout1d` does with ``on_invalid="raise"``; for lists of layers too.
    """
    given = read(updates, "raise")
    if given.layered:
        raise TypeError("updates must be one array for each client here, not a list of layers")
    arrays = given.layers[0]
    stacked = arrays if isinstance(arrays, np.ndarray) else np.stack(arrays)
    stacked = stacked.astype(given.dtype(0), copy=False)
    with np.errstate(over="ignore", invalid="ignore"):  # a sum may overflow where no value does
        sums = stacked.reshape(len(stacked), -1).sum(axis=1, dtype=np.float64)
    for client in np.flatnonzero(~np.isfinite(sums)):
        places = np.flatnonzero(~np.isfinite(stacked[client]))
        if len(places):
            raise ValueError(given.not_finite(0, {int(client): int(places[0])})[int(client)])
    return stacked


def _layers(
    given: Clients, updates: Sequence[Any]
) -> tuple[dict[int, list[Layer]], dict[int, Exception]]:
    """Each client's layers as arrays, and what is wrong with whom."""
    arrays: dict[int, list[Layer]] = {}
    problems: dict[int, Exception] = {}
    for client, sent in enumerate(updates):
        if given.layered and not isinstance(sent, (list, tuple)):
            problems[client] = TypeError(
                f"client {client}: a list of layers is expected, as others sent, not {_kind(sent)}"
            )
            continue
        arrays[client] = []
        for layer, one in enumerate(sent if given.layered else [sent]):
            array, problem = _as_array(one)
            if problem is not None:
                problems[client] = type(problem)(f"{given.where(client, layer)}: {problem}")
                del arrays[client]
                break
            arrays[client].append(array)

    shapes = {client: tuple(a.shape for a in sent) for client, sent in arrays.items()}
    if len(set(shapes.values())) > 1:
        # What most clients sent is right, not what the first one sent: it may be the adversary.
        (usual, n), (_, runner_up) = Counter(shapes.values()).most_common(2)
        for client, shape in shapes.items():
            if shape != usual:
                problems[client] = ValueError(_difference(given, client, shape, usual))
        if n == runner_up:
            first = min(problems)
            raise ValueError(f"{problems[first]}; no shape is that of most, so none can be right")
    return arrays, dict(sorted(problems.items()))


def _difference(given: Clients, client: int, shape: tuple[Any, ...], usual: tuple[Any, ...]) -> str:
    if len(shape) != len(usual):
        layer = min(len(shape), len(usual))
        return (
            f"{given.where(client, layer)}: {len(shape)} layers were sent where other clients "
            f"have {len(usual)}"
        )
    layer = next(i for i, (a, b) in enumerate(zip(shape, usual, strict=True)) if a != b)
    return (
        f"{given.where(client, layer)}: the shape is {shape[layer]} where other clients "
        f"have {usual[layer]}"
    )


def _is_layers(sent: Any) -> bool:
    """Whether it is a list of arrays, and not a list of numbers, which is itself an array."""
    return isinstance(sent, (list, tuple)) and any(
        hasattr(one, "__array__") and not isinstance(one, np.generic) for one in sent
    )


def _as_array(sent: Any) -> tuple[Layer, Exception | None]:
    nothing: Layer = np.empty(0)
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
    if not isinstance(value, str) or value not in choices:
        listed = " or ".join(f'"{choice}"' for choice in choices)
        raise ValueError(f"{name} must be {listed}, not {value!r}")
