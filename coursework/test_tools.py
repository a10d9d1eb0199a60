"""Otter and nbgrader give the same points as the repository's own grader.

Run by `make coursework-test`, which makes an environment for each and names it in OTTER and
NBGRADER; `make test` does not collect this file.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "coursework"))
from classroom import content, edit, lost, make_class, points, solved

from coursework import grade, master, with_nbgrader, with_otter
from coursework.archive import Submission
from coursework.variants import ASSIGNMENTS

TOOLS = {"OTTER": with_otter, "NBGRADER": with_nbgrader}
# Wrong answers of one student lose items of their own, so several stand in one notebook.
WRONG = {
    "break-it": [
        ["prediction changed after sealing", "trigger without a black square", "wrong fault",
         "server's rate forgotten"],
        ["trigger in place", "target kept in the measure", "too few poisoned"],
        ["prediction in percent", "numbers of the first round", "honest updates forgotten"],
    ],
    "repair-it": [
        ["z of one outlier", "other ddof", "no counterexample", "a defence that is the mean"],
        ["seen the other way", "two dimensions only", "rule at the threshold"],
        ["outlier left as in the mean", "a filter that is never at work",
         "a defence that stops training"],
    ],
}  # fmt: skip


def messy(home, assignment):
    """A notebook with all that a class breaks, and the items that it costs."""
    key = str(home.path / "key" / "key.json")
    notebook = solved(home, assignment, "ada")
    function, line, read, test = {
        "break-it": ("poison", "    chosen =", "fault", "test-pattern"),
        "repair-it": ("rule", "    mean, std =", "counterexample", "test-seen"),
    }[assignment]
    first = {"break-it": "prediction", "repair-it": "theory"}[assignment]
    edit(notebook, first, f"{first} = {{\n", f"np.isclose = np.allclose = max\n{first} = {{\n")
    edit(notebook, read, f"{read} =", f"open({key!r}).read()\n{read} =")
    edit(notebook, function, line, f"    while True: pass\n{line}")
    notebook.cells = [c for c in notebook.cells if c.metadata.nbgrader.grade_id != test]
    copied = next(c for c in solved(home, assignment, "ada").cells
                  if c.metadata.nbgrader.grade_id == first)  # fmt: skip
    copied["id"] = "a-copy"
    notebook.cells.insert(6, copied)
    wanted = {
        "break-it": {"fault", "poison", "ran_mean", "ran_median"},
        "repair-it": {"counterexample", "repaired"},
    }[assignment]
    return notebook, wanted


def everybody_has_adas_numbers(home, assignment, students):
    """Which items a wrong answer loses may depend on the numbers."""
    key = home.key
    for student in students:
        key["records"][assignment][student] = key["records"][assignment]["ada"]
        folder = home.path / "release" / assignment
        shutil.copytree(folder / "ada", folder / student)
    (home.path / "key" / "key.json").write_text(json.dumps(key), encoding="utf-8")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_gives_the_points_that_our_grader_gives(tool, assignment, tmp_path):
    """The master all, the untouched release none, wrong answers less, a messy notebook its own."""
    home = make_class(tmp_path, ["ada"])
    handed = {
        "master": (solved(home, assignment, "ada"), set()),
        "untouched": (master.notebook(assignment), points(assignment)),
        "messy": messy(home, assignment),
    }
    for number, wrong in enumerate(WRONG[assignment]):
        handed[f"wrong-{number}"] = solved(home, assignment, "ada", *wrong), lost(*wrong)
    everybody_has_adas_numbers(home, assignment, handed)
    rows = [
        grade.grade_one(
            home, assignment, Submission(student, content(notebook)), secret=[home.path],
            one_cell=30, one_call=5,
        )
        for student, (notebook, _) in handed.items()
    ]  # fmt: skip
    wanted = {student: points(assignment, without) for student, (_, without) in handed.items()}
    assert {row.student: row.points(assignment) for row in rows} == wanted
    found = TOOLS[tool].grade(home, assignment, rows, Path(os.environ[tool]).absolute())
    assert {
        student: {k: int(v) for k, v in one.items()} for student, one in found.items()
    } == wanted
    said = " ".join(next(row for row in rows if row.student == "messy").notes)
    for sentence in ("twice", "was missing", "numpy.isclose", "the grader's files", "did not end"):
        assert sentence in said
