"""What `make bench` measured: its tables, and what they were to show."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

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
