"""The grader of the repository: right and wrong answers, broken and hostile submissions."""

import csv
import json
from copy import deepcopy

import numpy as np
import pytest
from classroom import WRONG, content, edit, lost, make_class, points, solved

from coursework import grade, master, mend
from coursework.archive import Submission
from coursework.items import ITEMS, judge
from coursework.sandbox import Sandbox, isolation
from coursework.variants import ASSIGNMENTS

FAST = {"one_cell": 20, "one_call": 10}
LOOP = {"one_cell": 4, "one_call": 4}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make_class(tmp_path_factory.mktemp("grading"), ["ada"])


@pytest.fixture(scope="module", params=ASSIGNMENTS)
def running(request, home):
    """A sandbox in which the right solution of one assignment has been run."""
    record, files = home.record(request.param, "ada")
    with Sandbox(files, [home.path], **FAST) as sandbox:
        sandbox.run(mend.code_cells(solved(home, request.param, "ada")))
        yield request.param, sandbox, record


def graded(home, assignment, notebook, **limits):
    handed = Submission("ada", notebook if isinstance(notebook, bytes) else content(notebook))
    return grade.grade_one(home, assignment, handed, secret=[home.path], **{**FAST, **limits})


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_untouched_release_has_no_points(home, assignment):
    row = graded(home, assignment, master.notebook(assignment))
    assert set(row.points(assignment).values()) == {0}
    assert all(row.verdicts[item] for item in ITEMS[assignment])


def test_the_master_has_all_points_and_a_wrong_answer_loses_its_own(running, home):
    assignment, sandbox, record = running

    def verdicts():
        sandbox.memo.clear()
        return {item: judge(assignment, item, sandbox, record) for item in ITEMS[assignment]}

    assert [item for item, sentence in verdicts().items() if sentence] == []
    assert sandbox.notes == []
    wrong = [name for name in WRONG if WRONG[name][0] == assignment]
    assert len(wrong) >= 6
    for name in wrong:
        for cell in mend.code_cells(solved(home, assignment, "ada", name)):
            if cell[0] != "figure":
                sandbox._quick(do="run", name=cell[0], source=cell[1])
        found = verdicts()
        assert {item for item, sentence in found.items() if sentence} == lost(name), (name, found)


def test_what_a_class_breaks_is_said_in_the_row_and_costs_what_it_should(home):
    """A copied cell, a deleted test, a patched NumPy, a read of the key, an endless loop."""
    notebook = solved(home, "break-it", "ada")
    edit(
        notebook, "prediction", "prediction = {\n", "np.isclose = lambda *a: True\nprediction = {\n"
    )
    edit(notebook, "fault", "fault =", f"open({str(home.path / 'key/key.json')!r}).read()\nfault =")
    edit(notebook, "poison", "    chosen =", "    while True: pass\n    chosen =")
    cells = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells}
    notebook.cells.remove(cells["test-pattern"])
    notebook.cells.insert(3, deepcopy(cells["to_send"]))
    notebook.cells[3]["id"] = "a-copy"
    row = graded(home, "break-it", notebook, **LOOP)
    assert row.points("break-it") == points(
        "break-it", {"fault", "poison", "ran_mean", "ran_median"}
    )
    said = " ".join(row.notes)
    for sentence in (
        "cell to_send stood there twice",
        "cell test-pattern was missing",
        "replaced numpy.isclose",
        "cell fault tried to read the grader's files",
        "`poison` did not end within 4 seconds",
        "the code of the prediction is 96664782",
    ):
        assert sentence in said


def test_a_patched_isclose_does_not_help(home):
    notebook = solved(home, "repair-it", "ada", "other ddof", "rule at the threshold")
    edit(notebook, "theory", "theory = {\n", "np.isclose = np.allclose = max\ntheory = {\n")
    row = graded(home, "repair-it", notebook)
    wanted = points("repair-it", lost("other ddof", "rule at the threshold"))
    assert row.points("repair-it") == wanted


EVIL = {
    "ends the process": ("import os; os._exit(0)", "ended the process"),
    "forks": ("import os\nwhile True: os.fork()", "start or to stop a process"),
    "runs a program": ("import subprocess; subprocess.run(['true'])", "start or to stop a process"),
    "calls out": ("import socket; socket.create_connection(('127.0.0.1', 9))", "the network"),
    "writes elsewhere": ("open('/tmp/mine', 'w')", "write outside its folder"),
    "looks around": ("import os; os.listdir('/')", "outside its folder"),
    "follows a link": ("import os; os.symlink('/etc/passwd', 'a'); open('a')", "outside its"),
    "loads native code": ("import ctypes; ctypes.CDLL('libc.so.6')", "native code"),
    "floods the disk": ("for i in range(200): open(str(i), 'w')", "more than 100 files"),
    "eats the memory": ("x = bytearray(2**36)", "MemoryError"),
    "raises a wall": ("raise SystemExit('done')", "SystemExit"),
    "is no Python": ("def (", "SyntaxError"),
}  # fmt: skip


def test_hostile_cells_cost_themselves_alone():
    """In one process where they leave it alive: each is said, and what follows still runs."""
    cells = [(name, f"{source}\n") for name, (source, _) in EVIL.items()]
    with Sandbox({}, **LOOP) as sandbox:
        sandbox.run([*cells, ("last", "answer = 42")])
        assert sandbox.value("answer") == 42
        said = {**sandbox.bad}
        for note in sandbox.notes:
            said.setdefault(note.partition(": ")[0].removeprefix("cell "), note)
    for name, (_, sentence) in EVIL.items():
        assert sentence in said[name], name


