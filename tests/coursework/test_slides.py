"""The slides: figures that chapters have, scenarios that "Play" has, nothing from elsewhere."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from coursework.folder import REPOSITORY
from coursework.slides.deck import deck, figures, wanted

LECTURES = sorted((REPOSITORY / "coursework/slides").glob("*.md"))
PICTURE = {"image/png": "aGk=\n"}


def executed(name):
    output = new_output("display_data", data=PICTURE)
    about = {"mystnb": {"figure": {"name": name, "caption": "C."}, "image": {"alt": 'A "line".'}}}
    return new_notebook(cells=[new_code_cell("draw()", metadata=about, outputs=[output])])


@pytest.fixture(scope="module")
def named():
    """The names of the figures of all chapters."""
    found = set()
    for path in (REPOSITORY / "book").glob("*.ipynb"):
        for cell in nbformat.read(path, 4).cells:
            found.add(cell.metadata.get("mystnb", {}).get("figure", {}).get("name"))
    return found


@pytest.mark.parametrize("path", LECTURES, ids=lambda path: path.stem)
def test_a_lecture_shows_what_there_is(path, named):
    text = path.read_text("utf-8")
    shown, tours = wanted(text)
    assert len(shown) > 4
    assert len(tours) > 1
    assert set(shown) <= named
    play = (REPOSITORY / "book/play.md").read_text("utf-8")
    assert [tour for tour in tours if f"({tour})=" not in play] == []
    page = deck(text, {name: ("aGk=", "a line") for name in shown})
    assert page.count("<section") == len(re.split(r"^---$", text, flags=re.MULTILINE))
    assert page.count("<h1") == page.count("<section")
    assert page.count("base64,aGk=") == len(shown)
    assert not re.search(r"(https?:)?//[\w.]+/|\{\{|:::|\]\(", page)


def test_a_figure_comes_from_the_executed_chapter():
    page = deck(
        "# A\n\n![](fig-a)\n\n---\n\n# B\n\n:::note\nSay it.\n:::", figures(executed("fig-a"))
    )
    assert '<img src="data:image/png;base64,aGk=" alt="A &quot;line&quot;.">' in page
    assert "<details><summary>For the teacher</summary>" in page
    with pytest.raises(KeyError, match="fig-b"):
        deck("# A\n\n![](fig-b)", figures(executed("fig-a")))
