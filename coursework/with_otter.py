"""Otter: the tests as it wants them, and a run of it over a folder of submissions."""

import io
import json
import os
import subprocess
import tempfile
import zipfile
from pathlib import Path

import nbformat

from . import mend
from .folder import REPOSITORY
from .items import ITEMS

SECONDS = 300
TEST = '''\
OK_FORMAT = True

test = {{
    "name": "{item}",
    "points": {points},
    "suites": [
        {{
            "cases": [
                {{
                    "code": r"""
                    >>> from coursework.kernel import graded
                    >>> graded("{assignment}", "{item}", globals())
                    """,
                    "hidden": True,
                    "locked": False,
                }}
            ],
            "scored": True,
            "setup": "",
            "teardown": "",
            "type": "doctest",
        }}
    ],
}}
'''


def write(home, assignment):
    """Write Otter's archive of tests."""
    folder = home.path / "otter" / assignment
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "autograder.zip", "w") as file:
        file.writestr("otter_config.json", json.dumps({"show_hidden": True, "lang": "python"}))
        for item, about in ITEMS[assignment].items():
            test = TEST.format(item=item, points=about.points, assignment=assignment)
            file.writestr(f"tests/{item}.py", test)


def environment(home, tool):
    """Give the environment variables of a grader that runs submissions in its own kernels."""
    return {
        **os.environ,
        "PATH": f"{Path(tool).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(REPOSITORY),
        "COURSEWORK_FOLDER": str(home.path),
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
    }


def grade(home, assignment, rows, tool, seconds=SECONDS):
    """Let Otter grade what the sandbox has run before.

    Parameters
    ----------
    rows
        The list of `Graded`; notes are added to it where Otter fails.
    tool
        Path of the command ``otter`` in its environment.

    Returns
    -------
    dict
        Student to item to points.
    """
    found = {}
    for row in rows:
        if row.mended is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            handed = Path(folder) / "submission.zip"
            handed.write_bytes(_zip(home, assignment, row))
            command = [str(tool), "run", "--no-logo", "-o", folder, str(handed), "-a",
                       str(home.path / "otter" / assignment / "autograder.zip")]  # fmt: skip
            variables = {**environment(home, tool), "COURSEWORK_STUDENT": row.student}
            try:
                subprocess.run(
                    command, env=variables, cwd=folder, timeout=seconds, capture_output=True
                )
                results = json.loads((Path(folder) / "results.json").read_text("utf-8"))
            except (subprocess.TimeoutExpired, OSError, ValueError):
                row.notes.append("Otter gave no result for this submission.")
                continue
        scores = {
            test["name"].partition(" - ")[0]: test.get("score", 0) for test in results["tests"]
        }
        found[row.student] = {name: scores.get(name, 0) for name in ITEMS[assignment]}
    return found


def _zip(home, assignment, row):
    _, files = home.record(assignment, row.student)
    disarmed = mend.disarmed(row.mended, row.bad, row.broken)
    files[f"{assignment}.ipynb"] = nbformat.writes(disarmed).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return made.getvalue()
