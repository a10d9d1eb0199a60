"""Figures of many runs: every run is in them, with the spread over the seeds."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from rfout.experiments import ends
from rfout.plots import by_round, heat

plt.switch_backend("Agg")  # no window, wherever the tests run
AGGREGATORS, SEEDS = [f"aggregator {i}" for i in range(4)], (1, 2, 3)
ATTACKS = {"pattern, 4 not boosted": 3, "one shot": 2}


def results(partitions=("IID", "Dirichlet")):
    rng = np.random.default_rng(0)
    runs = product(ATTACKS, partitions, SEEDS, AGGREGATORS)
    rows = [(*run, number) for run in runs for number in range(1, ATTACKS[run[0]] + 1)]
    table = pd.DataFrame(rows, columns=["attack", "partition", "seed", "aggregator", "round"])
    return table.assign(backdoor_accuracy=rng.random(len(table)))


def test_ends_are_the_last_rounds_whatever_the_order():
    table = results()
    last = ends(table.sample(frac=1, random_state=0))
    assert len(last) == len(ATTACKS) * 2 * len(SEEDS) * len(AGGREGATORS)
    for row in last.itertuples():
        assert row.round == ATTACKS[row.attack]
        same = table[
            (table["attack"] == row.attack)
            & (table["partition"] == row.partition)
            & (table["seed"] == row.seed)
            & (table["aggregator"] == row.aggregator)
        ]
        assert same["backdoor_accuracy"].iloc[-1] == row.backdoor_accuracy


@pytest.mark.parametrize("n_columns", [2, 3])
def test_by_round_draws_the_median_in_a_band_from_lowest_to_highest(n_columns):
    table = results(["IID"])
    fig = by_round(table, n_columns=n_columns)
    panels = [ax for ax in fig.axes if ax.axison]
    assert [ax.get_title() for ax in panels] == AGGREGATORS
    for ax in panels:
        of_one = table[table["aggregator"] == ax.get_title()]
        for curve, band, attack in zip(ax.lines, ax.collections, ATTACKS, strict=True):
            seeds = of_one[of_one["attack"] == attack].groupby("round")["backdoor_accuracy"]
            np.testing.assert_allclose(curve.get_ydata(), seeds.median())
            box = band.get_paths()[0].get_extents()
            assert (box.ymin, box.ymax) == pytest.approx((seeds.min().min(), seeds.max().max()))
    (legend,) = fig.legends
    assert [text.get_text() for text in legend.get_texts()] == list(ATTACKS)
    styles = {(line.get_linestyle(), line.get_marker()) for line in panels[0].lines}
    assert len(styles) == len(ATTACKS)  # readable without colour
    assert fig.get_supylabel() == "backdoor accuracy (attack success rate)"


@pytest.mark.parametrize("n_columns", [2, 4])
def test_the_label_of_the_panels_is_whole(n_columns):
    fig = by_round(results(["IID"]), n_columns=n_columns)
    fig.draw_without_rendering()
    label = fig._supylabel.get_window_extent()
    assert label.y0 >= 0
    assert label.y1 <= fig.bbox.y1


def test_heat_says_mean_and_spread_in_every_cell():
    table = results()
    fig = heat(ends(table))
    panels = [ax for ax in fig.axes if ax.get_title()]
    assert [ax.get_title() for ax in panels] == ["IID", "Dirichlet"]
    last = ends(table)
    for ax in panels:
        said = {text.get_text() for text in ax.texts}
        assert len(ax.texts) == 2 * len(ATTACKS) * len(AGGREGATORS)
        assert [label.get_text() for label in ax.get_yticklabels()] == AGGREGATORS
        shades = ax.images[0].get_array()
        for (column, attack), (row, name) in product(enumerate(ATTACKS), enumerate(AGGREGATORS)):
            one = last[(last["attack"] == attack) & (last["aggregator"] == name)]
            values = one[one["partition"] == ax.get_title()]["backdoor_accuracy"]
            assert shades[row, column] == pytest.approx(values.mean())
            assert f"{values.mean():.2f}" in said
            assert f"{values.min():.2f} to {values.max():.2f}" in said


def test_figures_are_closed():
    before = plt.get_fignums()
    by_round(results(["IID"]))
    heat(ends(results()))
    assert plt.get_fignums() == before


@pytest.mark.parametrize("n", [1, 2, 9])
def test_by_round_draws_every_panel_and_every_curve(n):
    """One or two aggregators have panels, and the eighth and the ninth attack their curves."""
    rows = [(f"a{i}", f"attack {j}", 1, 0.1 * j) for i in range(n) for j in range(9)]
    table = pd.DataFrame(rows, columns=["aggregator", "attack", "round", "backdoor_accuracy"])
    panels = [ax for ax in by_round(table).axes if ax.axison]
    assert [ax.get_title() for ax in panels] == [f"a{i}" for i in range(n)]
    for ax in panels:
        assert [line.get_ydata()[0] for line in ax.lines] == pytest.approx(np.arange(9) / 10)
        assert len({(line.get_linestyle(), line.get_marker()) for line in ax.lines}) == 9
