"""The one style of the figures, and what several of them share."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
SERIES = (
    (BLUE, "-", "o"),
    (VERMILLION, "--", "s"),
    (GREEN, "-.", "^"),
    (PURPLE, ":", "D"),
    (ORANGE, "-", "v"),
    (SKY, "--", "P"),
    (BLACK, "-.", "X"),
    (BLUE, ":", "<"),
    (VERMILLION, "-", ">"),
    (GREEN, "--", "*"),
)
"""(colour, line style, marker) of the first, second, ... series."""

ACCURACIES = {
    "main_task_accuracy": "main-task accuracy",
    "backdoor_accuracy": "backdoor accuracy (attack success rate)",
}
"""What the accuracies of a history are called on an axis."""


@contextmanager
def style() -> Iterator[None]:
    """Draw in the book's style: ``with style(): ...``.

    Examples
    --------
    >>> with style():
    ...     plt.rcParams["figure.dpi"]
    144.0
    """
    settings: Any = {
        "figure.dpi": 144,
        "figure.constrained_layout.use": True,
        "figure.facecolor": "white",
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "lines.linewidth": 1.6,
        "lines.markersize": 4,
        "legend.frameon": False,
        "savefig.facecolor": "white",
        "image.cmap": "gray_r",
    }
    with plt.rc_context(settings):
        yield


def series(names: Iterable[str]) -> Iterator[tuple[str, str, str, str]]:
    """Give each name its colour, line style and marker.

    Examples
    --------
    >>> next(series(["mean"]))
    ('mean', '#0072B2', '-', 'o')
    """
    for name, looks in zip(names, cycle(SERIES), strict=False):
        yield (name, *looks)


def whole_rounds(ax: Axes) -> None:
    """Put the ticks of the horizontal axis at whole numbers.

    Examples
    --------
    >>> figure, ax = plt.subplots()
    >>> whole_rounds(ax)
    >>> plt.close(figure)
    """
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def band(ax: Axes, spread: pd.DataFrame | None, curve: str, quantity: str, colour: str) -> None:
    """Shade where a curve lies over the committed seeds, from the lowest to the highest.

    Parameters
    ----------
    ax
        Where to draw.
    spread
        From `rfout.book.over_seeds`; None draws nothing.
    curve, quantity
        Which rows of it.
    colour
        Of the curve.

    Examples
    --------
    >>> figure, ax = plt.subplots()
    >>> rows = {"curve": "mean", "quantity": "loss", "x": [1, 2], "lowest": 0.1, "highest": 0.3}
    >>> band(ax, pd.DataFrame(rows), "mean", "loss", BLUE)
    >>> len(ax.collections)
    1
    >>> plt.close(figure)
    """
    if spread is None:
        return
    rows = spread[(spread["curve"] == curve) & (spread["quantity"] == quantity)].sort_values("x")
    if len(rows):
        ends = rows["lowest"], rows["highest"]
        ax.fill_between(rows["x"], *ends, color=colour, alpha=0.18, linewidth=0)
