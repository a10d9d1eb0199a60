"""Norm clipping and noise, on updates: what a reply is away from the global model."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ._replies import Layer


def check(clip_norm: Any, noise: Any, rng: Any) -> None:
    """Raise a ValueError for settings that mean nothing."""
    if clip_norm is not None and not 0 < clip_norm < math.inf:
        raise ValueError(f"clip_norm must be a positive number or None, not {clip_norm!r}")
    if not 0 <= noise < math.inf:
        raise ValueError(f"noise must be a number that is not negative, not {noise!r}")
    if noise and clip_norm is None:
        raise ValueError("noise is in units of clip_norm / replies: give a clip_norm with it")
    if noise and rng is None:
        raise ValueError("noise needs a generator: rng=numpy.random.default_rng(seed)")


def clip(
    layers: list[Layer], start: Sequence[Layer], counts: Sequence[bool], max_norm: float
) -> list[Layer]:
    """Shorten layers - start to `max_norm` over all layers; a short one is left as it is.

    Only what is shortened is copied. Layers that count something are neither measured nor moved.
    """
    floating = [place for place, count in enumerate(counts) if not count]
    # Halves: the difference of two finite numbers may be none.
    halves = [np.float64(0.5) * layers[i] - np.float64(0.5) * start[i] for i in floating]
    largest = max((float(np.abs(half).max(initial=0.0)) for half in halves), default=0.0)
    if largest == 0:
        return layers
    length = math.sqrt(sum(float(np.sum((half / largest) ** 2)) for half in halves))
    factor = max_norm / 2 / largest / length  # what overflows here is a factor far above 1
    if factor >= 1:
        return layers
    clipped = list(layers)
    for i, half in zip(floating, halves, strict=True):
        clipped[i] = np.asarray(start[i] + half * (2 * factor)).astype(layers[i].dtype)
    return clipped


def noisy(
    layers: list[Layer], counts: Sequence[bool], std: float, rng: np.random.Generator
) -> list[Layer]:
    """Add Gaussian noise to the layers that count nothing."""
    return [
        layer if count else (layer + rng.normal(0.0, std, layer.shape)).astype(layer.dtype)
        for layer, count in zip(layers, counts, strict=True)
    ]
