"""What a node sent, read where it lies: arrays on the received bytes, or the reason why not.

A reply's bytes hold arrays in .npy format. `Array.numpy()` copies each; here they are viewed.
"""

import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Message
from numpy.typing import NDArray

Layer = NDArray[Any]
STYPE = "numpy.ndarray"  # how Flower calls .npy format
MAX_HEADER = 10_016  # bytes; NumPy reads no longer one of a source that it does not trust


@dataclass(frozen=True)
class Layout:
    """The layers that a reply must have, and the .npy header that each begins with.

    `headers` holds what `numpy.save` writes: a reply that begins so needs no parsing.
    """

    shapes: Mapping[str, tuple[int, ...]]
    dtypes: Mapping[str, np.dtype[Any]]
    headers: Mapping[str, bytes]


class InvalidReplyError(ValueError):
    """What is wrong with a reply; `layer` is the place in the model, -1 if it is no layer's."""

    def __init__(self, said: str, layer: int = -1) -> None:
        super().__init__(said)
        self.layer = layer


def layout(arrays: Mapping[str, Layer]) -> Layout:
    """Describe the layers of a model."""
    headers = {}
    for name, array in arrays.items():
        # Arrays of no memory: the header is all that is wanted.
        file = io.BytesIO()
        described = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(file, described | {"fortran_order": False})
        headers[name] = file.getvalue()
    return Layout(
        {name: array.shape for name, array in arrays.items()},
        {name: array.dtype for name, array in arrays.items()},
        headers,
    )


def view(record: ArrayRecord) -> dict[str, Layer]:
    """Read a record that is trusted, such as the global model, as arrays on its bytes."""
    return {name: _parse(array.stype, array.data) for name, array in record.items()}


def usual_layout(replies: Iterable[Message]) -> Layout:
    """Take the layout of most replies: for who knows no global model."""
    seen: Counter[frozenset[Any]] = Counter()
    layouts: dict[frozenset[Any], Layout] = {}
    for reply in replies:
        try:
            found = layout(view(_only_record(reply)))
        except InvalidReplyError:
            continue
        key = frozenset((name, found.shapes[name], found.dtypes[name]) for name in found.shapes)
        seen[key] += 1
        layouts.setdefault(key, found)
    return layouts[seen.most_common(1)[0][0]] if seen else Layout({}, {}, {})


def read(reply: Message, expected: Layout, weight_key: str) -> list[Layer]:
    """View a reply's layers in the order of `expected`.

    Raises
    ------
    InvalidReplyError
        If the reply has other keys, shapes or dtypes, is damaged, or claims a weight that is no
        positive finite number. Whether the values are finite is not looked at.
    """
    record = _only_record(reply)
    if record.keys() != expected.shapes.keys():
        raise InvalidReplyError(_other_keys(set(record), set(expected.shapes)))
    layers = []
    for place, (name, header) in enumerate(expected.headers.items()):
        sent, shape, dtype = record[name], expected.shapes[name], expected.dtypes[name]
        size = math.prod(shape) * dtype.itemsize
        plain = sent.stype == STYPE and sent.data.startswith(header)
        if plain and len(sent.data) == len(header) + size:
            layers.append(np.frombuffer(sent.data, dtype, offset=len(header)).reshape(shape))
            continue
        where = f"layer {name!r}"
        try:
            found = _parse(sent.stype, sent.data)
        except InvalidReplyError as error:
            raise InvalidReplyError(f"{where}: {error}", place) from None
        for what, is_, has in (("shape", found.shape, shape), ("dtype", found.dtype, dtype)):
            if is_ != has:
                said = f"{where}: the {what} is {is_} where the model has {has}"
                raise InvalidReplyError(said, place)
        layers.append(found)
    _check_weight(reply, weight_key)
    return layers


def not_finite(layers: Sequence[Layer], names: Iterable[str]) -> InvalidReplyError | None:
    """Name the first layer with NaN or infinity, and where."""
    for place, (name, layer) in enumerate(zip(names, layers, strict=True)):
        bad = np.flatnonzero(~np.isfinite(layer))
        if len(bad):
            index = tuple(int(i) for i in np.unravel_index(bad[0], layer.shape))
            return InvalidReplyError(f"layer {name!r}: {layer[index]} at index {index}", place)
    return None


def _only_record(reply: Message) -> ArrayRecord:
    records = reply.content.array_records
    if len(records) != 1:
        raise InvalidReplyError(f"{len(records)} array records where one is expected")
    return next(iter(records.values()))


def _other_keys(found: set[str], expected: set[str]) -> str:
    missing, surplus = sorted(expected - found), sorted(found - expected)
    said = [f"layer {missing[0][:80]!r} is missing"] if missing else []
    said += [f"layer {surplus[0][:80]!r} is not the model's"] if surplus else []
    return " and ".join(said)


def _parse(stype: str, data: bytes) -> Layer:
    """View a .npy image of real numbers; nothing is unpickled, and no value copied."""
    if stype != STYPE:
        raise InvalidReplyError(f"serialised as {stype[:80]!r}, not as {STYPE}")
    head = io.BytesIO(data[:MAX_HEADER])
    try:
        readers = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        shape, fortran, dtype = readers[np.lib.format.read_magic(head)](head)
    except Exception as error:  # whatever NumPy's reader raises on bytes that are no header
        raise InvalidReplyError(f"not in .npy format ({_brief(error)})") from None
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise InvalidReplyError(f"the dtype is {str(dtype)[:80]}, not real numbers of 64 bits")
    sent, needed = len(data) - head.tell(), math.prod(shape) * dtype.itemsize
    if sent != needed or any(n < 0 for n in shape):
        raise InvalidReplyError(f"{sent} bytes where shape {str(shape)[:80]} needs {needed}")
    try:
        flat = np.frombuffer(data, dtype, offset=head.tell())
        return flat.reshape(shape, order="F" if fortran else "C")
    except (ValueError, OverflowError):  # no values, in a shape that no memory could hold
        raise InvalidReplyError(f"the shape is {str(shape)[:80]}") from None


def _check_weight(reply: Message, key: str) -> None:
    """Nothing is weighted here, but a client that claims nonsense is broken or worse."""
    for record in reply.content.metric_records.values():
        weight = record.get(key, 1)
        if isinstance(weight, list) or not 0 < weight < math.inf:
            raise InvalidReplyError(f"{key} is {str(weight)[:40]}, not a positive finite number")


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
