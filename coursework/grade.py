"""Grades submissions to a CSV, each in a process of its own."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

from . import master, mend
from .answers import Unanswered
from .archive import collect
from .items import ITEMS, judge
from .sandbox import NoSandbox, Sandbox, isolated_how


@dataclass
class Graded:
    """One student's row: item to the sentence that says why it is wrong, None if it is right."""

    student: str
    verdicts: dict[str, str | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    mended: object = None
    bad: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def points(self, assignment):
        """Item to points."""
        return {
            name: 0 if self.verdicts.get(name, "") is not None else item.points
            for name, item in ITEMS[assignment].items()
        }


def grade_all(home, assignment, folder, say=print, **limits):
    """Grade every submission in a folder; give a list of `Graded`."""
    say(isolated_how())
    found = []
    for submission in collect(folder, home.students, assignment):
        try:
            one = grade_one(home, assignment, submission, secret=[home.path, folder], **limits)
        except NoSandbox:
            raise
        except Exception as error:  # nobody else should wait for it
            one = Graded(submission.student, notes=[f"the grader failed: {error!r}."])
        say(f"{one.student}: {sum(one.points(assignment).values())}")
        found.append(one)
    absent = set(home.students) - {one.student for one in found}
    return found + [Graded(student, notes=["nothing was handed in."]) for student in sorted(absent)]


def grade_one(home, assignment, submission, *, secret=(), **limits):
    """Mend a submission, run it, and judge its items; whatever happens is said in its row."""
    graded = Graded(submission.student, notes=list(submission.notes))
    if submission.student.startswith("<"):
        graded.notes.append("not on the list of students: not graded.")
        return graded
    if submission.notebook is None:
        return graded
    try:
        graded.mended, notes = mend.mend(submission.notebook, master.notebook(assignment))
    except mend.Unreadable as said:
        graded.notes.append(str(said))
        return graded
    graded.notes += notes
    record, files = home.record(assignment, submission.student)
    files.pop(f"{assignment}.ipynb")
    with Sandbox(files, [Path(one) for one in secret], **limits) as sandbox:
        sandbox.run(mend.code_cells(graded.mended))
        for item in ITEMS[assignment]:
            graded.verdicts[item] = judge(assignment, item, sandbox, record)
        graded.bad, graded.broken = sandbox.bad, sandbox.broken
        graded.notes += _code_of_the_prediction(sandbox, assignment)
        graded.notes += [f"cell {name} {what}." for name, what in sandbox.bad.items()]
        graded.notes += [f"`{name}` {what}." for name, what in sandbox.broken.items()]
        graded.notes += sandbox.notes
    return graded


def _code_of_the_prediction(sandbox, assignment):
    """Name the code that was handed in, to compare it with the one given before the run."""
    if assignment != "break-it":
        return []
    try:
        code = sandbox.value("sealed")
    except Unanswered:
        return []
    return [f"the code of the prediction is {str(code)[:8]}."] if code else []


def write_csv(path, assignment, rows, scores=None):
    """Write a row for each student: points, every item, and the notes.

    `scores` are another tool's: student to item to points; None takes the sandbox's.
    """
    items = ITEMS[assignment]
    of = sum(item.points for item in items.values())
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["student", "points", "of", *items, "notes"])
        for row in rows:
            points = row.points(assignment)
            if scores is not None:
                points = {name: scores.get(row.student, {}).get(name, 0) for name in points}
            told = [_safe(note) for note in dict.fromkeys(row.notes)]
            numbers = [f"{one:g}" for one in (sum(points.values()), of, *points.values())]
            writer.writerow([_safe(row.student), *numbers, " ".join(told)])


def _safe(text):
    """Keep a text in its cell: one line, and no formula for a spreadsheet."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]
    return f"'{text}" if text[:1] in "=+-@" else text


def write_feedback(folder, assignment, rows):
    """Write a text for each student: every item, with the sentence where it is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        points = row.points(assignment)
        lines = [f"{assignment}, {row.student}: {sum(points.values())} points by tests", ""]
        for name, item in ITEMS[assignment].items():
            lines.append(f"{points[name]} of {item.points}  {item.about}")
            if row.verdicts.get(name):
                lines += [f"        {line}" for line in row.verdicts[name].splitlines()]
        lines += ["", *row.notes]
        name = row.student.strip("<>")
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
