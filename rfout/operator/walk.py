"""Walk over the layers: which path, what is read at a time, and who is left out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import rows as rows_of
from .inputs import Layer
from .paths import BUFFER, NotFiniteError, in_blocks, in_kernels, kernels
from .rows import Rows
from .rule import Rule
from .threads import Tally

LARGE = 2**22  # values; from here on, loading a compiler pays
WINDOW = 2**22  # values that are copied at a time from memory-mapped files


@dataclass
class Done:
    """What came of a walk.

    Attributes
    ----------
    aggregates
        Of each layer; empty if a value was not finite and nobody was to be left out, or nobody was
        left.
    tally
        Of the rows that stayed, if it was asked for.
    not_finite
        Row to (layer, place) of its first NaN or infinity.
    """

    aggregates: list[NDArray[Any]]
    tally: Tally | None
    not_finite: dict[int, tuple[int, int]]


def through(layers: Sequence[Layer], n_rows: int, rule: Rule, *, drop: bool, count: bool) -> Done:
    """Filter and average all layers.

    Parameters
    ----------
    layers, n_rows
        From `rfout.operator.inputs`, with the same number of rows in each.
    rule
        The rule.
    drop
        Whether rows with a value that is not finite are left out; else they end the walk.
    count
        Whether to make a `Tally`.
    """
    stay = list(range(n_rows))
    bad: dict[int, tuple[int, int]] = {}
    while True:
        rows = [_some(layer.rows, stay) for layer in layers]
        tally = Tally(np.zeros(len(stay), np.int64), np.zeros(len(stay))) if count else None
        aggregates: list[NDArray[Any]] = []
        try:
            for layer, of_layer in zip(layers, rows, strict=True):
                out = np.empty(math.prod(layer.shape), rows_of.floating_dtype(of_layer))
                _aggregate(of_layer, rule, out, tally)
                aggregates.append(out.reshape(layer.shape))
            return Done(aggregates, tally, bad)
        except NotFiniteError:
            found = len(aggregates)
            places = _not_finite(rows[found])
        bad |= {stay[row]: (found, place) for row, place in places.items()}
        stay = [row for row in stay if row not in bad]
        if not drop or not stay:
            return Done([], None, bad)


def _some(rows: Rows, stay: list[int]) -> Rows:
    return rows if len(stay) == len(rows) else [rows[row] for row in stay]


def _aggregate(rows: Rows, rule: Rule, out: NDArray[Any], tally: Tally | None) -> None:
    """Write the aggregate of one layer to `out` (n_params,), and count into `tally`.

    Raises
    ------
    NotFiniteError
        If a value is NaN or infinite. `out` and `tally` are then of no use.
    """
    n, d = len(rows), len(out)
    if d == 0:
        return
    large = n * d >= LARGE
    path = in_kernels if large and kernels(rule.is_papers) is not None else in_blocks
    dtype = rows_of.working_dtype(rows)
    if not any(map(rows_of.mapped_file, rows)):
        path(rows, dtype, rule, out, tally)
        return
    # What is read of a file counts as resident, by whole folios: one client at a time.
    window = max(1, WINDOW // n)
    for start in range(0, d, window):
        part = out[start : start + window]
        path(rows_of.copy(rows, start, start + len(part), dtype), dtype, rule, part, tally)


def _not_finite(rows: Rows) -> dict[int, int]:
    places: dict[int, int] = {}
    for client, row in enumerate(rows):
        for start in range(0, len(row), BUFFER):
            bad = np.flatnonzero(~np.isfinite(row[start : start + BUFFER]))
            if len(bad):
                places[client] = start + int(bad[0])
                break
        rows_of.release(row)
    return places
