"""Every figure: what it says in words, and that it can be read without colour."""

from io import BytesIO
from itertools import pairwise

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from rfout import plots, rfout1d

plt.switch_backend("Agg")  # no window, wherever the tests run
REPORTED = pd.DataFrame(
    {"round": [21, 22], "sampled": [(0, 2), (1, 2)], "flagged": [(0.9, 0.1), (0.0, 0.2)]}
)
NAMES = [f"series {i}" for i in range(10)]
BACKDOOR = "backdoor accuracy\n(attack success rate)"


def history(main=(0.5, 0.8, 0.9), backdoor=(0.1, 0.7, 1.0)):
    return pd.DataFrame(
        {
            "round": range(1, len(main) + 1),
            "main_task_accuracy": main,
            "backdoor_accuracy": np.broadcast_to(backdoor, len(main)),
        }
    )


def images(n=5, channels=1):
    return np.random.default_rng(0).random((n, 6, 6, channels), dtype=np.float32)


def draw_all():
    """One figure by each function."""
    values = np.random.default_rng(0).normal(size=20)
    counts = np.arange(2 * 4 * 3).reshape(2, 4, 3)
    return {
        "rounds": plots.rounds({"mean": history(), "rfout1d": history()}, attack_from=2),
        "images": plots.images(images(), list("abcde")),
        "label_counts": plots.label_counts(counts, list("xyz"), ["IID", "Dirichlet"]),
        "coordinate": coordinate(values),
        "flagged": plots.flagged(REPORTED),
    }


def coordinate(values, threshold=3.0):
    """Draw a coordinate with what the operator makes of it."""
    aggregate, report = rfout1d(values, threshold=threshold, return_report=True)
    return plots.coordinate(values, report.flagged > 0, float(aggregate), threshold=threshold)


def legend_of(fig):
    """Name in the legend to its handle."""
    (legend,) = fig.legends
    names = [text.get_text() for text in legend.get_texts()]
    return dict(zip(names, legend.legend_handles, strict=True))


def rendered(fig):
    file = BytesIO()
    fig.savefig(file, format="png")
    file.seek(0)
    return plt.imread(file)


@pytest.mark.parametrize("name", ["rounds", "images", "label_counts", "coordinate", "flagged"])
def test_a_figure_is_returned_and_closed_for_pyplot(name):
    before = dict(matplotlib.rcParams)
    fig = draw_all()[name]
    assert isinstance(fig, Figure)
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == before
    assert len(np.unique(rendered(fig))) > 10


def test_the_styles_differ_in_more_than_colour():
    colours, lines, markers = zip(*plots.SERIES, strict=True)
    assert len(set(colours)) == 7
    assert len(set(markers)) == len(plots.SERIES) == 10
    assert len(set(zip(lines, markers, strict=True))) == 10
    okabe_ito = "#000000 #E69F00 #56B4E9 #009E73 #F0E442 #0072B2 #D55E00 #CC79A7"
    assert set(colours) <= set(okabe_ito.split())


# Rounds


def test_rounds_draws_both_accuracies_by_round():
    first, second = history(), history((0.2, 0.4, 0.6), (0.0, 0.1, 0.2))
    fig = plots.rounds({"mean": first, "rfout1d": second})
    assert [ax.get_xlabel() for ax in fig.axes] == ["round", "round"]
    assert [ax.get_ylabel() for ax in fig.axes] == ["main-task accuracy", BACKDOOR]
    for ax, column in zip(fig.axes, ["main_task_accuracy", "backdoor_accuracy"], strict=True):
        for line, data in zip(ax.get_lines(), [first, second], strict=True):
            np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
            np.testing.assert_array_equal(line.get_ydata(), data[column])
        low, high = ax.get_ylim()
        assert low < 0 < 1 < high
    assert list(legend_of(fig)) == ["mean", "rfout1d"]


def test_rounds_tells_every_series_apart_without_colour():
    fig = plots.rounds({name: history() for name in NAMES})
    looks = [(line.get_linestyle(), line.get_marker()) for line in fig.axes[0].get_lines()]
    assert len(set(looks)) == len(NAMES)
    for (line, marker), (next_line, next_marker) in pairwise(looks):
        assert line != next_line
        assert marker != next_marker
    in_panels = [
        [(ln.get_linestyle(), ln.get_marker(), ln.get_color()) for ln in ax.get_lines()]
        for ax in fig.axes
    ]
    assert in_panels[0] == in_panels[1]
    assert list(legend_of(fig)) == NAMES


