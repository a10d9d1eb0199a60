"""Which layers a round is about: the model's, unless most replies agree on others."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._replies import InvalidReplyError, Layer, first

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Layout:
    """The layers that are aggregated.

    `shapes` are those in the replies, by the name that a layer has there. `names` are the same
    layers' names in the model, `dtypes` the ones that are computed in, and `model_dtypes` what the
    aggregate has; `counts` tells the layers that count something, in the replies or in the model,
    and `differs` says how the replies differ from the model, "" if they do not.
    """

    shapes: Shapes
    names: Sequence[str]
    dtypes: Sequence[np.dtype[Any]]
    model_dtypes: Sequence[np.dtype[Any]]
    counts: Sequence[bool]
    differs: str

    def fit(self, sent: Mapping[str, Layer]) -> list[Layer]:
        """Give the layers of a reply in this order, cast where its dtypes are others.

        Raises
        ------
        InvalidReplyError
            If the reply has other layers or shapes, or values that the dtype does not hold.
        """
        found = shapes_of(sent)
        if said := difference(found, self.shapes):
            pairs = zip(self.shapes.items(), self.names, strict=True)
            wrong = [own for (name, shape), own in pairs if found.get(name, shape) != shape]
            raise InvalidReplyError(said, wrong[0] if wrong else None)
        wanted = zip(self.shapes, self.names, self.dtypes, strict=True)
        return [_cast(sent[name], dtype, own) for name, own, dtype in wanted]


def agree(replies: Sequence[Mapping[str, Layer]], model: Mapping[str, Layer]) -> Layout:
    """Find the layout of a round: what more than half of the replies have, else the model's.

    Without a model it is that of most replies. What is wrong is what an honest majority does not
    do: a few clients cannot change the layout, and most can, as under FedAvg. Dtypes do not count,
    since numbers are cast.
    """
    own = shapes_of(model)
    alike: dict[frozenset[Any], list[Mapping[str, Layer]]] = {frozenset(own.items()): []}
    for sent in replies:
        alike.setdefault(frozenset(shapes_of(sent).items()), []).append(sent)
    same = max(alike.values(), key=len)
    if model and 2 * len(same) <= len(replies):
        same = alike[frozenset(own.items())]
    shapes = shapes_of(same[0]) if same else own
    names = dict(zip(shapes, _names_in_model(shapes, own), strict=True))
    places = {name: place for place, name in enumerate(model)}
    shapes = dict(sorted(shapes.items(), key=lambda one: places.get(names[one[0]], len(places))))
    dtypes, model_dtypes, counts = [], [], []
    for name in shapes:
        usual = Counter(sent[name].dtype for sent in same).most_common(1)
        dtype = usual[0][0] if usual else model[name].dtype
        in_model = model[names[name]].dtype if names[name] in model else dtype
        # The wider one: a mean of float16 for a model of float32 is made in float32.
        dtypes.append(np.promote_types(dtype, in_model))
        model_dtypes.append(in_model.newbyteorder("="))
        counts.append(not dtype.kind == in_model.kind == "f")
    found = {names[name]: shape for name, shape in shapes.items()}
    differs = difference(found, own) if model else ""
    renamed = next((name for name in shapes if names[name] != name), None)
    if renamed is not None:
        differs = ", ".join(filter(None, [f"{renamed!r} for {names[renamed]!r}", differs]))
    return Layout(shapes, list(found), dtypes, model_dtypes, counts, differs)


def shapes_of(layers: Mapping[str, Layer]) -> Shapes:
    """Give the shape of each layer."""
    return {name: layer.shape for name, layer in layers.items()}


def difference(found: Shapes, expected: Shapes) -> str:
    """Say how layers differ from the expected ones; "" if they do not."""
    missing = sorted(expected.keys() - found.keys())
    surplus = sorted(found.keys() - expected.keys())
    said = [
        f"layer {names[0][:80]!r}{f' and {len(names) - 1} more' if names[1:] else ''} {what}"
        for names, what in ((missing, "missing"), (surplus, "not expected"))
        if names
    ]
    said += [
        f"layer {name[:80]!r}: the shape is {str(shape)[:80]} where {expected[name]} is expected"
        for name, shape in found.items()
        if expected.get(name, shape) != shape
    ][:1]
    return ", ".join(said)


def _names_in_model(sent: Shapes, model: Shapes) -> list[str]:
    """Find the layers in the model: a prefix such as "module." may be on all of them, or be off."""
    some = next(iter(sent), "")
    for own in () if some in model else model:
        on, off = some.removesuffix(own), own.removesuffix(some)
        if on.endswith(".") and all(name.startswith(on) for name in sent):
            renamed = [name.removeprefix(on) for name in sent]
        elif off.endswith("."):
            renamed = [off + name for name in sent]
        else:
            continue
        if all(model.get(n) == shape for n, shape in zip(renamed, sent.values(), strict=True)):
            return renamed
    return list(sent)


def _cast(layer: Layer, dtype: np.dtype[Any], name: str) -> Layer:
    if layer.dtype == dtype:
        return layer
    with np.errstate(over="ignore", invalid="ignore"):
        if dtype.kind == "f":
            cast = layer.astype(dtype)
            lost = np.isfinite(layer) & ~np.isfinite(cast)
        else:
            whole = np.rint(layer) if layer.dtype.kind == "f" else layer
            cast = np.asarray(whole).astype(dtype)
            lost = cast != whole
    at = first(np.asarray(lost))
    if at is not None:
        raise InvalidReplyError(
            f"layer {name[:80]!r}: {layer[at]} at index {at} is no {dtype}", name
        )
    return cast
