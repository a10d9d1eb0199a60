"""The pages for a class: their code runs, minutes are the chapters', rules the game's."""

import re

import nbformat
import numpy as np
import pytest

from coursework import game
from coursework.folder import REPOSITORY
from coursework.sandbox import MEMORY, ONE_CELL
from coursework.tournament import entries

BOOK = REPOSITORY / "book"
TEACH, STUDENTS = ((BOOK / f"{name}.md").read_text("utf-8") for name in ("teach", "students"))
WORDS = {"Five": 5, "Ten": 10, "Fifteen": 15, "Twenty": 20, "Twenty-five": 25}
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEACH, re.MULTILINE | re.DOTALL)
NEEDS_A_DOWNLOAD = "load_natural"


@pytest.mark.parametrize("code", [one for one in BLOCKS if NEEDS_A_DOWNLOAD not in one])
def test_a_starting_cell_runs(code):
    exec(code, {})  # it raises where it does not run


def test_the_entries_that_students_are_shown_are_entries(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", STUDENTS, re.MULTILINE | re.DOTALL)
    for number, code in enumerate(blocks[:2]):
        (tmp_path / f"{number}.py").write_text(code)
    found = entries.read_entries(tmp_path)
    assert [(one.side, one.problem) for one in found] == [("aggregate", ""), ("attack", "")]
    defence = {}
    exec(blocks[0], defence)
    assert defence["aggregate"](np.zeros((20, 3))).shape == (3,)


def minutes(pattern, text):
    return sum(WORDS[word] for word in re.findall(pattern, text, re.MULTILINE))


ROW = r"\]\(([\w-]+)\.ipynb\) \| (\d+) min\w+ \| (\d+) min\w+ \| (\d+)"


def test_the_minutes_are_those_of_the_chapters():
    rows = re.findall(ROW, TEACH)
    assert len(rows) == 6
    for name, *numbers in rows:
        reading, exercises, planned = map(int, numbers)
        cells = nbformat.read(BOOK / f"{name}.ipynb", 4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        assert reading == minutes(r"^\*\*Time\.\*\* ([\w-]+) minutes to read", text), name
        assert exercises == minutes(r"^\*([A-Z][\w-]+) minutes", text), name
        assert planned == 2 * (reading + exercises), name


def test_the_limits_are_those_of_the_page():
    assert f"{entries.ONE_CALL} seconds for a call, {entries.ALL_CALLS} for a game" in STUDENTS
    assert f"below `{game.MOST_BACKDOOR}`" in STUDENTS
    assert f"at most `{game.MOST_LOST}` below" in STUDENTS
    assert (entries.MEMORY, MEMORY, ONE_CELL) == (1024, 2048, 60)
    assert "a process with 2 GiB of memory, no network, a minute for each cell" in STUDENTS
