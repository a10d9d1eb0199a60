"""What `make bench` measured, as the book's page shows it: tables, targets, a figure."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from rfout.plots import BLACK, style
from rfout.plots.style import series

Tables = Mapping[str, pd.DataFrame]

BYTES = 4  # of a float32
NAMES = ("speed", "speed_many_clients", "memory", "scaling", "out_of_core", "shards")
MEAN, PLAIN = "times numpy.mean", "times rfout1d"
# (what is compared, its case in speed.csv, the column, at most or at least, the target, unit)
TARGETS = (
    ("rfout1d", "rfout1d", "times_mean", "<=", 1.5, MEAN),
    ("rfout1d", "rfout1d", "times_flower", "<=", 0.5, "times Flower's FedAvg"),
    ("rfout1d without a compiler", "rfout1d, block-wise NumPy", "times_mean", "<=", 6, MEAN),
    ("scipy.stats.trim_mean", "scipy.stats.trim_mean", "times_rfout1d", ">=", 20, PLAIN),
    ("numpy.median", "numpy.median", "times_rfout1d", ">=", 20, PLAIN),
    ("double loop over values", "double loop", "times_rfout1d", ">=", 1000, PLAIN),
)


def read_tables(folder: str | Path) -> dict[str, pd.DataFrame]:
    """Read the tables that `make bench` wrote.

    Parameters
    ----------
    folder
        Where the CSV files are: ``benchmarks/results``.

    Returns
    -------
    dict
        Name of the table to its rows.

    Raises
    ------
    FileNotFoundError
        If one is missing, with the command that writes it.
    """
    missing = [name for name in NAMES if not (Path(folder) / f"{name}.csv").is_file()]
    if missing:
        raise FileNotFoundError(f"{folder} has no {missing[0]}.csv: run `make bench`")
    return {name: pd.read_csv(Path(folder) / f"{name}.csv") for name in NAMES}


def verdicts(tables: Tables) -> pd.DataFrame:
    """What was measured against what was wanted.

    Parameters
    ----------
    tables
        From `read_tables`.

    Returns
    -------
    pandas.DataFrame
        A row for each target: what, measured, target, unit, met.
    """
    speed = tables["speed"]
    files = tables["out_of_core"].iloc[0]
    rows = []
    for what, case, column, sign, target, unit in TARGETS:
        # Some cases carry their arguments in their names; "rfout1d" is also how others begin.
        named = speed["case"] == case if case == "rfout1d" else speed["case"].str.startswith(case)
        rows.append((what, speed.loc[named, column].iloc[0], sign, target, unit))
    rows += [
        ("memory beyond input and output", tables["memory"]["extra_mib"].max(), "<=", 64, "MiB"),
        ("resident, files mapped", files["peak_resident_mib"], "<=", 1024, "MiB"),
        ("bytes as in memory, files mapped", files["same_bytes_as_in_memory"], ">=", 1, "of 1"),
        (
            "bytes as one process",
            of_shards(tables, "coordinate", "same_bytes").mean(),
            ">=",
            1,
            "of 1",
        ),
        (
            "client shards against one process",
            of_shards(tables, "client", "largest_relative_difference").max(),
            "<=",
            1e-6,
            "relative",
        ),
    ]
    return pd.DataFrame(
        {
            "what": [what for what, *_ in rows],
            "measured": [_short(float(measured)) for _, measured, *_ in rows],
            "target": [f"{sign} {target:g} {unit}" for *_, sign, target, unit in rows],
            "met": [
                bool(measured <= target if sign == "<=" else measured >= target)
                for _, measured, sign, target, _ in rows
            ],
        }
    )


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def of_shards(tables: Tables, by: str, column: str) -> "pd.Series[Any]":
    """One column of the runs over several processes that were sharded in one way."""
    shards = tables["shards"]
    return shards.loc[shards["sharded_by"] == by, column]


def bandwidth(tables: Tables) -> float:
    """Bytes per second at which all threads read the largest arrays: a bound on any rule."""
    scaling = tables["scaling"]
    largest = scaling[scaling["n_values"] > scaling["n_values"].max() / 2]
    return 1e9 * float(largest["bandwidth_gigabytes_per_second"].median())


def scaling(table: pd.DataFrame, bandwidth: float) -> Figure:
    """Draw seconds against parameters for some numbers of clients, and against clients.

    Parameters
    ----------
    table
        Columns n_clients, n_params, n_values, seconds.
    bandwidth
        Bytes a second at which memory is read: the dotted lines are the time it takes to read the
        updates.
    """
    axes_of = (
        ("n_params", "n_clients", (10, 100, 1000)),
        ("n_clients", "n_params", (1e3, 1e4, 1e5)),
    )
    words = {"n_params": "parameters", "n_clients": "clients"}
    with style():
        fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
        for ax, (across, fixed, values) in zip(axes, axes_of, strict=True):
            labels = {f"{value:,.0f} {words[fixed]}": value for value in values}
            for label, colour, line, marker in series(labels):
                rows = table[table[fixed] == labels[label]].sort_values(across)
                x, least = rows[across], BYTES * rows["n_values"] / bandwidth
                ax.plot(x, rows["seconds"], line, color=colour, marker=marker, label=label)
                ax.plot(x, least, ":", color=BLACK, linewidth=0.9)
            ax.plot([], [], ":", color=BLACK, linewidth=0.9, label="reading the bytes")
            ax.set(xscale="log", yscale="log", xlabel=words[across])
            ax.legend(fontsize=7)
        axes[0].set_ylabel("seconds")
    plt.close(fig)
    return fig
