"""The two figures of the comparison, with the spread over the seeds drawn in both.

Chapter: defences-compared.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .plots import SERIES, style


def ends(results: pd.DataFrame) -> pd.DataFrame:
    """The last round of every run, one row for each.

    Parameters
    ----------
    results
        Columns attack, partition, seed, aggregator, round, and what was measured.

    Notes
    -----
    Chapter: defences-compared.
    """
    run = ["attack", "partition", "seed", "aggregator"]
    return results.loc[results.groupby(run)["round"].idxmax()].reset_index(drop=True)


def by_round(results: pd.DataFrame, *, n_columns: int = 3) -> Figure:
    """Draw backdoor accuracy by round: a panel for each aggregator, a curve for each attack.

    Parameters
    ----------
    results
        As for `ends`, of one partition. The curve is the mean over the seeds, the band around it
        reaches from the lowest to the highest.
    n_columns
        Panels side by side; the legend takes the place behind the last.

    Notes
    -----
    Chapter: defences-compared.
    """
    names = list(dict.fromkeys(results["aggregator"]))
    attacks = list(dict.fromkeys(results["attack"]))
    n_rows = len(names) // n_columns + 1
    with style():
        fig, axes = plt.subplots(
            n_rows, n_columns, figsize=(7.2, 1.45 * n_rows + 0.3), sharex=True, sharey=True,
            squeeze=False,
        )  # fmt: skip
        for ax in axes.flat[len(names) :]:
            ax.axis("off")
        for ax, name in zip(axes.flat, names, strict=False):
            for attack, (colour, line, marker) in zip(attacks, SERIES, strict=False):
                rows = results[(results["aggregator"] == name) & (results["attack"] == attack)]
                seeds = rows.groupby("round")["backdoor_accuracy"].agg(["mean", "min", "max"])
                ax.fill_between(seeds.index, seeds["min"], seeds["max"], color=colour, alpha=0.2)
                ax.plot(seeds.index, seeds["mean"], line, color=colour, marker=marker, label=attack)
            ax.set(title=name, ylim=(-0.05, 1.05))
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        for column in range(n_columns):
            lowest = [ax for ax in axes[:, column] if ax.axison][-1]
            lowest.tick_params(labelbottom=True)
        fig.supxlabel("round of the attack", fontsize=9)
        fig.supylabel("backdoor accuracy", fontsize=9)
        axes.flat[-1].legend(*axes[0][0].get_legend_handles_labels(), loc="center")
    plt.close(fig)
    return fig


def at_the_end(results: pd.DataFrame) -> Figure:
    """Draw backdoor accuracy after the last round as shades: aggregators by attacks.

    Parameters
    ----------
    results
        As for `ends`. There is a panel for each partition; a cell has the mean over the seeds, and
        below it the lowest and the highest where they differ.

    Notes
    -----
    Chapter: defences-compared.
    """
    last = ends(results)
    partitions = list(dict.fromkeys(results["partition"]))
    names = list(dict.fromkeys(results["aggregator"]))
    attacks = list(dict.fromkeys(results["attack"]))
    with style():
        fig, axes = plt.subplots(
            len(partitions), 1, figsize=(7.2, (0.33 * len(names) + 0.3) * len(partitions) + 0.8),
            sharex=True, squeeze=False, dpi=120,
        )  # fmt: skip
        for ax, partition in zip(axes[:, 0], partitions, strict=True):
            seeds = last[last["partition"] == partition].groupby(["aggregator", "attack"])
            cells = seeds["backdoor_accuracy"].agg(["mean", "min", "max"]).unstack()
            shades = cells["mean"].reindex(index=names, columns=attacks)
            shown = ax.imshow(shades, vmin=0, vmax=1, cmap="Blues", aspect="auto")
            for row, name in enumerate(names):
                for column, attack in enumerate(attacks):
                    mean, low, high = (cells[c, attack][name] for c in ("mean", "min", "max"))
                    ink = "white" if mean > 0.6 else "black"
                    ax.text(column, row - 0.16, f"{mean:.2f}", ha="center", va="center", color=ink)
                    if f"{low:.2f}" == f"{high:.2f}":
                        continue  # nothing to say, and text all over makes the page heavy
                    spread = f"{low:.2f} to {high:.2f}"
                    ax.text(
                        column, row + 0.24, spread, ha="center", va="center", color=ink, fontsize=6
                    )
            ax.set_yticks(range(len(names)), names)
            labels = [a.replace(", ", ",\n").replace(" not ", "\nnot ") for a in attacks]
            ax.set_xticks(range(len(attacks)), labels, fontsize=7)
            ax.set_title(partition)
            ax.grid(visible=False)
            ax.tick_params(length=0)
        fig.colorbar(shown, ax=axes[:, 0].tolist(), label="backdoor accuracy", aspect=40)
    plt.close(fig)
    return fig
