"""The tables of `make bench`: read whole, judged by their targets, and drawn."""

import shutil

import numpy as np
import pytest
import tables as benchmarks
from matplotlib import pyplot as plt

plt.switch_backend("Agg")


@pytest.fixture
def tables(root):
    return benchmarks.read_tables(root / "benchmarks" / "results")


def changed(tables, name, column, value, case=None):
    table = tables[name].copy()
    rows = slice(None) if case is None else table["case"] == case
    table.loc[rows, column] = value
    return {**tables, name: table}


def test_every_table_says_where_when_and_with_what_it_was_measured(tables):
    for table in tables.values():
        assert table[["date", "machine", "versions"]].notna().all(axis=None)


def test_a_missing_table_is_named_with_the_command_that_makes_it(root, tmp_path):
    for name in benchmarks.NAMES[1:]:
        shutil.copy(root / "benchmarks" / "results" / f"{name}.csv", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"speed\.csv: run `make bench`"):
        benchmarks.read_tables(tmp_path)


@pytest.mark.parametrize(
    ("row", "name", "column", "case", "good", "bad"),
    [
        (0, "speed", "times_mean", "rfout1d", 1.5, 1.51),
        (1, "speed", "times_flower", "rfout1d", 0.5, 0.51),
        (2, "speed", "times_mean", "rfout1d, block-wise NumPy", 6.0, 6.1),
        (3, "speed", "times_rfout1d", "scipy.stats.trim_mean(x, 0.1)", 20.0, 19.9),
        (4, "speed", "times_rfout1d", "numpy.median(x, axis=0)", 20.0, 19.9),
        (6, "memory", "extra_mib", None, 64.0, 64.5),
        (7, "out_of_core", "peak_resident_mib", None, 1024.0, 1025.0),
        (8, "out_of_core", "same_bytes_as_in_memory", None, True, False),
        (9, "shards", "same_bytes", None, True, False),
        (10, "shards", "largest_relative_difference", None, 1e-7, 1e-5),
    ],
)
def test_a_target_is_met_up_to_its_bound_and_no_further(tables, row, name, column, case, good, bad):
    for value, met in ((good, True), (bad, False)):
        found = benchmarks.verdicts(changed(tables, name, column, value, case))
        assert found["met"].iloc[row] == met
        others = benchmarks.verdicts(tables)["met"].drop(index=row)
        assert (found["met"].drop(index=row) == others).all()


def test_the_figure_has_every_measured_time_and_the_line_of_memory(tables):
    left, right = benchmarks.scaling(tables["scaling"], benchmarks.bandwidth(tables)).axes
    table = tables["scaling"]
    for ax, column in ((left, "n_params"), (right, "n_clients")):
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        drawn = [line for line in ax.get_lines() if len(line.get_xdata())]
        measured, least = drawn[::2], drawn[1::2]
        assert len(measured) == 3
        for curve, line in zip(measured, least, strict=True):
            assert len(curve.get_xdata()) >= 3
            for x, y in zip(curve.get_xdata(), curve.get_ydata(), strict=True):
                assert ((table[column] == x) & (table["seconds"] == y)).any()
            rows = table.set_index("seconds").loc[curve.get_ydata()]
            expected = 4 * rows["n_values"] / benchmarks.bandwidth(tables)
            np.testing.assert_allclose(line.get_ydata(), expected)
        styles = {(line.get_linestyle(), line.get_marker()) for line in measured}
        assert len(styles) == 3, "curves are told apart without colour"
