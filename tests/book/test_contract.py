"""Every chapter keeps the contract, and the checks see what they are there to see."""

from pathlib import Path

import nbformat
import pytest
from contract import (
    RULES,
    bookkeeping,
    cells,
    closing,
    compared,
    exercises,
    figures,
    is_compared,
    links,
    opening,
    outputs,
    questions,
)
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
FIGURE = {"mystnb": {"image": {"alt": "a line"}, "figure": {"name": "fig-a", "caption": "A line."}}}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter(path, rule):
    assert rule(nbformat.read(path, as_version=4)) == []


def test_there_are_chapters():
    assert CHAPTERS


def test_every_page_with_code_is_in_the_book():
    """What is not in the table of contents is not built, and its code is never run."""
    listed = (ROOT / "_toc.yml").read_text("utf-8").split()
    pages = [*CHAPTERS, *(p for p in ROOT.glob("book/*.md") if "{code-cell}" in p.read_text())]
    assert len(pages) > len(CHAPTERS)
    assert [page.name for page in pages if f"book/{page.stem}" not in listed] == []


def printing(text="1\n", source="print(1)", count=1, **metadata):
    output = new_output("stream", name="stdout", text=text)
    return new_code_cell(source, outputs=[output], execution_count=count, metadata=metadata)


def drawing(metadata, data=None, source="fig", count=1):
    output = new_output("display_data", data=data or {"text/plain": "<Figure size 640x480>"})
    return new_code_cell(source, outputs=[output], execution_count=count, metadata=metadata)


def notebook(*code):
    first = (
        "# Title\n\n**Do** a.\n**Learn:** After this chapter you can b.\n**Need**: c.\n**Time**: d."
    )
    asked = "\n\n".join(f"**{n}. True?**\n\n:::{{dropdown}} Yes\nNo.\n:::" for n in (1, 2, 3))
    last = f"{asked}\n\n## Take-away\n\nx\n\n## References\n\ny"
    made = new_notebook()
    made.cells = [new_markdown_cell(first), *code, *EXERCISES, new_markdown_cell(last)]
    return made


def exercise(label, solution=True):
    start = new_markdown_cell(f"```{{exercise-start}} Try\n:label: {label}\n```\nDo.")
    answer = new_markdown_cell(f"```{{solution-start}} {label}\n:class: dropdown\n```")
    tagged = [new_code_cell("", metadata={"tags": [tag]}) for tag in ("exercise", "solution")]
    return [start, tagged[0], *([answer, tagged[1]] if solution else [])]


EXERCISES = exercise("ex-a") + exercise("ex-b")


def test_a_good_notebook_passes():
    good = notebook(*(printing(count=n) for n in (1, 2, 3)), drawing(FIGURE, count=4))
    assert [found for rule in RULES for found in rule(good)] == []


@pytest.mark.parametrize(
    ("rule", "bad", "says"),
    [
        (cells, notebook(), "no code cell"),
        (cells, notebook(*[printing()] * 21), "21 visible code cells"),
        (cells, notebook(*[printing(source="x = 1\n\n" * 6)] * 3), "median of 6"),
        (cells, notebook(*[printing()] * 8, *[printing(source="x\n" * 16)] * 2), "a tenth"),
        (opening, new_notebook(cells=[printing()]), "title"),
        (opening, new_notebook(cells=[new_markdown_cell("# T\n\n**Do**")]), r"\*\*Learn\*\*"),
        (opening, new_notebook(cells=[printing(), *notebook().cells]), r"\*\*Time\*\*"),
        (closing, new_notebook(cells=[new_markdown_cell("# T\n## References")]), "take-away"),
        (closing, new_notebook(cells=[new_markdown_cell("# T\n## Take-away")]), "references"),
        (closing, new_notebook(cells=[*notebook().cells, new_markdown_cell("## A\n## B")]), "take"),
        (figures, notebook(drawing({})), "without alt text"),
        (figures, notebook(drawing({}, {"image/png": "aGk="})), "without caption"),
        (figures, notebook(new_code_cell("plots.rounds(history)")), "without name"),
        (figures, notebook(new_code_cell("ax = plots.rounds(history)")), "without name"),
        (figures, notebook(drawing(FIGURE), drawing(FIGURE)), "is taken"),
        (outputs, notebook(drawing(FIGURE, {"image/png": "aGk="})), "image data"),
        (outputs, notebook(printing(count=None)), "execution counts"),
        (outputs, notebook(printing(count=2), printing(count=1)), "execution counts"),
        (
            outputs,
            notebook(new_code_cell(outputs=[new_output("error", ename="ValueError")])),
            "a stored error",
        ),
        (
            outputs,
            notebook(new_code_cell(outputs=[new_output("stream", name="stderr", text="W")])),
            "stored stderr",
        ),
        (
            outputs,
            notebook(
                drawing({}, {"text/plain": "   round sampled  adversaries\n0      1  (0, 1)"})
            ),
            "whole history",
        ),
        (compared, notebook(printing(), printing()), "compares 2"),
        (opening, new_notebook(cells=[new_markdown_cell("# T\n\n**Learn** Things.")]), "can do"),
        (bookkeeping, notebook(printing(source="claim('a {}.', 1, above=0)")), "not folded"),
        (bookkeeping, notebook(printing(source="x = 1\nrecord(x=x)")), "record in sight"),
        (links, new_notebook(cells=[new_markdown_cell("see [](limits.ipynb)")]), "empty link"),
        (exercises, new_notebook(cells=exercise("ex-a")), "1 exercises"),
        (exercises, new_notebook(cells=EXERCISES[:4] + exercise("ex-c", False)), "do not match"),
        (questions, new_notebook(cells=[new_markdown_cell("**1. True?**")]), "1 questions"),
    ],
)
def test_a_bad_notebook_fails(rule, bad, says):
    with pytest.raises(AssertionError, match=says):
        assert not (found := rule(bad)), "; ".join(found)


@pytest.mark.parametrize(
    "cell",
    [
        new_code_cell("1 + 1"),
        printing(count=None),
        printing(text="\n"),
        printing(tags=["nbval-ignore-output"]),
        printing(tags=["nbval-skip"]),
        printing(source="# NBVAL_IGNORE_OUTPUT\nprint(1)"),
        drawing(FIGURE),
    ],
)
def test_what_nbval_does_not_compare_does_not_count(cell):
    assert not is_compared(cell)
