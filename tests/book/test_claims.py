"""The page of claims shows what was measured, and the register is whole."""

import csv
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools"))
from book_claims import claim_rows, number_rows  # noqa: E402
from measured import CLAIM, GLUE, can_fail, measured, register  # noqa: E402

CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
REGISTER = register()
N_SEEDS = 10


def test_the_page_lists_what_was_measured_as_it_is_printed(tmp_path):
    said = {"statement": "It ends above 0.9.", "value": 0.97444, "holds": True}
    claimed = new_output("display_data", data={CLAIM: said})
    about = {"scrapbook": {"name": "end"}}
    glued = new_output("display_data", data={GLUE: "0.97444"}, metadata=about)
    prose = "ends at {glue:text}`end:.3f`, {glue:text}`end:.0%`, {glue:text}`elsewhere:.2f`"
    cells = [new_markdown_cell(prose), new_code_cell("1", outputs=[glued, claimed])]
    (tmp_path / "book").mkdir()
    nbformat.write(new_notebook(cells=cells), tmp_path / "book" / "a.ipynb")
    row = {"held": "9", "n_seeds": "10", "lowest": "0.9", "highest": "0.99"}
    known = {("a", "claim", "It ends above 0.9."): row, ("a", "number", "end"): row}
    order = ["book/a", "book/gone"]
    assert list(claim_rows(tmp_path, order, known)) == [
        ("book/a", "It ends above 0.9.", "0.974", "9 of 10 seeds", "0.9 to 0.99")
    ]
    assert list(number_rows(tmp_path, order, known)) == [
        ("book/a", "end", "0.974", "0.900 to 0.990"),
        ("book/a", "end", "97%", "90% to 99%"),
    ]
    assert [row[3:] for row in claim_rows(tmp_path, order, {})] == [("not replicated",) * 2]


def in_chapter(path):
    """Give (kind, name) of all claims and numbers in a chapter's stored outputs."""
    notebook = nbformat.read(path, as_version=4)
    found = [one for cell in notebook.cells for one in measured(cell.get("outputs", []))]
    return {(one.kind, one.name) for one in found if one.kind != "text"}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_register_has_what_the_chapter_claims_and_records_and_nothing_else(path):
    rows = {(kind, name) for chapter, kind, name in REGISTER if chapter == path.stem}
    assert rows == in_chapter(path)


def test_no_chapter_of_the_register_is_gone():
    pages = {path.stem for path in (ROOT / "book").glob("*") if path.suffix in (".ipynb", ".md")}
    assert {chapter for chapter, _, _ in REGISTER} <= pages


def test_every_claim_holds_in_nine_of_ten_seeds_or_more():
    claims = {key: row for key, row in REGISTER.items() if key[1] == "claim"}
    assert claims
    for key, row in claims.items():
        n_seeds = int(row["n_seeds"])
        assert n_seeds >= N_SEEDS, key
        assert int(row["n_runs"]) >= 2 * n_seeds, key
        assert int(row["held"]) >= 0.9 * n_seeds, key


def test_most_measured_numbers_are_compared_with_something_that_they_could_miss():
    assert sum(map(can_fail, REGISTER.values())) > 0.9 * len(REGISTER)


def test_the_curves_of_the_figures_go_over_all_seeds():
    with (ROOT / "book" / "results" / "replication-curves.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["figure"] for row in rows} >= {"defended", "partitions", "wall"}
    assert all(int(row["n_seeds"]) >= N_SEEDS for row in rows)
    assert all(float(r["lowest"]) <= float(r["median"]) <= float(r["highest"]) for r in rows)
