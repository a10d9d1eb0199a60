"""Figures of tables: bars, curves, dots with their spread, shades."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .style import BLACK, band, series, style

HATCHES = ("", "//", "..", "xx", "\\\\", "++")
FEW = 8  # points of a curve that are all marked on the axis


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

    Examples
    --------
    >>> import pandas as pd
    >>> bars(pd.DataFrame({"IID": [0.2]}, index=["conv1"]), "rejected").axes[0].get_ylabel()
    'rejected'
    """
    n_bars = table.shape[1]
    place = np.arange(len(table))
    with style():
        fig, ax = plt.subplots(figsize=(7.2, 2.9))
        for i, (column, colour, *_) in enumerate(series(table.columns)):
            left = place + (i - (n_bars - 1) / 2) * 0.8 / n_bars
            ax.bar(
                left,
                table[column],
                0.74 / n_bars,
                color=colour,
                edgecolor="white",
                label=column,
                hatch=HATCHES[i % len(HATCHES)],
            )
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
    table: pd.DataFrame,
    xlabel: str,
    ylabel: str,
    *,
    logarithmic: str = "",
    mark: float | None = None,
    name: str = "",
    spread: pd.DataFrame | None = None,
) -> Figure:
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

    Examples
    --------
    >>> import pandas as pd
    >>> curves(pd.DataFrame({"mean": [0.1, 0.9]}), "clients", "accuracy").axes[0].get_xlabel()
    'clients'
    """
    with style():
        fig, ax = plt.subplots(figsize=(7.2, 2.9))
        for column, colour, line, marker in series(table.columns):
            shown = table[column].dropna()
            ax.plot(shown.index, shown, line, color=colour, marker=marker, label=column)
            band(ax, spread, str(column), "value", colour)
        if mark is not None:
            ax.axvline(mark, color=BLACK, linewidth=1.0, linestyle=":", label=name)
        if "x" in logarithmic:
            ax.set_xscale("log")
        elif len(table) <= FEW:
            ax.set_xticks(table.index)
        if "y" in logarithmic:
            ax.set_yscale("log")
        ax.set(xlabel=xlabel, ylabel=ylabel)
        fig.legend(loc="outside right center")
    plt.close(fig)
    return fig


def dots(
    table: pd.DataFrame,
    xlabel: str,
    *,
    lowest: pd.DataFrame | None = None,
    highest: pd.DataFrame | None = None,
    xlim: tuple[float, float] | None = None,
) -> Figure:
    """Draw a table as dots: a line for each row, a dot for each column, with its spread.

    Parameters
    ----------
    table
        Numbers; its index names the lines, its columns the dots.
    xlabel
        What the numbers are.
    lowest, highest
        Tables of the same shape: the ends of a bar through each dot.
    xlim
        Ends of the horizontal axis.

    Examples
    --------
    >>> import pandas as pd
    >>> figure = dots(pd.DataFrame({"1 adversary": [0.98, 0.0]}, index=["mean", "RFOut-1d"]), "x")
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['mean', 'RFOut-1d']
    """
    n_dots, place = table.shape[1], np.arange(len(table))
    with style():
        fig, ax = plt.subplots(figsize=(7.2, 0.16 * len(table) * (1 + n_dots) + 0.9))
        for i, (column, colour, _, marker) in enumerate(series(table.columns)):
            y = place + (i - (n_dots - 1) / 2) * 0.7 / n_dots
            if lowest is not None and highest is not None:
                ax.hlines(y, lowest[column], highest[column], color=colour, linewidth=1.0)
            ax.plot(table[column], y, marker, color=colour, label=column, clip_on=False)
        ax.set_yticks(place, [str(label) for label in table.index])
        ax.invert_yaxis()
        ax.set(xlabel=xlabel, xlim=xlim)
        fig.legend(loc="outside right center")
    plt.close(fig)
    return fig


def heat(results: pd.DataFrame, *, quantity: str = "backdoor_accuracy") -> Figure:
    """Draw one number of each run as shades: aggregators by attacks, a panel for each partition.

    Parameters
    ----------
    results
        A row a run, with the columns aggregator, attack, partition and `quantity`. A cell has the
        mean over its runs, and below it the lowest and the highest where they differ.
    quantity
        Which column; from 0 to 1.

    Examples
    --------
    >>> import pandas as pd
    >>> one = {"aggregator": ["mean"], "attack": "boosted", "partition": "IID"}
    >>> heat(pd.DataFrame(one | {"backdoor_accuracy": [0.98]})).axes[0].get_title()
    'IID'
    """
    partitions, names, attacks = (
        list(dict.fromkeys(results[column])) for column in ("partition", "aggregator", "attack")
    )
    with style():
        fig, axes = plt.subplots(
            len(partitions),
            1,
            figsize=(7.2, (0.33 * len(names) + 0.3) * len(partitions) + 0.8),
            sharex=True,
            squeeze=False,
            dpi=120,
        )
        for ax, partition in zip(axes[:, 0], partitions, strict=True):
            cells = results[results["partition"] == partition].groupby(["aggregator", "attack"])
            table = cells[quantity].agg(["mean", "min", "max"]).unstack()
            shades = table["mean"].reindex(index=names, columns=attacks)
            shown = ax.imshow(shades, vmin=0, vmax=1, cmap="Blues", aspect="auto")
            for (row, column), mean in np.ndenumerate(shades):
                if np.isnan(mean):
                    continue
                ink = "white" if mean > 0.6 else "black"
                place = {"ha": "center", "va": "center", "color": ink}
                low, high = (table[end, attacks[column]][names[row]] for end in ("min", "max"))
                same = f"{low:.2f}" == f"{high:.2f}"  # text all over makes a page heavy
                ax.text(column, row - (0 if same else 0.16), f"{mean:.2f}", **place)
                if not same:
                    ax.text(column, row + 0.24, f"{low:.2f} to {high:.2f}", fontsize=6, **place)
            ax.set_yticks(range(len(names)), names)
            labels = [name.replace(", ", ",\n").replace(" not ", "\nnot ") for name in attacks]
            ax.set_xticks(range(len(attacks)), labels, fontsize=7)
            ax.set_title(partition)
            ax.grid(visible=False)
            ax.tick_params(length=0)
        label = quantity.replace("_", " ")
        fig.colorbar(shown, ax=axes[:, 0].tolist(), label=label, aspect=40)
    plt.close(fig)
    return fig
