"""What chapters say of their runs: claims that are held, numbers for the prose, curves."""

import json
import os
import subprocess
import sys

import myst_nb
import numpy as np
import pandas as pd
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from rfout import book
from rfout.book import CLAIM, CURVES, claim, over_seeds, record, shared


@pytest.fixture
def displayed(monkeypatch, tmp_path):
    """Return a function that gives what a call displays in a notebook."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a shell replaces it
    without_history = Config({"HistoryManager": {"enabled": False}})
    shell = InteractiveShell.instance(config=without_history)
    publisher = CapturingDisplayPublisher(shell=shell)
    monkeypatch.setattr(shell, "display_pub", publisher)

    def displayed(call):
        publisher.outputs.clear()
        call()
        return [(output["data"], output["metadata"]) for output in publisher.outputs]

    yield displayed
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    ("value", "plain"),
    [(0.25, 0.25), (np.float64(1 / 3), 1 / 3), (np.float32(0.5), 0.5), (7, 7.0), ("two", "two")],
)
def test_what_is_recorded_is_what_myst_nb_glues(displayed, value, plain):
    ours = displayed(lambda: record(name=value))
    assert ours == displayed(lambda: myst_nb.glue("name", plain, display=False))
    assert len(ours) == 1


def test_several_at_once_keep_their_names(displayed):
    found = displayed(lambda: record(one=1.5, other=2.5))
    assert [about["scrapbook"]["name"] for _, about in found] == ["one", "other"]


def test_a_page_that_only_records_loads_no_tensorflow():
    code = "import sys, rfout.book as b; b.record(a=1.0); sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.fixture
def reader(monkeypatch):
    """Return a function that sets the environment of a reader, or of the build."""

    def reader(strict=False, dataset=None, seed=2022):
        monkeypatch.setattr(book, "SEED", seed)
        for name, value in {"RFOUT_STRICT": strict and "1", "RFOUT_DATASET": dataset}.items():
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)

    reader()
    return reader


@pytest.mark.parametrize(
    ("bounds", "value", "holds"),
    [
        ({"above": 0.5}, 0.6, True),
        ({"above": 0.5}, 0.5, False),
        ({"below": 0.5}, 0.4, True),
        ({"below": 0.5}, 0.5, False),
        ({"above": 0.1, "below": 0.5}, 0.3, True),
        ({"above": 0.1, "below": 0.5}, 0.7, False),
        ({"equal": 12}, 12.0, True),
        ({"equal": 12}, 11, False),
        ({"above": 0.5}, np.nan, False),
        ({"below": 0.5}, np.nan, False),
    ],
)
def test_a_claim_holds_within_its_bounds_and_tells_a_reader_either_way(
    reader, capsys, bounds, value, holds
):
    claim("It is" + ", {}" * len(bounds) + ".", value, **bounds)
    said = capsys.readouterr().out
    assert said.startswith("Holds: It is" if holds else "Does not hold in this run: It is")
    assert f"({value:.3g})" in said
    assert all(str(bound) in said for bound in bounds.values())


def test_a_claim_in_a_notebook_carries_what_the_register_needs(reader, displayed):
    ((data, _),) = displayed(lambda: claim("It ends above {:.0%}.", np.float64(0.97), above=0.9))
    assert data["text/plain"] == "Holds: It ends above 90%. (0.97)"
    assert data[CLAIM] == {"statement": "It ends above 90%.", "value": 0.97, "holds": True}


@pytest.mark.parametrize("statement", ["It ends high.", "It ends above {}", "above {} and {}."])
def test_a_claim_that_is_no_sentence_with_its_bounds_is_refused(statement):
    with pytest.raises((ValueError, IndexError)):
        claim(statement, 0.97, above=0.9)
    with pytest.raises(ValueError, match="quotes its bounds"):
        claim("It is 1.", 1.0)


def test_a_failed_claim_stops_the_build_of_the_book_and_nobody_else(reader, capsys):
    reader(strict=True)
    with pytest.raises(AssertionError, match=r"Does not hold in this run: It is above 0.9. \(0.3"):
        claim("It is above {}.", 0.31, above=0.9)
    claim("It is above {}.", 0.91, above=0.9)
    for other in ({}, {"strict": True, "seed": 7}, {"strict": True, "dataset": "fashion-mnist"}):
        reader(**other)
        claim("It is above {}.", 0.31, above=0.9)
    assert "Does not hold on fashion-mnist: It is above 0.9. (0.31)" in capsys.readouterr().out


def test_the_seed_is_the_environments():
    code = "import rfout.book; print(rfout.book.SEED)"
    for env, seed in (({}, "2022"), ({"RFOUT_SEED": "7"}, "7")):
        clean = {k: v for k, v in os.environ.items() if k != "RFOUT_SEED"}
        done = subprocess.run([sys.executable, "-c", code], env=clean | env, capture_output=True)
        assert done.stdout.decode().strip() == seed


def test_curves_are_told_when_replicated_and_not_to_a_reader(displayed, monkeypatch, tmp_path):
    monkeypatch.setattr(book, "RESULTS", tmp_path)
    history = pd.DataFrame({"round": [1, 2], "accuracy": [0.5, np.nan], "sampled": [(0,), (1,)]})
    curves = {"mean": history, "wall": pd.Series({0.1: 0.7})}
    monkeypatch.delenv("RFOUT_REPLICATE", raising=False)
    assert displayed(lambda: over_seeds("figure", curves)) == []
    monkeypatch.setenv("RFOUT_REPLICATE", "1")
    ((data, _),) = displayed(lambda: over_seeds("figure", curves))
    rows = [["mean", 1.0, "accuracy", 0.5], ["wall", 0.1, "value", 0.7]]
    assert data[CURVES] == {"figure": "figure", "rows": rows}
    json.dumps(data)


def test_the_committed_spread_of_a_figure_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr(book, "RESULTS", tmp_path)
    assert over_seeds("figure", {}).empty
    row = dict(curve="mean", x=1, quantity="q", lowest=0.1, median=0.2, highest=0.3, n_seeds=10)
    pd.DataFrame([{"figure": "figure"} | row, {"figure": "other"} | row]).to_csv(
        tmp_path / "replication-curves.csv", index=False
    )
    assert over_seeds("figure", {}).to_dict("records") == [row]
    same, longer = ({"mean": pd.Series({x: 0.2 for x in rounds})} for rounds in ((1,), (1, 2)))
    assert over_seeds("figure", same).to_dict("records") == [row]
    assert over_seeds("figure", longer).empty


def test_rounds_are_shared_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.delenv("RFOUT_ROUNDS", raising=False)
    assert shared() is None
    monkeypatch.setenv("RFOUT_ROUNDS", str(tmp_path / "some" / "rounds"))
    assert shared() == tmp_path / "some" / "rounds"
    assert shared().is_dir()
