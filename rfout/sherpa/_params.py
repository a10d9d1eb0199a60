"""A client's parameters, nested as the framework allows, as a flat list of layers and back."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

DEEPEST = 4  # lists in lists; deeper is no model, and may have no end

# The shape of a nest: None for a layer, else (list or tuple, the outlines of what is in it).
Outline = tuple[type, tuple[Any, ...]] | None


def flatten(params: Any, depth: int = DEEPEST) -> list[Any]:
    """List the layers; what is nested too deep is one layer that cannot be read."""
    if not isinstance(params, (list, tuple)):
        return [np.asarray(params) if np.isscalar(params) else params]
    if depth == 0:
        return [None]
    return [layer for one in params for layer in flatten(one, depth - 1)]


def outline(params: Any, depth: int = DEEPEST) -> Outline:
    """Give the nest of the parameters, without the layers."""
    if not isinstance(params, (list, tuple)) or depth == 0:
        return None
    kind = tuple if isinstance(params, tuple) else list
    return kind, tuple(outline(one, depth - 1) for one in params)


def usual_outline(clients: Sequence[Any]) -> Outline:
    """Give the nest that most clients sent: the first one may be the adversary."""
    return Counter(outline(params) for params in clients).most_common(1)[0][0]


def nest(layers: Iterator[Any], shape: Outline) -> Any:
    """Put the layers, in order, back into a nest."""
    if shape is None:
        return next(layers)[()]  # a scalar comes back as one
    kind, inside = shape
    return kind(nest(layers, one) for one in inside)
