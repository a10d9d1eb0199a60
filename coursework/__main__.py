"""Graded work for a class: make it, mend submissions, grade them.

Examples
--------
::

    python -m coursework make KEY --students class.csv
    python -m coursework grade SUBMISSIONS --class ../coursework-KEY --assignment break-it
"""

import argparse
from pathlib import Path

from threadpoolctl import threadpool_limits

from . import grade, with_nbgrader, with_otter
from .folder import ClassFolder
from .make import make
from .variants import ASSIGNMENTS

TOOLS = {"otter": with_otter, "nbgrader": with_nbgrader}


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m coursework", description=__doc__.split("\n")[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)

    making = commands.add_parser(
        "make", help="write the releases, the key and the tests of a class"
    )
    making.add_argument("key", help="a secret of eight letters or digits at least")
    making.add_argument("--to", help="a folder outside the repository [../coursework-KEY]")
    making.add_argument("--students", help="a CSV with the columns id and name")

    grading = commands.add_parser("grade", help="grade a folder, or a zip of Moodle or Canvas")
    grading.add_argument("submissions", help="a folder or a zip")
    grading.add_argument("--class", dest="home", required=True, help="what `make` has written")
    grading.add_argument("--assignment", required=True, choices=ASSIGNMENTS)
    grading.add_argument("--to", help="the CSV [ASSIGNMENT.csv in the class's folder]")
    grading.add_argument(
        "--by", choices=TOOLS, help="let this tool grade what the sandbox let pass"
    )
    grading.add_argument("--tool", help="the path of its command [otter or nbgrader]")

    asked = parser.parse_args()
    if asked.command == "make":
        make(asked.key, asked.to or f"../coursework-{asked.key}", asked.students)
        return
    if not Path(asked.submissions).exists():
        parser.error(f"there is no {asked.submissions}")
    home = ClassFolder(asked.home)
    rows = grade.grade_all(home, asked.assignment, asked.submissions)
    to = Path(asked.to) if asked.to else home.path / f"{asked.assignment}.csv"
    scores = None
    if asked.by:
        tool = Path(asked.tool).absolute() if asked.tool else asked.by
        scores = TOOLS[asked.by].grade(home, asked.assignment, rows, tool)
    grade.write_csv(to, asked.assignment, rows, scores)
    grade.write_feedback(home.path / "feedback" / asked.assignment, asked.assignment, rows)
    print(f"{to} has the points; a text for each student is in {home.path / 'feedback'}.")


with threadpool_limits(1):  # small matrices: threads would wait for each other
    main()
