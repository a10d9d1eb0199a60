"""The reader's copy of a chapter reads whole outside the pages, and is the reader's to change."""

import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools"))
from measured import CLAIM, GLUE  # noqa: E402
from reader_copy import convert, put_aside, write_copies  # noqa: E402

BIBLIOGRAPHY = ROOT / "book" / "references.bib"


def number(name, plain):
    about = {"scrapbook": {"name": name}}
    return new_output("display_data", data={GLUE: plain}, metadata=about)


def text_of(source, *, address="", **values):
    """Convert a chapter with one cell of text; gives its text."""
    outputs = [number(name, plain) for name, plain in values.items()]
    figure = {"mystnb": {"figure": {"name": "fig-a", "caption": "A line. With details."}}}
    cells = [new_code_cell("1", outputs=outputs, metadata=figure), new_markdown_cell(source)]
    copy = convert(new_notebook(cells=cells), BIBLIOGRAPHY, address=address)
    return copy.cells[-1].source


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("ends at {glue:text}`end:.3f`, {glue:text}`end:.0%`", "ends at 0.974, 97%"),
        ("on {glue:text}`machine`", "on Linux"),
        ("{cite:t}`samuelson1968` wrote", "Samuelson (1968) wrote"),
        ("so {cite}`samuelson1968,hampel1985`.", "so (Samuelson, 1968; Hampel, 1985)."),
        ("{cite}`bagdasaryan2020backdoor`", "(Bagdasaryan et al., 2020)"),
        ("a {term}`client`, two {term}`clients <client>`", "a client, two clients"),
        ("see {numref}`fig-a`", "see “A line”"),
        ("{py:class}`rfout.flower.RFOut1d`", "`rfout.flower.RFOut1d`"),
        ("(the-wall)=\n## The wall", "## The wall"),
        ("[Limits](limits.ipynb)", "[Limits](limits.ipynb)"),
        ("[Claims](claims.md)", "Claims (page *claims* of the book, which `make serve` shows)"),
        ("```python\nx = 1\n```", "```python\nx = 1\n```"),
    ],
)
def test_what_only_sphinx_reads_becomes_words(source, plain):
    assert text_of(source, end="0.97444", machine="'Linux'") == plain


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        (
            "```{prf:theorem} The wall\n:label: thm-a\nIf $k$ is large.\n```",
            ["> **Theorem: The wall.** If $k$ is large."],
        ),
        ("```{prf:proof}\nBy {cite:t}`samuelson1968`.\n```", ["> *Proof.* By Samuelson (1968)."]),
        (
            ":::{dropdown} A hint\nSort <them>.\n:::",
            ["<summary>A hint</summary>", "Sort <them>.", "</details>"],
        ),
        (":::{admonition} Mind\n:class: tip\nThis.\n:::", ["> **Mind**\n>\n> This."]),
        ("```{exercise-start} Try\n:label: ex-a\n```\nDo it.", ["### Exercise: Try", "Do it."]),
        ("```{solution-start} ex-a\n:class: dropdown\n```", ["A solution"]),
        (
            "```{widget} round\n:alt: A server.\n\nFour steps.\n```",
            ["> **A moving picture is on this chapter's page of the book, which", "> A server."],
        ),
    ],
)
def test_boxes_become_plain_ones(source, parts):
    found = text_of(source)
    assert all(part in found for part in parts), found
    assert "{" not in found.replace("{k}", "")


def test_links_lead_to_the_book_where_it_is_online():
    page = "https://example.org/book/limits.html"
    link = text_of("[Claims](claims.md#numbers)", address=page)
    assert link == "[Claims](https://example.org/book/claims.html#numbers)"


@pytest.mark.parametrize("source", ["[](limits.ipynb)", "{unknown}`x`", "```{unknown}\nx\n```"])
def test_what_has_no_plain_form_is_an_error(source):
    with pytest.raises(ValueError, match=r"no text|knows no"):
        text_of(source)


def test_bookkeeping_and_answers_are_folded_and_what_only_sphinx_shows_is_gone():
    said = {"text/plain": "Holds: ...", CLAIM: {"statement": "It is.", "value": 1, "holds": True}}
    claimed = new_output("display_data", data=said)
    cells = [
        new_code_cell(
            "record(a=1)", metadata={"tags": ["remove-cell"]}, outputs=[number("a", "1")]
        ),
        new_code_cell("claim()", metadata={"tags": ["hide-cell"]}, outputs=[claimed]),
        new_code_cell("answer", metadata={"tags": ["solution"]}),
        new_code_cell("print(1)", outputs=[new_output("stream", text="1\n")]),
    ]
    copy = convert(new_notebook(cells=cells), BIBLIOGRAPHY)
    folded = [cell.metadata.get("jupyter", {}).get("source_hidden", False) for cell in copy.cells]
    assert folded == [True, True, True, False]
    assert copy.cells[0].outputs == []
    assert copy.cells[1].outputs[0].data == {"text/plain": "Holds: ..."}
    assert copy.cells[3].outputs[0].text == "1\n"


def test_a_figure_is_shown_and_its_bare_name_is_not():
    name = {"text/plain": "<Figure size 640x480 with 1 Axes>"}
    bare, drawn = (new_output("display_data", data=name | more) for more in ({}, {"image/png": ""}))
    cells = [new_code_cell("plot()", outputs=[bare, drawn])]
    copy = convert(new_notebook(cells=cells), BIBLIOGRAPHY)
    assert copy.cells[0].outputs == [drawn]


def executed(folder):
    (folder / "book").mkdir(parents=True)
    (folder / "executed").mkdir()
    (folder / "book" / "references.bib").write_text(BIBLIOGRAPHY.read_text("utf-8"), "utf-8")
    for name in ("book", "executed"):
        nbformat.write(new_notebook(cells=[new_code_cell("x = 1")]), folder / name / "a.ipynb")
    return folder


def test_a_copy_that_a_reader_has_changed_is_kept(tmp_path, capsys):
    executed(tmp_path)
    (path,) = write_copies(tmp_path, tmp_path / "executed", tmp_path / "notebooks")
    write_copies(tmp_path, tmp_path / "executed", tmp_path / "notebooks")
    assert [one.name for one in path.parent.iterdir()] == ["a.ipynb"]
    changed = nbformat.read(path, as_version=4)
    changed.cells[0].source = "x = 2"
    nbformat.write(changed, path)
    write_copies(tmp_path, tmp_path / "executed", tmp_path / "notebooks")
    assert "a-yours-1.ipynb" in capsys.readouterr().out
    assert nbformat.read(path.with_name("a-yours-1.ipynb"), 4).cells[0].source == "x = 2"
    assert nbformat.read(path, 4).cells[0].source == "x = 1"
    path.write_text("no notebook")
    assert put_aside(path).name == "a-yours-2.ipynb"
