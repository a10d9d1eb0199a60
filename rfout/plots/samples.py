"""Figures of single values: images, samples of a client, one coordinate, distributions."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from ..vocabulary import Images
from .style import BLACK, BLUE, GREEN, SKY, VERMILLION, series, style


def images(x: Images, titles: Sequence[object] | None = None, *, n_columns: int = 8) -> Figure:
    """Draw (n, height, width, channels) images in [0, 1] on a grid, with a title on each.

    Examples
    --------
    >>> import numpy as np
    >>> len(images(np.zeros((3, 8, 8, 1), np.float32), ["a", "b", "c"]).axes)
    3
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

    Examples
    --------
    >>> figure = label_counts([[[5, 0], [1, 4]]], ["no", "yes"], ["non-IID"])
    >>> figure.axes[0].get_ylabel()
    'client'
    """
    table = np.asarray(counts)
    clients = range(0, table.shape[1], max(1, table.shape[1] // 5))
    with style():
        fig, axes = plt.subplots(1, len(table), figsize=(3.6 * len(table), 2.9), squeeze=False)
        for ax, values, title in zip(axes[0], table, titles, strict=True):
            shown = ax.imshow(
                values, vmin=0, vmax=table.max(), cmap="Blues", aspect="auto", origin="lower"
            )
            ax.set(xlabel="class", ylabel="client", title=title, yticks=clients)
            ax.set_xticks(range(len(class_names)), class_names)
            ax.grid(visible=False)
        fig.colorbar(shown, ax=axes[0].tolist(), label="samples")
    plt.close(fig)
    return fig


def coordinate(
    values: ArrayLike, flagged: ArrayLike, aggregate: float, *, threshold: float = 3.0
) -> Figure:
    """Draw one coordinate: each client's value, the mean, and the band that RFOut-1d keeps.

    Parameters
    ----------
    values
        (n_clients,) what each client sent at this coordinate.
    flagged
        (n_clients,) which of them the rule flagged.
    aggregate
        What the rule made of them.
    threshold
        Half-width of the band, in standard deviations.

    Examples
    --------
    >>> values = [0.0] * 11 + [12.0]
    >>> flagged = [value > 0 for value in values]
    >>> coordinate(values, flagged, aggregate=1 / 12).axes[0].get_ylabel()
    'client'
    """
    x, outside = np.asarray(values, dtype=np.float64), np.asarray(flagged, dtype=bool)
    mean, reach = x.mean(), threshold * x.std()
    with style():
        fig, ax = plt.subplots(figsize=(7.2, 2.2))
        label = f"band: mean ± {threshold:g} standard deviations"
        ax.axvspan(mean - reach, mean + reach, color=SKY, alpha=0.25, label=label)
        ax.axvline(mean, color=BLUE, linestyle="--", label="mean of all")
        ax.axvline(aggregate, color=GREEN, label="aggregate")
        client = np.arange(len(x))
        ax.plot(x[~outside], client[~outside], "o", color=BLACK, label="value of a client")
        ax.plot(x[outside], client[outside], "X", color=VERMILLION, markersize=8, label="flagged")
        ax.set(xlabel="value at this coordinate", ylabel="client", yticks=range(0, len(x), 5))
        fig.legend(loc="outside right center")
    plt.close(fig)
    return fig


def coordinates(values: ArrayLike, titles: Sequence[str]) -> Figure:
    """Draw single coordinates: a histogram over clients, and a QQ plot against the Gaussian.

    Parameters
    ----------
    values
        (n_clients, n_coordinates) what each client sent; one column of panels for each coordinate.
    titles
        One for each coordinate.

    Examples
    --------
    >>> import numpy as np
    >>> len(coordinates(np.random.default_rng(0).normal(size=(40, 3)), ["a", "b", "c"]).axes)
    6
    """
    from scipy import stats  # it takes a while to load

    x = np.asarray(values, dtype=np.float64)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    grid = np.linspace(-4, 4, 200)
    with style():
        fig, axes = plt.subplots(2, z.shape[1], figsize=(1.9 * z.shape[1], 3.6), squeeze=False)
        for (top, low), column, title in zip(axes.T, z.T, titles, strict=True):
            top.hist(column, bins=15, density=True, color=SKY, edgecolor="white")
            top.plot(grid, stats.norm.pdf(grid), "--", color=BLACK)
            top.set_title(title, fontsize=8)
            top.set(yticks=[], xlabel="value / std. dev.")
            theory, order = stats.probplot(column, fit=False)
            low.plot(theory, theory, "--", color=BLACK)
            low.plot(theory, order, "o", color=BLUE, markersize=2.5)
            low.set(xlabel="Gaussian quantile")
        axes[0][0].set_ylabel("clients")
        axes[1][0].set_ylabel("value / std. dev.")
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

    Examples
    --------
    >>> histograms({"p": [0.1, 0.2, 0.9]}, "p-value").axes[0].get_xlabel()
    'p-value'
    """
    edges = np.linspace(0, 1, n_bins + 1)
    with style():
        fig, ax = plt.subplots(figsize=(7.2, 2.9))
        for name, colour, line, _ in series(named):
            v = np.asarray(named[name], dtype=np.float64)
            v = v[~np.isnan(v)]
            heights = np.histogram(v, edges)[0] / len(v)
            ax.stairs(heights, edges, color=colour, linestyle=line, linewidth=1.6, label=name)
        ax.set(xlabel=xlabel, ylabel="fraction", xlim=(0, 1))
        fig.legend(loc="outside right center")
    plt.close(fig)
    return fig
