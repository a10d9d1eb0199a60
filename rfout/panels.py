"""Figures of the chapters that measure: curves, bars, panels side by side, in the book's style.

Like `rfout.plots`: a function draws, closes the figure for pyplot and returns it.

Chapter: gaussian-updates.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike
from scipy import stats

from .plots import BLACK, BLUE, SERIES, SKY, band, style

HATCHES = ("", "//", "..", "xx", "\\\\", "++")


def coordinates(values: ArrayLike, titles: Sequence[str]) -> Figure:
    """Draw single coordinates: a histogram over clients, and a QQ plot against the Gaussian.

    Parameters
    ----------
    values
        (n_clients, n_coordinates) what each client sent; one column of panels for each coordinate.
    titles
        One for each coordinate.

    Notes
    -----
    Chapter: gaussian-updates.
    """
    x = np.asarray(values, dtype=np.float64)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    grid = np.linspace(-4, 4, 200)
    with style():
        fig, axes = plt.subplots(2, z.shape[1], figsize=(1.9 * z.shape[1], 3.6), squeeze=False)
        for (top, low), column, title in zip(axes.T, z.T, titles, strict=True):
            top.hist(column, bins=15, density=True, color=SKY, edgecolor="white")
            top.plot(grid, stats.norm.pdf(grid), "--", color=BLACK)
            top.set_title(title, fontsize=8)
            top.set(yticks=[], xlabel="value, in sigma")
            theory, order = stats.probplot(column, fit=False)
            low.plot(theory, theory, "--", color=BLACK)
            low.plot(theory, order, "o", color=BLUE, markersize=2.5)
            low.set(xlabel="Gaussian quantile")
        axes[0][0].set_ylabel("clients")
        axes[1][0].set_ylabel("value, in sigma")
    plt.close(fig)
    return fig


def histograms(named: Mapping[str, ArrayLike], xlabel: str, *, n_bins: int = 20) -> Figure:
    """Draw histograms of values in [0, 1] over each other, as outlines.

    Parameters
    ----------
    named
        Name in the legend to values; NaN is left out.
    xlabel
        Name of the axis.
    n_bins
        Bins of equal width.

    Notes
    -----
    Chapter: gaussian-updates.
    """
    edges = np.linspace(0, 1, n_bins + 1)
    with style():
        fig, ax = plt.subplots(figsize=(7.2, 2.9))
        for (name, values), (colour, line, _) in zip(named.items(), cycle(SERIES), strict=False):
            v = np.asarray(values, dtype=np.float64)
            v = v[~np.isnan(v)]
            heights = np.histogram(v, edges)[0] / len(v)
            ax.stairs(heights, edges, color=colour, linestyle=line, linewidth=1.6, label=name)
        ax.set(xlabel=xlabel, ylabel="share", xlim=(0, 1))
        fig.legend(loc="outside right center")
    plt.close(fig)
    return fig


def bars(table: pd.DataFrame, ylabel: str, *, line: float | None = None, name: str = "") -> Figure:
    """Draw a table as groups of bars: a group for each row, a bar for each column.

    Parameters
    ----------
    table
        Numbers; its index names the groups, its columns the bars.
    ylabel
        What the numbers are.
    line, name
        A height to compare with, and its name in the legend.

    Notes
    -----
    Chapter: gaussian-updates.
    """
    n_bars = table.shape[1]
    place = np.arange(len(table))
    with style():
        fig, ax = plt.subplots(figsize=(7.2, 2.9))
        for i, (column, (colour, *_), hatch) in enumerate(
            zip(table.columns, cycle(SERIES), cycle(HATCHES), strict=False)
        ):
            left = place + (i - (n_bars - 1) / 2) * 0.8 / n_bars
            ax.bar(
                left, table[column], 0.74 / n_bars, color=colour, hatch=hatch, edgecolor="white",
                label=column,
            )  # fmt: skip
        if line is not None:
            ax.axhline(line, color=BLACK, linestyle=":", label=name)
        ax.set_xticks(place, [str(label) for label in table.index])
        ax.tick_params(axis="x", labelsize=8)
        ax.grid(visible=False, axis="x")
        ax.set(ylabel=ylabel)
        fig.legend(loc="outside lower center", ncols=min(4, n_bars + 1))
    plt.close(fig)
    return fig


def curves(
    table: pd.DataFrame, xlabel: str, ylabel: str, *, logarithmic: str = "",
    mark: float | None = None, name: str = "", spread: pd.DataFrame | None = None,
) -> Figure:  # fmt: skip
    """Draw each column of a table over its index.

    Parameters
    ----------
    table
        Numbers; a curve for each column, through what is not NaN.
    xlabel, ylabel
        Names of the axes.
    logarithmic
        Which axes are: "", "x", "y" or "xy".
    mark, name
        A place on the x axis to mark by a vertical line, and its name in the legend.
    spread
        From `rfout.book.over_seeds`: a band behind each curve, from the lowest to the highest.

    Notes
    -----
    Chapter: limits.
    """
    with style():
        fig, ax = plt.subplots(figsize=(7.2, 2.9))
        for column, (colour, line, marker) in zip(table.columns, cycle(SERIES), strict=False):
            shown = table[column].dropna()
            ax.plot(shown.index, shown, line, color=colour, marker=marker, label=column)
            band(ax, spread, str(column), "value", colour)
        if mark is not None:
            ax.axvline(mark, color=BLACK, linewidth=1.0, linestyle=":", label=name)
        if "x" in logarithmic:
            ax.set_xscale("log")
        if "y" in logarithmic:
            ax.set_yscale("log")
        ax.set(xlabel=xlabel, ylabel=ylabel)
        fig.legend(loc="outside right center")
    plt.close(fig)
    return fig


def multiples(
    panels: Mapping[str, Mapping[str, pd.DataFrame]], key: str = "backdoor_accuracy", *,
    n_columns: int = 3, ylim: tuple[float, float] = (-0.03, 1.03),
) -> Figure:  # fmt: skip
    """Draw one number of many histories by round: a small panel for each group.

    Parameters
    ----------
    panels
        Title of a panel to its histories, by their name in the legend; the same names in each.
    key
        Which column of the histories.
    n_columns
        Panels side by side.
    ylim
        Ends of the vertical axis, shared by all panels.

    Notes
    -----
    Chapter: adaptive-attacks.
    """
    n_rows = -(-len(panels) // n_columns)
    size = (2.5 * n_columns, 1.9 * n_rows + 0.4)
    with style():
        fig, axes = plt.subplots(
            n_rows, n_columns, figsize=size, squeeze=False, sharex=True, sharey=True
        )
        for ax in axes.flat[len(panels) :]:
            ax.axis("off")
        for ax, (title, histories) in zip(axes.flat, panels.items(), strict=False):
            for (name, history), (colour, line, marker) in zip(
                histories.items(), cycle(SERIES), strict=False
            ):
                ax.plot(
                    history["round"], history[key], line, color=colour, marker=marker,
                    markersize=3, label=name,
                )  # fmt: skip
            ax.set(ylim=ylim)
            ax.set_title(title, fontsize=9)
            ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        for column in range(min(n_columns, len(panels))):
            lowest = [ax for ax in axes[:, column] if ax.axison][-1]
            lowest.set_xlabel("round")
            lowest.tick_params(labelbottom=True)
        fig.supylabel(key.replace("_", " ").replace("main task", "main-task"), fontsize=9)
        fig.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    plt.close(fig)
    return fig