def test_rounds_marks_where_the_attack_begins():
    fig = plots.rounds({"mean": history()}, attack_from=2)
    for ax in fig.axes:
        (text,) = ax.texts
        assert text.get_text() == "attack begins"
        marks = [line for line in ax.get_lines() if len(set(line.get_xdata())) == 1]
        assert [line.get_xdata()[0] for line in marks] == [1.5]
    without = plots.rounds({"mean": history()})
    assert not any(ax.texts for ax in without.axes)


def test_rounds_leaves_out_backdoor_accuracy_where_there_is_none():
    fig = plots.rounds({"mean": history(backdoor=np.nan)}, attack_from=2)
    assert [ax.get_ylabel() for ax in fig.axes] == ["main-task accuracy"]
    rendered(fig)


def test_rounds_draws_the_backdoor_accuracy_of_whoever_has_one():
    fig = plots.rounds({"honest": history(backdoor=np.nan), "attacked": history()})
    assert len(fig.axes) == 2
    assert list(legend_of(fig)) == ["honest", "attacked"]
    drawn = [line for line in fig.axes[1].get_lines() if np.isfinite(line.get_ydata()).any()]
    assert len(drawn) == 1
    assert drawn[0].get_label() == "attacked"
    rendered(fig)


def test_rounds_draws_a_backdoor_accuracy_with_gaps():
    rendered(plots.rounds({"mean": history(backdoor=(np.nan, 0.5, 1.0))}))


def test_rounds_are_whole_numbers():
    fig = plots.rounds({"mean": history((0.5, 0.9), (0.1, 0.2))})
    assert all(tick == int(tick) for tick in fig.axes[0].get_xticks())


# Images


@pytest.mark.parametrize(
    ("n", "n_columns", "rows", "columns"), [(5, 8, 1, 5), (8, 8, 1, 8), (9, 4, 3, 4), (1, 8, 1, 1)]
)
def test_images_stand_on_a_grid(n, n_columns, rows, columns):
    fig = plots.images(images(n), n_columns=n_columns)
    assert fig.axes[0].get_gridspec().get_geometry() == (rows, columns)
    shown = [ax for ax in fig.axes if ax.get_images()]
    assert shown == fig.axes[:n]
    for ax, image in zip(shown, images(n), strict=True):
        np.testing.assert_array_equal(ax.get_images()[0].get_array(), image[:, :, 0])
        assert not ax.axison


def test_images_share_one_scale():
    fig = plots.images(images(3) / 2)
    assert [ax.get_images()[0].get_clim() for ax in fig.axes] == [(0, 1)] * 3


def test_images_have_their_titles():
    fig = plots.images(images(3), np.array([7, 0, 2]))
    assert [ax.get_title() for ax in fig.axes] == ["7", "0", "2"]
    assert [ax.get_title() for ax in plots.images(images(3)).axes] == [""] * 3


def test_colour_images_are_drawn_in_colour():
    x = images(2, channels=3)
    fig = plots.images(x)
    np.testing.assert_array_equal(fig.axes[1].get_images()[0].get_array(), x[1])
    rendered(fig)


# Label counts


def test_label_counts_has_a_panel_for_each_partition_on_one_scale():
    counts = np.random.default_rng(0).integers(50, size=(2, 5, 3))
    fig = plots.label_counts(counts, ["zero", "one", "two"], ["IID", "Dirichlet"])
    *panels, bar = fig.axes
    assert [ax.get_title() for ax in panels] == ["IID", "Dirichlet"]
    for ax, table in zip(panels, counts, strict=True):
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("class", "client")
        assert [t.get_text() for t in ax.get_xticklabels()] == ["zero", "one", "two"]
        (image,) = ax.get_images()
        np.testing.assert_array_equal(image.get_array(), table)
        assert image.get_clim() == (0, counts.max())
    assert bar.get_ylabel() == "samples"


# One coordinate


