"""Makes a class's folder: the releases, the key, and the tests for Otter and nbgrader."""

import json
import zipfile

import nbformat

from . import master, records, with_nbgrader, with_otter
from .archive import roster
from .folder import ABOUT, ClassFolder, personal_files
from .variants import ASSIGNMENTS, CLASS, check_key


def make(key, path, students_csv=None, *, assignments=ASSIGNMENTS, size=(2000, 500), say=print):
    """Write everything for a class.

    Parameters
    ----------
    key
        The class key; who has it can make the answers.
    path
        A folder outside the repository.
    students_csv
        The list of students, columns id and name; None gives all of them the same numbers.
    size
        How many images a student has, to train and to test.
    """
    check_key(key)
    home = ClassFolder(path)
    students = roster(students_csv) if students_csv else {}
    home.path.mkdir(parents=True, exist_ok=True)
    (home.path / "README.txt").write_text(ABOUT, encoding="utf-8")
    held = {"students": students, "records": {}}
    for assignment in assignments:
        held["records"][assignment] = {}
        for student in students or [CLASS]:
            record, images = records.make_record(key, assignment, student, size)
            held["records"][assignment][student] = record
            _release(home, assignment, student, personal_files(assignment, record, images))
            say(f"{assignment}: {student}")
        solved = master.notebook(assignment, answers=records.solutions(record))
        _secret(home, f"{assignment}.ipynb", nbformat.writes(solved))
        with_otter.write(home, assignment)
        with_nbgrader.write(home, assignment, students or [CLASS])
    _secret(home, "key.json", json.dumps(held, indent=1))
    say(f"Hand out what is in {home.path / 'release'}; keep the rest.")


def _release(home, assignment, student, files):
    folder = home.path / "release" / assignment / student
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with zipfile.ZipFile(folder.with_name(f"{student}.zip"), "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(f"{assignment}/{name}", content)


def _secret(home, name, text):
    folder = home.path / "key"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    (folder / name).write_text(text, encoding="utf-8")
