"""What one client may send, and what is said when it sends something else."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def where(client: int, layer: int, layered: bool) -> str:
    """Name a client, and the layer where there are several."""
    return f"client {client}, layer {layer}" if layered else f"client {client}"


def read_each(
    updates: Sequence[Any], layered: bool
) -> tuple[dict[int, list[Array]], dict[int, Exception]]:
    """Give each client's layers as arrays, and what is wrong with whom.

    Raises
    ------
    ValueError
        If no shape is that of most clients.
    """
    arrays: dict[int, list[Array]] = {}
    problems: dict[int, Exception] = {}
    for client, sent in enumerate(updates):
        if layered and not isinstance(sent, (list, tuple)):
            problems[client] = TypeError(
                f"client {client}: a list of layers is expected, as others sent, not {kind(sent)}"
            )
            continue
        arrays[client] = []
        for layer, one in enumerate(sent if layered else [sent]):
            array, problem = as_array(one)
            if problem is not None:
                place = where(client, layer, layered)
                problems[client] = type(problem)(f"{place}: {problem}")
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
            f"{where(client, layer, layered)}: {len(shape)} layers were sent where other clients "
            f"have {len(usual)}"
        )
    layer = next(i for i, (a, b) in enumerate(zip(shape, usual, strict=True)) if a != b)
    return (
        f"{where(client, layer, layered)}: the shape is {shape[layer]} where other clients "
        f"have {usual[layer]}"
    )


def is_layers(sent: Any) -> bool:
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
        return nothing, ValueError(f"{kind(sent)} cannot be read as an array ({reason})")
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        return nothing, TypeError(
            "updates must be real numbers of at most 64 bits, and these are of dtype "
            f"{str(array.dtype)[:80]}"
        )
    return array, None


def kind(thing: Any) -> str:
    """Say of which type a thing is."""
    return f"a {type(thing).__name__}"
