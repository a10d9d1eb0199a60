"""Finds the notebooks in what a learning platform gives: folders, files, zips of Moodle and Canvas.

Nothing is extracted to a path that an archive names. A notebook is read into memory, up to a limit.
"""

import csv
import io
import os
import re
import stat
import unicodedata
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from .mend import MOST_BYTES

MOST_FILES, MOST_DEEP = 2000, 3
MOODLE = re.compile(r"^(?P<name>.+?)_\d+_assignsubmission_(file|onlinetext)_?$")
CANVAS = re.compile(r"^(?P<name>[^_]+)(_LATE)?_\d+_\d+_.+$")


@dataclass
class Submission:
    """What one student handed in: the notebook's bytes, or None, and what is said of it."""

    student: str
    notebook: bytes | None = None
    notes: list[str] = field(default_factory=list)


def collect(folder, students, assignment):
    """Collect the submissions in a folder, or in one archive.

    Parameters
    ----------
    folder
        A folder with a folder, a notebook or a zip for each student, or with the platform's one
        zip; or that zip.
    students
        id to name, of the class; empty where everybody has the same numbers.
    assignment
        Where a student handed in several notebooks, the one of this name is taken.

    Returns
    -------
    list of Submission
        One for each student, by id; ids in angle brackets are of nobody on the list.
    """
    known, found = _spellings(students), {}
    for label, path, open_it in _files(Path(folder)):
        who = _who(label, known, bool(students))
        found.setdefault(who, []).append((path, open_it))
    return [_choose(who, files, assignment) for who, files in sorted(found.items())]


def roster(path):
    """Read the list of students: a CSV with the columns id and name."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or "id" not in rows[0]:
        raise SystemExit(f"{path} should be a CSV with the columns id and name.")
    students = {row["id"].strip(): (row.get("name") or "").strip() for row in rows}
    bad = [one for one in students if not re.fullmatch(r"[A-Za-z0-9._@-]{1,60}", one)]
    if bad:
        raise SystemExit(f"{path}: {bad[0]!r} is no id: letters, digits and . _ @ - are.")
    return students


def _plain(name):
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _spellings(students):
    """Moodle writes "Ada Lovelace", Canvas "lovelaceada"; others the id."""
    known = {}
    for student, name in students.items():
        parts = name.split()
        for spelling in (student, name, " ".join([*parts[-1:], *parts[:-1]])):
            if _plain(spelling):
                known.setdefault(_plain(spelling), student)
    return known


def _who(label, known, strict):
    first = label.split("/")[0]
    name = first
    for pattern in (MOODLE, CANVAS):
        if found := pattern.match(first):
            name = found["name"]
            break
    else:
        name = re.sub(r"\.(ipynb|zip)$", "", first)
    student = known.get(_plain(name))
    if student is None and not strict:
        student = re.sub(r"[^A-Za-z0-9._@ -]", "", name)[:60] or "nameless"
    return student or f"<{re.sub(r'[<>]', '', name)[:60]}>"


def _files(folder):
    """Give (label, path within, function that gives the bytes) of every file worth a look."""
    if folder.is_file():
        yield from _in_zip(folder.name, folder.read_bytes, 0, top=True)
        return
    count = 0
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path, count = Path(parent) / name, count + 1
            if count > 50 * MOST_FILES:
                return
            label = path.relative_to(folder).as_posix()
            if not stat.S_ISREG(path.lstat().st_mode):
                if "/" in label or name.endswith((".ipynb", ".zip")):
                    yield label, label, _refuse(f"{name} is a link or no file; it was not read.")
            elif name.endswith(".zip"):
                top = "/" not in label and not CANVAS.match(name)
                yield from _in_zip(label, lambda p=path: _bounded(p), 0, top=top)
            elif name.endswith(".ipynb"):
                yield label, label, lambda p=path: _bounded(p)


def _bounded(path, most=20 * MOST_BYTES):
    with open(path, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path.name} is too large; it was not read.")
    return content


def _refuse(sentence):
    def give():
        raise ValueError(sentence)

    return give


def _in_zip(label, read, depth, *, top=False):
    """Look into an archive; `top` tells that it is the platform's, with a part for each student."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(read()))
        entries = archive.infolist()
    except (ValueError, OSError, zipfile.BadZipFile, NotImplementedError) as error:
        said = (
            str(error) if isinstance(error, ValueError) else f"{Path(label).name} is no zip file."
        )
        yield label, label, _refuse(said)
        return
    if len(entries) > MOST_FILES * (10 if top else 1):
        yield label, label, _refuse(f"{Path(label).name} holds too many files; it was not read.")
        return
    for entry in entries:
        parts = [part for part in entry.filename.replace("\\", "/").split("/") if part]
        inner = "/".join(part for part in parts if part not in (".", "..")) or "nameless"
        if entry.is_dir() or "__MACOSX" in parts:
            continue
        where = inner if top else f"{label}/{inner}"
        if ".." in parts or entry.filename.startswith("/"):
            yield where, where, _refuse("the zip names a path outside itself; it was not read.")
        elif stat.S_ISLNK(entry.external_attr >> 16):
            yield where, where, _refuse(f"{parts[-1]} is a link; it was not read.")
        elif inner.endswith(".ipynb"):
            yield where, where, lambda e=entry: _unzipped(archive, e)
        elif inner.endswith(".zip") and depth < MOST_DEEP:
            yield from _in_zip(where, lambda e=entry: _unzipped(archive, e), depth + 1)


def _unzipped(archive, entry, most=MOST_BYTES):
    """Read an entry up to a limit, whatever size it claims to have."""
    try:
        with archive.open(entry) as file:
            content = file.read(most + 1)
    except (RuntimeError, OSError, zipfile.BadZipFile, NotImplementedError, EOFError):
        raise ValueError(f"{Path(entry.filename).name} cannot be unpacked.") from None
    if len(content) > most:
        raise ValueError(f"{Path(entry.filename).name} is too large unpacked; it was not read.")
    return content


def _choose(who, files, assignment):
    """Take the notebook with the assignment's name, the last of several."""
    submission, notebooks = Submission(who), []
    for path, give in files:
        try:
            notebooks.append((assignment in Path(path).name, path, give()))
        except (ValueError, OSError) as said:
            submission.notes.append(str(said))
    if len(notebooks) > 1:
        taken = Path(max(notebooks)[1]).name
        submission.notes.append(f"{len(notebooks)} notebooks were handed in; {taken} was graded.")
    if notebooks:
        submission.notebook = max(notebooks)[2]
    else:
        submission.notes.append("no notebook was handed in.")
    return submission
