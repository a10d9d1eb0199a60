"""A class for the tests: its folder, right solutions, and wrong ones that lose known points."""

import nbformat

from coursework import master, records
from coursework.folder import ClassFolder
from coursework.items import ITEMS
from coursework.make import make

KEY = "key-of-the-tests"
SIZE = (800, 200)  # images: fewer than a class gets
STUDENTS = {"ada": "Ada Lovelace", "alan": "Alan Turing", "grace": "Grace Hopper"}

# Each: assignment, cell, what stands there, what a student wrote, and the items that are lost.
WRONG = {
    "prediction in percent": (
        "break-it", "prediction", '"main before": 0.85', '"main before": 85', "predicted sealed"),
    "prediction changed after sealing": (
        "break-it", "seal", "lab.seal(prediction)", "lab.seal({})", "sealed"),
    "trigger without a black square": (
        "break-it", "trigger", '= spec["value"] * marks',
        '= np.where(marks, spec["value"], stamped[:, rows, columns, 0])', "pattern"),
    "trigger in place": (
        "break-it", "trigger", "images.copy()", "images", "copy"),
    "target kept in the measure": (
        "break-it", "measure", "others = y != target", "others = y == y", "measure"),
    "server's rate forgotten": (
        "break-it", "to_send", "n * wanted / rate", "n * wanted", "boost"),
    "honest updates forgotten": (
        "break-it", "to_send", "- (n - k) * honest", "", "boost"),
    "wrong fault": (
        "break-it", "fault", "fault =", 'fault = "x" or', "fault"),
    "too few poisoned": (
        "break-it", "poison", "round(share * len(y))", "round(share * sum(y != target))", "poison"),
    "numbers of the first round": (
        "break-it", "measured", "curve[-1]", "(0.3, curve[0][1])", "ran_mean ran_median"),
    "z of one outlier": (
        "repair-it", "theory", '{"largest z": ', '{"largest z": 1.5 * ', "largest_z"),
    "seen the other way": (
        "repair-it", "theory", ', "seen": ', ', "seen": not ', "seen"),
    "outlier left as in the mean": (
        "repair-it", "theory", ', "left": ', ', "left": 1 + ', "left"),
    "other ddof": (
        "repair-it", "aggregate", "ddof=", "ddof=1 - ", "scale edge"),
    "a filter that is never at work": (
        "repair-it", "aggregate", "np.where(flagged, ", "np.where(flagged & False, ",
        "plain scale edge shapes"),
    "aggregate in place": (
        "repair-it", "aggregate", "    m = ", "    updates += 0.5; updates -= 0.25\n    m = ",
        "plain scale edge shapes"),
    "two dimensions only": (
        "repair-it", "aggregate", "    m = ", "    assert updates.ndim == 2\n    m = ", "shapes"),
    "no counterexample": (
        "repair-it", "counterexample", "np.array(", "0 * np.array(", "counterexample"),
    "rule at the threshold": (
        "repair-it", "rule", "> threshold", ">= threshold", "repaired"),
    "a defence that is the mean": (
        "repair-it", "defend", "np.median(", "np.mean(", "defend_backdoor"),
    "a defence that stops training": (
        "repair-it", "defend", "np.median(", "0 * np.median(", "defend_main"),
}  # fmt: skip


def make_class(folder, students=STUDENTS):
    """Make a class's folder."""
    listed = folder / "students.csv"
    lines = [f"{student},{STUDENTS[student]}" for student in students]
    listed.write_text("\n".join(["id,name", *lines]), encoding="utf-8")
    make(KEY, folder / "class", listed, size=SIZE, say=lambda text: None)
    return ClassFolder(folder / "class")


def solved(home, assignment, student, *wrong):
    """Give the notebook of a student who has solved everything but the wrong answers named."""
    answers = records.solutions(home.record(assignment, student)[0])
    notebook = master.notebook(assignment, answers=answers)
    for name in wrong:
        _, cell, old, new, _ = WRONG[name]
        edit(notebook, cell, old, new)
    return notebook


def edit(notebook, name, old, new):
    """Change a cell of a notebook; the old text has to be there."""
    (cell,) = [one for one in notebook.cells if one.metadata.nbgrader.grade_id == name]
    assert old in cell.source, cell.source
    cell.source = cell.source.replace(old, new)


def lost(*wrong):
    """Give the items that wrong answers lose."""
    return {item for name in wrong for item in WRONG[name][4].split()}


def points(assignment, without=()):
    """Give item to points, none for those that are lost."""
    return {name: 0 if name in without else item.points for name, item in ITEMS[assignment].items()}


def content(notebook):
    """Give the bytes of a notebook."""
    return nbformat.writes(notebook).encode()
