"""What a node sent, read where it lies: arrays on the received bytes, or the reason why not.

A reply's bytes hold arrays in .npy format. `Array.numpy()` copies each; here they are viewed.
"""

import io
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Message
from flwr.serverapp.exception import AggregationError
from numpy.typing import NDArray

Layer = NDArray[Any]
STYPE = "numpy.ndarray"  # how Flower calls .npy format
MAX_HEADER = 10_016  # bytes; NumPy reads no longer one of a source that it does not trust


class InvalidReplyError(ValueError):
    """What is wrong with a reply; `layer` names the layer of the model, if it is one's."""

    def __init__(self, said: str, layer: str | None = None) -> None:
        super().__init__(said)
        self.layer = layer


def view(record: ArrayRecord) -> dict[str, Layer]:
    """View the layers of a record on its bytes; nothing is unpickled, and no value is copied.

    Raises
    ------
    InvalidReplyError
        If one is no .npy image of real numbers of at most 64 bits. Whether they are finite is not
        looked at.
    """
    layers = {}
    for name, array in record.items():
        try:
            layers[name] = _parse(array.stype, array.data)
        except InvalidReplyError as error:
            raise InvalidReplyError(f"layer {name[:80]!r}: {error}", name) from None
    return layers


def model_of(arrays: ArrayRecord) -> dict[str, Layer]:
    """View the layers of the global model, which must be one that can be averaged.

    Raises
    ------
    flwr.serverapp.exception.AggregationError
        If it is not, or as from `view`.
    """
    try:
        model = view(arrays)
    except InvalidReplyError as error:
        raise AggregationError(f"the initial arrays, {error}") from None
    if is_bytes(model):
        raise AggregationError(
            "the model is one array of bytes, as XGBoost's trees are: a mean of bytes is no "
            "model. Flower's FedXgbBagging and FedXgbCyclic combine trees"
        )
    return model


def read(reply: Message, weight_key: str) -> dict[str, Layer]:
    """View the layers of a reply.

    Raises
    ------
    InvalidReplyError
        As from `view`; and if there is not one record of arrays, or the reply claims a weight
        that is no positive finite number.
    """
    records = reply.content.array_records
    if len(records) != 1:
        raise InvalidReplyError(f"{len(records)} array records where one is expected")
    layers = view(next(iter(records.values())))
    for metrics in reply.content.metric_records.values():
        weight = metrics.get(weight_key, 1)  # not used, but nonsense is from a broken client
        if isinstance(weight, list) or not 0 < weight < math.inf:
            raise InvalidReplyError(
                f"{weight_key} is {str(weight)[:40]}, not a positive finite number"
            )
    return layers


def not_finite(layers: Iterable[Layer], names: Iterable[str]) -> InvalidReplyError | None:
    """Name the first layer with NaN or infinity, and where."""
    for name, layer in zip(names, layers, strict=True):
        at = first(~np.isfinite(layer))
        if at is not None:
            return InvalidReplyError(f"layer {name[:80]!r}: {layer[at]} at index {at}", name)
    return None


def first(mask: Layer) -> tuple[int, ...] | None:
    """Give the index of the first True."""
    places = np.flatnonzero(mask)
    if not len(places):
        return None
    return tuple(int(i) for i in np.unravel_index(places[0], mask.shape))


def is_bytes(layers: Mapping[str, Layer]) -> bool:
    """Tell a serialised object from a model: one line of bytes, as XGBoost's trees are sent."""
    return [(a.dtype, a.ndim) for a in layers.values()] == [(np.dtype(np.uint8), 1)]


def brief(said: Any, n: int = 120) -> str:
    """Shorten what a client wrote to one line of printable text."""
    words = " ".join(str(said).split())
    line = "".join(c if c.isprintable() else "?" for c in words)
    return line if len(line) <= n else line[: n - 3] + "..."


def _parse(stype: str, data: bytes) -> Layer:
    if stype != STYPE:
        raise InvalidReplyError(f"serialised as {brief(stype, 80)!r}, not as {STYPE}")
    # Version 1 of the format has two bytes for the length of its header, version 2 has four.
    start = 10 if data[6:7] == b"\x01" else 12
    end = start + int.from_bytes(data[8:start], "little")
    shape, fortran, dtype = _read_header(data[: min(end, MAX_HEADER)])
    sent, needed = len(data) - end, math.prod(shape) * dtype.itemsize
    if sent != needed or any(n < 0 for n in shape):
        raise InvalidReplyError(f"{sent} bytes where shape {str(shape)[:80]} needs {needed}")
    try:
        flat = np.frombuffer(data, dtype, offset=end)
        return flat.reshape(shape, order="F" if fortran else "C")
    except (ValueError, OverflowError):  # no values, in a shape that no memory could hold
        raise InvalidReplyError(f"the shape is {str(shape)[:80]}") from None


@lru_cache(maxsize=1024)  # all clients of a model send the same few headers
def _read_header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    head = io.BytesIO(header)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        shape, fortran, dtype = readers[np.lib.format.read_magic(head)](head)
    except Exception as error:  # whatever NumPy's reader raises on bytes that are no header
        raise InvalidReplyError(f"not in .npy format ({brief(error)})") from None
    if dtype.kind == "V" and dtype.names is None:
        raise InvalidReplyError(
            f"the dtype is {dtype}: .npy files cannot name bfloat16 and its kin. "
            "Send the layer as float32"
        )
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise InvalidReplyError(
            f"the dtype is {str(dtype)[:80]}, not real numbers of at most 64 bits"
        )
    return shape, fortran, dtype