def test_a_flood_of_output_and_of_answers_is_borne():
    with Sandbox({}, **LOOP) as sandbox:
        sandbox.run([("a", "for _ in range(10**5): print('x' * 100)\nbig = 'x' * 10**8\nok = 1")])
        assert sandbox.value("ok") == 1
        with pytest.raises(Exception, match="big"):
            sandbox.value("big")


@pytest.mark.skipif("--mount" not in isolation(), reason="this system hides no folders")
def test_the_graders_folder_is_empty_for_a_submission(tmp_path):
    """Also for one that gets around the audit hook: here there is none in its way."""
    (tmp_path / "key.json").write_text("secret")
    with Sandbox({}, [tmp_path]) as sandbox:
        sandbox.run([("a", "import os; seen = os.path.exists(place)".replace(
            "place", repr(str(tmp_path / "key.json"))))])  # fmt: skip
        assert sandbox.value("seen") is False


def test_nothing_of_a_submission_is_unpickled():
    code = (
        "import pickle\n"
        "class Evil:\n"
        "    def __reduce__(self): return (print, ('evil',))\n"
        "evil = Evil()\n"
        "objects = np.array([evil], dtype=object)\n"
    )
    with Sandbox({}, **LOOP) as sandbox:
        sandbox.run([("a", f"import numpy as np\n{code}")])
        for name in ("evil", "objects"):
            with pytest.raises(Exception, match="cannot be handed over"):
                sandbox.value(name)


def test_values_and_functions_come_across():
    code = (
        "import numpy as np\n"
        "values = {'a': [1, 2.5, None, True], 'b': (np.arange(6.0).reshape(2, 3), 'text')}\n"
        "def change(x, rng):\n"
        "    x += 1\n"
        "    return x.sum() + rng.integers(10)\n"
    )
    with Sandbox({}, **LOOP) as sandbox:
        sandbox.run([("a", code)])
        values = sandbox.value("values")
        assert values["a"] == [1, 2.5, None, True]
        np.testing.assert_array_equal(values["b"][0], np.arange(6.0).reshape(2, 3))
        x, ours, theirs = np.zeros(3), np.random.default_rng(5), np.random.default_rng(5)
        assert sandbox.function("change")(x, theirs) == 3 + ours.integers(10)
        np.testing.assert_array_equal(x, np.ones(3))
        assert theirs.integers(2**30) == ours.integers(2**30)


@pytest.mark.parametrize(
    ("handed", "sentence"),
    [
        (b"", "no Jupyter notebook"),
        (b"[" * 10**6, "no Jupyter notebook"),
        (b'{"cells": [{"cell_type": "code", "source": 5}]}', "no Jupyter notebook"),
        (b"x" * (11 * 2**20), "larger than"),
        (json.dumps({"cells": []}).encode(), "cell trigger was missing"),
    ],
    ids=["empty", "deep", "wrong", "large", "no cells"],
)
def test_a_broken_notebook_is_a_sentence_in_its_row(home, handed, sentence):
    row = graded(home, "break-it", handed)
    assert sentence in " ".join(row.notes)
    assert sum(row.points("break-it").values()) == 0


def test_a_failing_grader_stops_nobody_else(home, tmp_path, monkeypatch):
    for name in ("ada", "eve"):
        (tmp_path / f"{name}.ipynb").write_bytes(content(master.notebook("break-it")))
    monkeypatch.setattr(grade, "judge", lambda *given: 1 / 0)
    rows = grade.grade_all(home, "break-it", tmp_path, say=lambda text: None)
    assert [row.student for row in rows] == ["<eve>", "ada"]
    assert "not on the list of students" in rows[0].notes[0]
    assert "ZeroDivisionError" in rows[1].notes[-1]


def test_who_handed_in_nothing_has_a_row(home, tmp_path):
    (row,) = grade.grade_all(home, "break-it", tmp_path, say=lambda text: None)
    assert (row.student, row.notes) == ("ada", ["nothing was handed in."])
    assert sum(row.points("break-it").values()) == 0


@pytest.mark.parametrize("task", ["trigger", "backdoor_accuracy", "poison", "to_send"])
def test_an_unfinished_task_stops_the_attack_by_name(home, task, monkeypatch):
    cells = dict(mend.code_cells(solved(home, "break-it", "ada")))
    monkeypatch.chdir(home.path / "release" / "break-it" / "ada")
    monkeypatch.syspath_prepend(".")
    done = {}
    for name in ("setup-start", "prediction", "trigger", "measure", "to_send", "poison"):
        exec(cells[name], done)
    done[task] = lambda *given: None
    with pytest.raises(ValueError, match=f"`{task}` gives None: finish its task first"):
        exec(cells["setup-run"], done)


def test_a_row_is_one_line_and_no_formula(tmp_path):
    row = grade.Graded("=cmd|' /C calc'!A0", notes=["a\nb\r\n\x1b[31mc", "@SUM(A1)"])
    grade.write_csv(tmp_path / "x.csv", "break-it", [row])
    with open(tmp_path / "x.csv", newline="", encoding="utf-8") as file:
        header, only = csv.reader(file)
    assert only[0].startswith("'=")
    assert header[:3] == ["student", "points", "of"]
    assert only[1:3] == ["0", "14"]
    assert only[-1] == "a b [31mc '@SUM(A1)"


def test_feedback_says_what_is_wrong(home, tmp_path):
    row = graded(home, "break-it", master.notebook("break-it"))
    grade.write_feedback(tmp_path / "feedback", "break-it", [row])
    text = (tmp_path / "feedback/ada.txt").read_text("utf-8")
    assert "0 of 2  `to_send`" in text
    assert "Is there a `return`?" in text