def test_coordinate_shows_who_is_flagged_and_where_the_aggregate_is():
    values = np.append(np.linspace(-1, 1, 19), 50.0)
    fig = plots.coordinate(values, values > 10, 0.125, threshold=2.0)
    (ax,) = fig.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("value at this coordinate", "client")
    series = {line.get_label(): line for line in ax.get_lines()}
    assert series["flagged"].get_xdata().tolist() == [50.0]
    assert series["flagged"].get_ydata().tolist() == [19]
    np.testing.assert_array_equal(series["value of a client"].get_xdata(), values[:-1])
    np.testing.assert_allclose(series["mean of all"].get_xdata(), values.mean())
    np.testing.assert_allclose(series["aggregate"].get_xdata(), 0.125)
    assert {"band: mean ± 2 standard deviations", "flagged", "aggregate"} <= set(legend_of(fig))


def test_coordinate_tells_flagged_and_lines_apart_without_colour():
    drawn = coordinate(np.arange(12.0)).axes[0].get_lines()
    series = {line.get_label(): line for line in drawn}
    assert series["flagged"].get_marker() != series["value of a client"].get_marker()
    assert series["aggregate"].get_linestyle() != series["mean of all"].get_linestyle()


def test_coordinate_draws_values_that_are_all_the_same():
    rendered(coordinate(np.zeros(12)))


def test_the_colours_of_curves_are_those_of_the_series():
    fig = plots.rounds({name: history() for name in NAMES})
    got = [to_hex(line.get_color()).upper() for line in fig.axes[0].get_lines()]
    assert got == [colour for colour, _, _ in plots.SERIES]


# Flagged


def test_flagged_shows_each_client_in_its_row_and_blanks_who_was_not_sampled():
    ax, bar = plots.flagged(REPORTED).axes
    (image,) = ax.images
    expected = [[0.9, np.nan], [np.nan, 0.0], [0.1, 0.2]]
    np.testing.assert_array_equal(np.ma.filled(image.get_array(), np.nan), expected)
    assert image.get_extent() == [20.5, 22.5, -0.5, 2.5]
    assert image.origin == "lower"
    assert ax.get_xlabel() == "round"
    assert ax.get_ylabel() == "client"
    assert bar.get_ylabel() == "fraction of coordinates flagged"


def test_flagged_tells_one_in_a_hundred_from_none():
    (image,) = plots.flagged(REPORTED).axes[0].images
    none, some = image.cmap(image.norm([0.0, 0.01]))
    assert abs(none - some).max() > 0.05


# The spread over seeds


SPREAD = pd.DataFrame(
    {
        "curve": ["mean"] * 6,
        "x": [1, 2, 3] * 2,
        "quantity": ["main_task_accuracy"] * 3 + ["value"] * 3,
        "lowest": [0.4, 0.7, 0.8, 0.0, 0.1, 0.2],
        "highest": [0.6, 0.9, 1.0, 0.5, 0.6, 0.7],
    }
)


def extent(ax):
    """Ends of the bands in a panel."""
    boxes = [band.get_paths()[0].get_extents() for band in ax.collections]
    return [(round(box.ymin, 6), round(box.ymax, 6)) for box in boxes if box.width > 0]


def test_rounds_draws_the_band_of_the_curve_that_has_one():
    fig = plots.rounds({"mean": history(), "rfout1d": history()}, spread=SPREAD)
    assert [extent(ax) for ax in fig.axes] == [[(0.4, 1.0)], []]
    nothing = plots.rounds({"mean": history()}, spread=SPREAD.iloc[:0])
    assert not any(ax.collections for ax in nothing.axes)


def test_curves_draws_the_band_too():
    table = pd.DataFrame({"mean": [0.2, 0.3, 0.4]}, index=[1, 2, 3])
    assert extent(plots.curves(table, "x", "y", spread=SPREAD).axes[0]) == [(0.0, 0.7)]


def test_dots_have_a_line_each_and_a_bar_through_each_dot():
    table = pd.DataFrame({"one": [0.1, 0.9], "two": [0.2, 0.8]}, index=["mean", "RFOut-1d"])
    fig = plots.dots(table, "accuracy", lowest=table - 0.1, highest=table + 0.1)
    (ax,) = fig.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["mean", "RFOut-1d"]
    for line, column in zip(ax.get_lines(), table, strict=True):
        assert line.get_xdata().tolist() == table[column].tolist()
    bars = [path.get_extents() for lines in ax.collections for path in lines.get_paths()]
    assert [round(bar.width, 6) for bar in bars] == [0.2] * 4
    assert len({line.get_marker() for line in ax.get_lines()}) == 2
    assert list(legend_of(fig)) == ["one", "two"]
    rendered(plots.dots(table, "accuracy"))
