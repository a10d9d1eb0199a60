"""The register counts seeds, and a run is kept as long as its chapter stays as it is."""

import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

sys.path.append(str(Path(__file__).parents[2] / "tools"))
import replicate
from replicate import claims_anything, curve_summary, kept_at, run_missing, summary


def run(seed, arithmetic, value, holds=True):
    claim = {"kind": "claim", "name": "It is above 0.9.", "value": value, "holds": holds}
    text = {"kind": "text", "name": "who", "value": "client 0", "holds": True}
    rows = [["mean", 1.0, "accuracy", value]]
    about = {"chapter": "limits", "seed": seed, "arithmetic": arithmetic}
    return about | {"measured": [claim, text], "curves": [{"figure": "wall", "rows": rows}]}


RUNS = [
    run(2022, "native", 0.95),
    run(2022, "SSE4.1", 0.97),
    run(2023, "native", 0.91),
    run(2023, "SSE4.1", 0.89, holds=False),
]


def test_a_claim_holds_in_a_seed_if_it_holds_on_every_arithmetic():
    (row,) = summary(RUNS).to_dict("records")
    assert (row["held"], row["n_seeds"], row["n_runs"]) == (1, 2, 4)
    assert (row["lowest"], row["highest"]) == (0.89, 0.97)
    assert row["median"] == pytest.approx(0.93)


def test_a_curve_goes_from_its_lowest_to_its_highest_over_the_seeds():
    (row,) = curve_summary(RUNS).to_dict("records")
    assert (row["figure"], row["curve"], row["n_seeds"]) == ("wall", "mean", 2)
    assert (row["lowest"], row["highest"]) == (0.89, 0.97)


def chapter(source):
    return new_notebook(cells=[new_code_cell(source)])


@pytest.mark.parametrize(
    ("source", "expected"),
    [("claim('It is {}.', 1, equal=1)", True), ("record(a=1)", True), ("to_record(model)", False)],
)
def test_a_chapter_without_claims_and_numbers_is_left_out(source, expected):
    assert claims_anything(chapter(source)) is expected


def test_a_run_is_kept_until_the_code_changes():
    path = Path("book/limits.ipynb")
    first, second, third = (
        kept_at(path, chapter(source), seed, "native")
        for source, seed in (("x = 1", 2022), ("x = 1", 2023), ("x = 2", 2022))
    )
    assert len({first, second, third}) == 3
    assert first == kept_at(path, chapter("x = 1"), 2022, "native")


def test_a_change_while_chapters_run_is_a_failure_and_not_a_smaller_register(tmp_path, monkeypatch):
    version = ["before"]
    source = "claim('It is {}.', 1, equal=1)"
    monkeypatch.setattr(replicate, "chapters", lambda _: [(Path("limits.ipynb"), chapter(source))])
    monkeypatch.setattr(replicate, "KEPT", tmp_path)
    monkeypatch.setattr(replicate, "execution_key", lambda *_, **__: version[0])
    monkeypatch.setattr(replicate, "run_once", lambda *job: run(job[2], job[3], 0.95))
    assert run_missing([], [2022])[2] == []

    def changes(*job):
        version[0] = "after"
        return run(job[2], job[3], 0.95)

    monkeypatch.setattr(replicate, "run_once", changes)
    *_, failed = run_missing([], [2022, 2023])
    assert "changed meanwhile" in failed[0]
