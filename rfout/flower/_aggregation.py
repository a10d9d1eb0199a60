"""From the replies of a round to the next model."""

import warnings
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from flwr.app import Array, ArrayRecord
from flwr.serverapp.exception import AggregationError

from ..operator import Report, rfout1d
from . import _privacy
from ._agreement import Layout
from ._notices import slow_compilation_is_told
from ._replies import Layer, is_bytes
from ._round import Round

if TYPE_CHECKING:
    from .strategy import RFOut1d


def aggregate(
    strategy: "RFOut1d", done: Round, layout: Layout, model: Mapping[str, Layer]
) -> tuple[ArrayRecord | None, Report | None]:
    """Filter and average; gives the next model, None if no reply is left.

    Raises
    ------
    ValueError
        If updates are clipped or sent, and no model is known that they belong to.
    flwr.serverapp.exception.AggregationError
        If the replies are no numbers, do not fit the model, or have a mean that does not.
    """
    updates = strategy.sends == "updates"
    if strategy.clip_norm is not None or updates:
        _check_model(done, layout, model)
    if done.layers and is_bytes(dict(zip(layout.names, done.layers[0], strict=True))):
        raise AggregationError("the replies are bytes, and a mean of bytes is no model")
    if strategy.clip_norm is not None:
        done.drop_not_finite(layout)
        start = [np.zeros(()) if updates else model[name] for name in layout.names]
        norm, counts = strategy.clip_norm, layout.counts
        done.layers = [_privacy.clip(one, start, counts, norm) for one in done.layers]
    result, report = _filter(strategy, done, layout)
    if not done.kept:
        return None, None
    result = [_as(one, dtype) for one, dtype in zip(result, layout.model_dtypes, strict=True)]
    if strategy.noise and strategy.clip_norm is not None and strategy.rng is not None:
        std = strategy.noise * strategy.clip_norm / len(done.kept)
        result = _privacy.noisy(result, layout.counts, std, strategy.rng)
    named = dict(zip(layout.names, result, strict=True))
    if updates:
        named = {name: np.asarray(model[name] + update) for name, update in named.items()}
    for name, layer in named.items():
        if not np.isfinite(layer).all():
            raise AggregationError(
                f"layer {name!r}: the aggregate of finite replies is too large for the model's "
                f"{layer.dtype}. Give initial arrays of float32"
            )
    rest = {name: a for name, a in (strategy.arrays or {}).items() if name not in named}
    order = [*model, *(name for name in named if name not in model)]
    made = {name: Array(layer) for name, layer in named.items()} | rest
    return ArrayRecord({name: made[name] for name in order}), report


def _filter(strategy: "RFOut1d", done: Round, layout: Layout) -> tuple[list[Layer], Report | None]:
    """Apply the rule; who is not finite is found on its way, and dropped."""
    n_values = max((layer.size for one in done.layers for layer in one), default=0)
    while done.layers and layout.names:
        try:
            with (
                warnings.catch_warnings(),
                slow_compilation_is_told(strategy.rule, n_values * len(done.layers)),
            ):
                warnings.simplefilter("ignore", UserWarning)  # said elsewhere, of replies
                return rfout1d(done.layers, return_report=True, **asdict(strategy.rule))
        except ValueError:
            if not done.drop_not_finite(layout):
                raise
    return [], None


def _check_model(done: Round, layout: Layout, model: Mapping[str, Layer]) -> None:
    if not model:
        raise ValueError("updates need the global model, which configure_train is given")
    shapes = list(layout.shapes.values())
    for name, shape in zip(layout.names, shapes, strict=True):
        if name not in model or model[name].shape != shape:
            raise AggregationError(
                f"round {done.number}: most replies agree on other layers than the model's "
                f"({layout.differs}), and no update can be taken from them"
            )


def _as(layer: Layer, dtype: np.dtype[Any]) -> Layer:
    """To the global model's dtype: whole numbers are rounded, so that the model keeps its form."""
    with np.errstate(over="ignore"):
        return np.asarray(layer if dtype.kind == "f" else np.rint(layer)).astype(dtype)
