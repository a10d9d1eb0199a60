"""Figures that measure: what they say, and that colour is not needed to read it."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from rfout import plots

plt.switch_backend("Agg")  # no window, wherever the tests run
TABLE = pd.DataFrame({"mean": [0.1, 0.5, 0.9], "RFOut-1d": [0.0, np.nan, 0.2]}, index=[1, 2, 3])


def history(backdoor=(0.1, 0.7, 1.0)):
    n = len(backdoor)
    return pd.DataFrame(
        {"round": range(1, n + 1), "main_task_accuracy": 0.9, "backdoor_accuracy": backdoor}
    )


def values(m=3, n=40):
    return np.random.default_rng(0).normal(5.0, 2.0, size=(n, m))


def draw_all():
    """One figure by each function."""
    return {
        "coordinates": plots.coordinates(values(), list("abc")),
        "histograms": plots.histograms({"a": [0.1, 0.2], "b": [np.nan, 0.9]}, "p-value"),
        "bars": plots.bars(TABLE, "share", line=0.05, name="Gaussian"),
        "curves": plots.curves(TABLE, "k", "accuracy", mark=2, name="wall"),
        "multiples": plots.multiples({"one": {"mean": history()}, "two": {"mean": history()}}),
    }


def legend_names(fig):
    return [text.get_text() for legend in fig.legends for text in legend.get_texts()]


@pytest.mark.parametrize("name", draw_all())
def test_a_figure_is_returned_closed_for_pyplot_and_can_be_drawn(name, tmp_path):
    before = dict(matplotlib.rcParams)
    fig = draw_all()[name]
    assert isinstance(fig, Figure)
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == before
    fig.savefig(tmp_path / "figure.png")
    assert len(np.unique(plt.imread(tmp_path / "figure.png"))) > 10


def test_coordinates_are_drawn_in_their_own_sigma():
    x = values(2)
    fig = plots.coordinates(x, ["first", "second"])
    tops, lows = fig.axes[:2], fig.axes[2:]
    assert [ax.get_title() for ax in tops] == ["first", "second"]
    for ax, column in zip(lows, x.T, strict=True):
        z = (column - column.mean()) / column.std()
        np.testing.assert_allclose(ax.get_lines()[1].get_ydata(), np.sort(z))
        theory = ax.get_lines()[1].get_xdata()
        assert np.all(np.diff(theory) > 0)
        np.testing.assert_allclose(theory, -theory[::-1], atol=1e-9)


def test_histograms_are_shares_of_what_is_a_number():
    fig = plots.histograms({"a": [0.01, 0.02, np.nan, 0.99]}, "p-value", n_bins=10)
    (steps,) = fig.axes[0].patches
    assert steps.get_data().values.tolist() == pytest.approx([2 / 3, *[0] * 8, 1 / 3])
    assert fig.axes[0].get_xlabel() == "p-value"
    assert legend_names(fig) == ["a"]


def test_bars_are_as_high_as_the_table_and_differ_by_hatch():
    table = TABLE.fillna(0.3)
    fig = plots.bars(table, "share", line=0.05, name="Gaussian")
    (ax,) = fig.axes
    for bars, column in zip(ax.containers, table.columns, strict=True):
        np.testing.assert_allclose([bar.get_height() for bar in bars], table[column])
    assert len({bars[0].get_hatch() for bars in ax.containers}) == 2
    assert sorted(legend_names(fig)) == ["Gaussian", "RFOut-1d", "mean"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "3"]


def test_curves_show_what_was_measured_and_nothing_between():
    fig = plots.curves(TABLE, "k", "accuracy", logarithmic="y", mark=2, name="wall")
    (ax,) = fig.axes
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert lines["mean"].get_xdata().tolist() == [1, 2, 3]
    assert lines["RFOut-1d"].get_xdata().tolist() == [1, 3]
    assert set(lines["wall"].get_xdata()) == {2}
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    looks = {(lines[n].get_linestyle(), lines[n].get_marker()) for n in ("mean", "RFOut-1d")}
    assert len(looks) == 2


@pytest.mark.parametrize("n", [1, 3, 4])
def test_multiples_have_a_panel_each_and_one_legend(n):
    groups = {f"attack {i}": {"mean": history((0.1 * i,)), "MAD": history()} for i in range(n)}
    fig = plots.multiples(groups, n_columns=3)
    shown = [ax for ax in fig.axes if ax.get_lines()]
    assert [ax.get_title() for ax in shown] == list(groups)
    for i, ax in enumerate(shown):
        assert ax.get_lines()[0].get_ydata().tolist() == [0.1 * i]
        assert ax.get_ylim() == shown[0].get_ylim()
    assert legend_names(fig) == ["mean", "MAD"]
    label = " ".join(fig.get_supylabel().split())  # in two lines where there is one row
    assert label == "backdoor accuracy (attack success rate)"
    main = plots.multiples(groups, "main_task_accuracy")
    assert main.get_supylabel() == "main-task accuracy"
