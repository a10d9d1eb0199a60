"""One source for every form of an assignment: the scripts in the folder `assignments`.

A script is in the percent format of Jupytext. Behind ``# %%`` stands what a cell is:
``[markdown]``, ``setup=NAME`` (locked), ``answer=NAME`` (with a solution between two marks),
``items=...`` (graded by tests), ``written=NAME points=N`` (graded by the teacher).
"""

import re
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from .items import ITEMS

FOLDER = Path(__file__).parent / "assignments"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
SOLUTION = re.compile(rf"\n?[ \t]*{BEGIN}\n(.*?)\n[ \t]*{END}", re.DOTALL)
HIDDEN = """\
### BEGIN HIDDEN TESTS
from coursework.kernel import graded
graded("{assignment}", "{item}", globals())
### END HIDDEN TESTS"""


def cells(assignment):
    """Read an assignment: a list of (what, name, points, source)."""
    script = (FOLDER / f"{assignment.replace('-', '_')}.py").read_text("utf-8")
    found = []
    for part in re.split(r"^# %% ?", script, flags=re.MULTILINE)[1:]:
        head, _, source = part.partition("\n")
        what, _, name = head.split()[0].partition("=")
        points = re.search(r"points=(\d+)", head)
        source = source.strip("\n")
        if what in ("[markdown]", "written"):
            source = re.sub(r"^# ?", "", source, flags=re.MULTILINE)
        found.append((what, name, int(points[1]) if points else 0, source))
    return found


def notebook(assignment, *, answers=None, hidden=False):
    """Make the notebook of an assignment.

    Parameters
    ----------
    assignment
        "break-it" or "repair-it".
    answers
        The values that the solutions need; None leaves the solutions out, as for students.
    hidden
        Whether the test cells hold what nbgrader runs and never releases.
    """
    made = new_notebook()
    made.metadata["kernelspec"] = {
        "display_name": "Python 3", "language": "python", "name": "python3"
    }  # fmt: skip
    for number, (what, name, points, source) in enumerate(cells(assignment)):
        if what == "[markdown]":
            made.cells.append(_cell(new_markdown_cell, f"text-{number}", source, locked=True))
        elif what == "setup":
            made.cells.append(_cell(new_code_cell, f"setup-{name}", source, locked=True))
        elif what == "answer":
            source = _without(source) if answers is None else _with(source, answers)
            made.cells.append(_cell(new_code_cell, name, source, solution=True))
        elif what == "written":
            source += f" ({points} {'point' if points == 1 else 'points'})\n\nYour answer here."
            made.cells.append(
                _cell(new_markdown_cell, name, source, solution=True, grade=True, points=points)
            )
        else:
            made.cells += [_test_cell(assignment, item, hidden) for item in name.split(",")]
    nbformat.validate(made)
    return made


def _cell(make, name, source, *, grade=False, solution=False, locked=False, points=None):
    about = {
        "grade_id": name, "grade": grade, "solution": solution, "locked": locked, "task": False,
        "schema_version": 3,
    }  # fmt: skip
    if points is not None:
        about["points"] = points
    cell = make(source, metadata={"nbgrader": about})
    cell["id"] = name.replace("_", "-")
    return cell


def _test_cell(assignment, item, hidden):
    about = ITEMS[assignment][item]
    source = f"# Graded by tests: {about.about} ({about.points})."
    if hidden:
        source += "\n" + HIDDEN.format(assignment=assignment, item=item)
    return _cell(
        new_code_cell, f"test-{item}", source, grade=True, locked=True, points=about.points
    )


def _without(source):
    return SOLUTION.sub("", source)


def _with(source, answers):
    """Keep the solution and drop what stands in its place; write the values of KEY into it."""
    source = SOLUTION.sub(r"\n\1", source)
    source = re.sub(r"\n[ \t]*# your answer$", "", source, flags=re.MULTILINE)
    return re.sub(r'KEY\["([^"]+)"\]', lambda found: repr(answers[found[1]]), source)
