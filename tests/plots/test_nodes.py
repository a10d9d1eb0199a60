"""The figure of a run in Flower: who was flagged, dropped or missing, and when."""

import numpy as np
import pandas as pd
import pytest

from rfout.plots import nodes


def history(rounds, node, outcome="aggregated", flagged=0.5):
    return pd.DataFrame(
        {
            "round": rounds,
            "node": np.asarray(node, np.uint64),
            "outcome": outcome,
            "flagged": flagged,
            "largest_z": 1.0,
            "reason": "",
        }
    )


def shades(figure):
    return np.ma.filled(figure.axes[0].images[0].get_array(), np.nan)


def test_a_node_is_a_row_and_a_round_a_column():
    table = history([1, 1, 2, 2], [100, 101, 100, 101], flagged=[0.0, 1.0, 0.25, 0.5])
    np.testing.assert_array_equal(shades(nodes(table)), [[0.0, 0.25], [1.0, 0.5]])


def test_who_was_dropped_or_missing_is_marked_in_the_round():
    lost = [
        history([1, 2], [103, 103], "dropped", np.nan),
        history([2], [104], "missing", np.nan),
    ]
    axes = nodes(pd.concat([history([1] * 3, [100, 101, 102]), *lost])).axes[0]
    dropped, missing = axes.lines
    assert dropped.get_xydata().tolist() == [[1, 3], [2, 3]]
    assert missing.get_xydata().tolist() == [[2, 4]]
    assert dropped.get_marker() != missing.get_marker()
    texts = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert texts == ["dropped", "missing"]


def test_a_node_that_was_not_asked_is_blank_and_many_have_no_names():
    figure = nodes(history([1, 1, 3] * 50, np.arange(150, dtype=np.uint64) + 2**63))
    assert shades(figure).shape == (150, 3)
    assert np.isnan(shades(figure)).sum() == 2 * 150
    assert "150 in the order" in figure.axes[0].get_ylabel()


def test_without_a_round_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="no round yet"):
        nodes(history([], []))
