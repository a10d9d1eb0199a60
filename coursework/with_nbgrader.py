"""nbgrader: a course as it wants it, and a run of it over a folder of submissions."""

import json
import subprocess
from pathlib import Path

import nbformat

from . import master, mend
from .items import ITEMS
from .variants import CLASS
from .with_otter import environment

SECONDS = 300
CONFIG = '''\
"""The course's settings for nbgrader, made by `make coursework`."""

import os
from pathlib import Path

c = get_config()  # noqa: F821
here = Path(__file__).resolve().parent
os.environ.setdefault("COURSEWORK_FOLDER", str(here.parent))
c.CourseDirectory.course_id = "coursework"
c.CourseDirectory.root = str(here)
c.ExecutePreprocessor.timeout = 120
c.ExecutePreprocessor.interrupt_on_timeout = True
c.ClearSolutions.code_stub = {"python": "# your answer"}
'''
SCORES = """
import json, sys
from nbgrader.api import Gradebook, MissingEntry
found = {}
with Gradebook("sqlite:///" + sys.argv[1]) as book:
    for student in sys.argv[3:]:
        try:
            handed = book.find_submission(sys.argv[2], student)
        except MissingEntry:
            continue
        found[student] = {
            grade.name[5:]: grade.auto_score or 0
            for notebook in handed.notebooks
            for grade in notebook.grades
            if grade.name.startswith("test-")
        }
print(json.dumps(found))
"""


def write(home, assignment, students):
    """Write the course: its settings and the source of an assignment."""
    course = home.path / "nbgrader"
    folder = course / "source" / assignment
    folder.mkdir(parents=True, exist_ok=True)
    (course / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    source = master.notebook(assignment, hidden=True)
    nbformat.write(source, folder / f"{assignment}.ipynb")
    if list(students) == [CLASS]:  # who has numbers of their own gets these files another way
        for path in (home.path / "release" / assignment / CLASS).iterdir():
            if path.suffix != ".ipynb":
                (folder / path.name).write_bytes(path.read_bytes())


def hand_in(home, assignment, row):
    """Put a mended submission where nbgrader collects them."""
    folder = home.path / "nbgrader" / "submitted" / row.student / assignment
    folder.mkdir(parents=True, exist_ok=True)
    _, files = home.record(assignment, row.student)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    disarmed = mend.disarmed(row.mended, row.bad, row.broken)
    nbformat.write(disarmed, folder / f"{assignment}.ipynb")


def grade(home, assignment, rows, tool, seconds=SECONDS):
    """Let nbgrader grade what the sandbox has run before; student to item to points."""
    course = home.path / "nbgrader"

    def run(*command, **more):
        variables = {**environment(home, tool), **more}
        return subprocess.run(
            [str(one) for one in command], env=variables, cwd=course, timeout=seconds,
            capture_output=True, text=True,
        )  # fmt: skip

    made = run(tool, "generate_assignment", assignment, "--create", "--force")
    if made.returncode:
        raise SystemExit(f"nbgrader could not make the assignment:\n{made.stderr[-2000:]}")
    students = []
    for row in rows:
        if row.mended is None:
            continue
        hand_in(home, assignment, row)
        students.append(row.student)
        options = ["--create", "--force", f"--student={row.student}"]
        try:
            done = run(tool, "autograde", assignment, *options, COURSEWORK_STUDENT=row.student)
        except subprocess.TimeoutExpired:
            row.notes.append(f"nbgrader did not end within {seconds} seconds.")
            continue
        if done.returncode:
            row.notes.append("nbgrader could not grade this submission.")
    python = Path(tool).parent / "python"
    listed = run(python, "-c", SCORES, course / "gradebook.db", assignment, *students)
    return {
        student: {name: scores.get(name, 0) for name in ITEMS[assignment]}
        for student, scores in json.loads(listed.stdout).items()
    }
