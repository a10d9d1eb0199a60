"""The folder of a class, outside the repository: releases, the key, and what the graders need."""

import json
import tempfile
from pathlib import Path

import numpy as np

from . import master, records, variants
from .variants import CLASS

REPOSITORY = Path(__file__).resolve().parents[1]
HELPERS = {"break-it": ("lab.py",), "repair-it": ("lab.py", "attack.py")}
ABOUT = """\
Graded work for one class, made by `make coursework`. Hand out what is in `release`, nothing else.

release/ASSIGNMENT/STUDENT.zip    one for each student: a notebook, its numbers, images, helpers
key/key.json                      everybody's numbers and answers
key/ASSIGNMENT.ipynb              the solution, for the numbers of one student
otter/ASSIGNMENT                  the tests for Otter
nbgrader                          a course for nbgrader
"""


def outside(folder):
    """Refuse a folder inside the repository, where the answers could be committed."""
    folder = Path(folder).expanduser().resolve()
    if folder == REPOSITORY or REPOSITORY in folder.parents:
        raise SystemExit(f"{folder} is inside the repository: name a folder outside it.")
    return folder


class ClassFolder:
    """The folder of a class."""

    def __init__(self, path):
        self.path = outside(path)

    @property
    def key(self):
        """What was drawn and measured: assignment to student to record."""
        file = self.path / "key" / "key.json"
        if not file.is_file():
            raise SystemExit(f"{file} is missing: run `make coursework KEY=...` first.")
        return json.loads(file.read_text("utf-8"))

    @property
    def students(self):
        """Id to name; empty where everybody has the same numbers."""
        return self.key["students"]

    def record(self, assignment, student):
        """Give the record of a student and the files of the release, name to bytes."""
        held = self.key["records"][assignment]
        student = student if student in held else CLASS
        folder = self.path / "release" / assignment / student
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        record = dict(held[student])
        record["run"] = _Lazily(record["mine"], folder / "digits.npz")
        return record, files


class _Lazily:
    """A `records.Run` that is made when it is first needed."""

    def __init__(self, mine, images):
        self.mine, self.images, self.made = mine, images, None

    def __getattr__(self, name):
        if self.made is None:
            with np.load(self.images) as file:
                self.made = records.Run(self.mine, records.scaled(dict(file)))
        return getattr(self.made, name)


def personal_files(assignment, record, images):
    """Give what a student gets: name to bytes."""
    import nbformat

    files = {f"{assignment}.ipynb": nbformat.writes(master.notebook(assignment)).encode()}
    files["mine.json"] = json.dumps(variants.told(record["mine"]), indent=1).encode()
    files["suspect.py"] = variants.suspect(assignment, record["secret"]).encode()
    for name in HELPERS[assignment]:
        files[name] = (Path(__file__).parent / name).read_bytes()
    with tempfile.TemporaryFile() as file:
        np.savez_compressed(file, **images)
        file.seek(0)
        files["digits.npz"] = file.read()
    return files
