"""Every figure of the book, in its one style.

The Okabe-Ito colours go together with line styles and markers, so that no figure needs colour to
be read. A function draws, closes the figure for pyplot (a notebook would show it twice) and
returns it: make it a cell's last line.

Chapter: backdoor-attacks.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

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
)
"""(colour, line style, marker) of the first, second, ... series."""


def style() -> AbstractContextManager[None]:
    """Give the context in which every figure is drawn: ``with style(): ...``."""
    return plt.rc_context(
        {
            "figure.dpi": 144, "figure.constrained_layout.use": True, "figure.facecolor": "white",
            "font.size": 9, "axes.titlesize": 10, "axes.spines.top": False,
            "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25,
            "lines.linewidth": 1.6, "lines.markersize": 4, "legend.frameon": False,
            "savefig.facecolor": "white", "image.cmap": "gray_r",
        }
    )  # fmt: skip


def rounds(
    histories: Mapping[str, pd.DataFrame],
    *,
    attack_from: int | None = None,
    spread: pd.DataFrame | None = None,
) -> Figure:
    """Draw main-task and backdoor accuracy by round, a curve for each history.

    Parameters
    ----------
    histories
        Name in the legend to `Federation.history`. Backdoor accuracy that is all NaN is left out,
        and its panel with it where no history has any.
    attack_from
        The first attacked round, marked by a vertical line.
    spread
        From `rfout.book.over_seeds`: a band behind each curve, from the lowest to the highest.

    Notes
    -----
    Chapter: backdoor-attacks.
    """
    panels = {"main_task_accuracy": "main-task accuracy", "backdoor_accuracy": "backdoor accuracy"}
    shown = [key for key in panels if any(h[key].notna().any() for h in histories.values())]
    with style():
        fig, axes = plt.subplots(1, len(shown), figsize=(3.6 * len(shown), 2.9), squeeze=False)
        for ax, key in zip(axes[0], shown, strict=True):
            for (name, history), (colour, line, marker) in zip(
                histories.items(), cycle(SERIES), strict=False
            ):
                ax.plot("round", key, line, data=history, color=colour, marker=marker, label=name)
                band(ax, spread, name, key, colour)
            if attack_from is not None:
                ax.axvline(attack_from - 0.5, color=BLACK, linewidth=0.8, linestyle=":")
                ax.text(
                    attack_from - 0.6, 0.5, "attack begins", rotation=90, ha="right", va="center"
                )
            ax.set(xlabel="round", ylabel=panels[key], ylim=(-0.03, 1.03))
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        fig.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    plt.close(fig)
    return fig


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
    """
    if spread is None or spread.empty:
        return
    rows = spread[(spread["curve"] == curve) & (spread["quantity"] == quantity)].sort_values("x")
    ax.fill_between(
        rows["x"], rows["lowest"], rows["highest"], color=colour, alpha=0.18, linewidth=0
    )


def images(
    x: NDArray[np.float32], titles: Sequence[object] | None = None, *, n_columns: int = 8
) -> Figure:  # fmt: skip
    """Draw (n, height, width, channels) images in [0, 1] on a grid, with a title on each.

    Notes
    -----
    Chapter: backdoor-attacks.
    """
    n_columns = min(n_columns, len(x))
    n_rows = -(-len(x) // n_columns)
    with style():
        size = (0.9 * n_columns, (0.9 if titles is None else 1.15) * n_rows)
        fig, axes = plt.subplots(n_rows, n_columns, figsize=size, squeeze=False)
        for ax in axes.flat:
            ax.axis("off")
        for i, (ax, image) in enumerate(zip(axes.flat, x, strict=False)):
            ax.imshow(np.squeeze(image), vmin=0, vmax=1)
            if titles is not None:
                ax.set_title(str(titles[i]), fontsize=8)
    plt.close(fig)
    return fig


def label_counts(counts: ArrayLike, class_names: Sequence[str], titles: Sequence[str]) -> Figure:
    """Draw how many samples of each class each client holds: a panel for each partition.

    Parameters
    ----------
    counts
        (n_partitions, n_clients, n_classes) numbers of samples.
    class_names, titles
        Names of the classes and of the partitions.

    Notes
    -----
    Chapter: federated-learning.
    """
    table = np.asarray(counts)
    with style():
        fig, axes = plt.subplots(1, len(table), figsize=(3.6 * len(table), 2.9), squeeze=False)
        for ax, values, title in zip(axes[0], table, titles, strict=True):
            shown = ax.imshow(values, vmin=0, vmax=table.max(), cmap="Blues", aspect="auto")
            ax.set(xlabel="class", ylabel="client", title=title)
            ax.set_xticks(range(len(class_names)), class_names)
            ax.grid(visible=False)
        fig.colorbar(shown, ax=axes[0].tolist(), label="samples")
    plt.close(fig)
    return fig


def coordinate(values: ArrayLike, *, threshold: float = 3.0) -> Figure:
    """Draw one coordinate: each client's value, the mean, and the band that RFOut-1d keeps.

    Parameters
    ----------
    values
        (n_clients,) what each client sent at this coordinate.
    threshold
        Half-width of the band, in standard deviations.

    Notes
    -----
    Chapter: rfout-1d.
    """
    x = np.asarray(values, dtype=np.float64)
    mean, reach = x.mean(), threshold * x.std()
    outside = np.abs(x - mean) > reach
    with style():
        fig, ax = plt.subplots(figsize=(7.2, 2.2))
        ax.axvspan(
            mean - reach, mean + reach, color=SKY, alpha=0.25, label=f"kept: {threshold:g} sigma"
        )
        ax.axvline(mean, color=BLUE, linestyle="--", label="mean of all")
        ax.axvline(np.where(outside, mean, x).mean(), color=GREEN, label="aggregate")
        client = np.arange(len(x))
        ax.plot(x[~outside], client[~outside], "o", color=BLACK, label="value of a client")
        ax.plot(x[outside], client[outside], "X", color=VERMILLION, markersize=8, label="flagged")
        ax.set(xlabel="value at this coordinate", ylabel="client")
        fig.legend(loc="outside right center")
    plt.close(fig)
    return fig


def flagged(history: pd.DataFrame) -> Figure:
    """Draw who was flagged when: rounds across, clients up, the share of coordinates as shade.

    Parameters
    ----------
    history
        `Federation.history` of rounds whose aggregator gave a report. A client that was not
        sampled in a round is left blank there.

    Notes
    -----
    Chapter: rfout-1d.
    """
    n_clients = 1 + max(max(sampled) for sampled in history["sampled"])
    share = np.full((n_clients, len(history)), np.nan)
    for column, (sampled, values) in enumerate(
        zip(history["sampled"], history["flagged"], strict=True)
    ):
        share[list(sampled), column] = values
    rounds = history["round"]
    edges = (rounds.iloc[0] - 0.5, rounds.iloc[-1] + 0.5, -0.5, n_clients - 0.5)
    with style():
        fig, ax = plt.subplots(figsize=(7.2, 2.9))
        shown = ax.imshow(
            share, vmin=0, vmax=1, cmap="cividis_r", aspect="auto", origin="lower", extent=edges
        )
        ax.set(xlabel="round", ylabel="client")
        ax.grid(visible=False)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True))
        fig.colorbar(shown, ax=ax, label="share of coordinates flagged")
    plt.close(fig)
    return fig
