"""Figures with the rounds across: accuracies, and who was flagged."""

from collections.abc import Iterable, Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from .style import ACCURACIES, BLACK, band, series, style, whole_rounds


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

    Examples
    --------
    >>> import pandas as pd
    >>> history = pd.DataFrame({"round": [1, 2], "main_task_accuracy": [0.4, 0.8]})
    >>> figure = rounds({"mean": history.assign(backdoor_accuracy=[0.0, 1.0])})
    >>> [ax.get_ylabel().splitlines()[0] for ax in figure.axes]
    ['main-task accuracy', 'backdoor accuracy']
    """
    shown = [key for key in ACCURACIES if any(h[key].notna().any() for h in histories.values())]
    with style():
        fig, axes = plt.subplots(1, len(shown), figsize=(3.6 * len(shown), 2.9), squeeze=False)
        for ax, key in zip(axes[0], shown, strict=True):
            for name, colour, line, marker in series(histories):
                rows = histories[name]
                ax.plot("round", key, line, data=rows, color=colour, marker=marker, label=name)
                band(ax, spread, name, key, colour)
            if attack_from is not None:
                _mark_attack(ax, attack_from)
            ax.set(xlabel="round", ylim=(-0.03, 1.03))
            ax.set_ylabel(ACCURACIES[key].replace(" (", "\n("))  # else it is taller than its axis
            first = min(history["round"].min() for history in histories.values())
            ax.set_xlim(left=first - 0.5)
            whole_rounds(ax)
        fig.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    plt.close(fig)
    return fig


def _mark_attack(ax: Axes, first: int) -> None:
    ax.axvline(first - 0.5, color=BLACK, linewidth=0.8, linestyle=":")
    ax.annotate(
        "attack begins",
        (first - 0.5, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=7,
    )


def by_round(
    results: pd.DataFrame,
    *,
    panel: str = "aggregator",
    curve: str = "attack",
    quantity: str = "backdoor_accuracy",
    n_columns: int = 3,
    ylim: tuple[float, float] = (-0.05, 1.05),
) -> Figure:
    """Draw one number by round: a small panel for each group, a curve for each run in it.

    Parameters
    ----------
    results
        A tidy table with a column ``round``, those named below, and where there are several runs
        of a curve, one that tells them apart. A curve is their median, the band around it goes from
        the lowest to the highest.
    panel, curve, quantity
        The columns that give the panels, the curves and the vertical axis.
    n_columns
        Panels side by side.
    ylim
        Ends of the vertical axis, shared by all panels.

    Examples
    --------
    >>> import pandas as pd
    >>> one = {"aggregator": "mean", "attack": "boosted", "round": [1, 2]}
    >>> figure = by_round(pd.DataFrame(one | {"backdoor_accuracy": [0.1, 0.9]}))
    >>> figure.axes[0].get_title()
    'mean'
    """
    panels = list(dict.fromkeys(results[panel]))
    curves = list(dict.fromkeys(results[curve]))
    n_columns = min(n_columns, len(panels))
    n_rows = -(-len(panels) // n_columns)
    with style():
        fig, axes = plt.subplots(
            n_rows,
            n_columns,
            figsize=(7.2, 1.5 * n_rows + 0.7),
            sharex=True,
            sharey=True,
            squeeze=False,
        )
        for ax in axes.flat[len(panels) :]:
            ax.axis("off")
        for ax, title in zip(axes.flat, panels, strict=False):
            of_panel = results[results[panel] == title]
            for name, colour, line, marker in series(curves):
                runs = of_panel[of_panel[curve] == name].groupby("round")[quantity]
                middle = runs.median()
                ax.fill_between(
                    middle.index, runs.min(), runs.max(), color=colour, alpha=0.18, linewidth=0
                )
                ax.plot(middle, line, color=colour, marker=marker, markersize=3, label=name)
            ax.set(ylim=ylim)
            ax.set_title(title, fontsize=9)
            whole_rounds(ax)
        for column in range(n_columns):
            lowest = [ax for ax in axes[:, column] if ax.axison][-1]
            lowest.tick_params(labelbottom=True)
            lowest.set_xlabel("round")
        label = ACCURACIES.get(quantity, quantity)
        # One row of panels is lower than the label is long.
        fig.supylabel(label.replace(" (", "\n(") if n_rows == 1 else label, fontsize=9)
        fig.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    plt.close(fig)
    return fig


def multiples(
    groups: Mapping[str, Mapping[str, pd.DataFrame]],
    quantity: str = "backdoor_accuracy",
    *,
    n_columns: int = 3,
) -> Figure:
    """Draw one number of many histories by round: a small panel for each group.

    Parameters
    ----------
    groups
        Title of a panel to its histories, by their name in the legend.
    quantity, n_columns
        As for `by_round`.

    Examples
    --------
    >>> import pandas as pd
    >>> history = pd.DataFrame({"round": [1, 2], "backdoor_accuracy": [0.1, 0.9]})
    >>> multiples({"boosted": {"mean": history}}).axes[0].get_title()
    'boosted'
    """
    tables = [
        history.assign(panel=title, curve=name)[["panel", "curve", "round", quantity]]
        for title, histories in groups.items()
        for name, history in histories.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    return by_round(table, panel="panel", curve="curve", quantity=quantity, n_columns=n_columns)


def flagged(history: pd.DataFrame) -> Figure:
    """Draw who was flagged when: rounds across, clients up, the fraction of coordinates as shade.

    The shades follow the square root of it, so that one in a hundred is seen beside all.

    Parameters
    ----------
    history
        `Federation.history` of rounds whose aggregator gave a report. A client that was not
        sampled in a round is left blank there.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"round": [1], "sampled": [(0, 1)], "flagged": [(0.9, 0.01)]}
    >>> flagged(pd.DataFrame(rows)).axes[0].get_ylabel()
    'client'
    """
    n_clients = 1 + max(max(sampled) for sampled in history["sampled"])
    share = np.full((n_clients, len(history)), np.nan)
    of_round: Iterable[tuple[tuple[int, ...], tuple[float, ...]]]
    of_round = zip(history["sampled"], history["flagged"], strict=True)
    for column, (sampled, values) in enumerate(of_round):
        share[list(sampled), column] = values
    first, last = history["round"].iloc[[0, -1]]
    with style():
        fig, ax = plt.subplots(figsize=(7.2, 2.9))
        shown = ax.imshow(
            share,
            norm=PowerNorm(0.5, 0, 1),
            cmap="cividis_r",
            aspect="auto",
            origin="lower",
            extent=(first - 0.5, last + 0.5, -0.5, n_clients - 0.5),
        )
        ax.set(xlabel="round", ylabel="client", yticks=range(0, n_clients, max(1, n_clients // 5)))
        ax.grid(visible=False)
        whole_rounds(ax)
        bar = fig.colorbar(shown, ax=ax, label="fraction of coordinates flagged")
        bar.set_ticks(
            [0, 0.01, 0.05, 0.25, 0.5, 1], labels=["0", "1 %", "5 %", "25 %", "50 %", "100 %"]
        )
    plt.close(fig)
    return fig
