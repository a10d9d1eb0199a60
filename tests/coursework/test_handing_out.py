"""What a class is given: everybody's own numbers, and no answers."""

import io
import json
import re
import zipfile

import nbformat
import numpy as np
import pytest
from classroom import KEY, STUDENTS, make_class

from coursework import master, variants
from coursework.archive import roster
from coursework.folder import REPOSITORY, ClassFolder
from coursework.items import ITEMS
from coursework.make import make
from coursework.variants import ASSIGNMENTS, variant


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make_class(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def released(home):
    """Path within the release to its text; archives are opened."""
    found = {}
    for path in (home.path / "release").rglob("*"):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as file:
                for name in file.namelist():
                    found[f"{path.name}:{name}"] = file.read(name)
        elif path.is_file():
            found[path.relative_to(home.path).as_posix()] = path.read_bytes()
    return {name: text.decode("latin-1") for name, text in found.items()}


def solution_lines():
    """Every line of a solution in the masters that says something and is not given to students."""
    given, solved = set(), set()
    for assignment in ASSIGNMENTS:
        for what, _, _, source in master.cells(assignment):
            for block in master.SOLUTION.findall(source) if what == "answer" else ():
                solved |= {line.strip() for line in block.splitlines()}
            given |= {line.strip() for line in master.SOLUTION.sub("", source).splitlines()}
    return {line for line in solved - given if len(line) > 12}


def test_no_release_holds_an_answer(home, released):
    assert len([name for name in released if name.endswith("break-it.ipynb")]) == 2 * len(STUDENTS)
    texts = {name: text for name, text in released.items() if not name.endswith("npz")}
    lines = solution_lines()
    assert len(lines) > 25
    # `attack.py` stamps triggers, as "Repair it" comes after "Break it"; a wrong solution has right
    # lines as well.
    allowed = {"attack.py": "spec[", "suspect.py": "copy()"}
    for name, text in texts.items():
        plain = json.loads(text) if name.endswith("ipynb") else None
        cells = ["".join(cell["source"]) for cell in plain["cells"]] if plain else [text]
        found = [line for line in lines for cell in cells if line in cell]
        allow = allowed.get(name.rpartition("/")[2])
        found = [line for line in found if allow is None or allow not in line]
        assert not found, (name, found)
        for secret in (KEY, "SOLUTION", "HIDDEN", "coursework", 'letter"', 'ddof"', 'measured":'):
            assert secret not in "\n".join(cells), (name, secret)
        assert not plain or all(not cell.get("outputs") for cell in plain["cells"])


def test_no_release_holds_a_number_of_the_key(home, released):
    numbers = [
        repr(one)
        for records in home.key["records"].values()
        for record in records.values()
        for pair in record["measured"].values()
        for one in pair
    ]
    texts = "".join(text for name, text in released.items() if not name.endswith("npz"))
    assert [one for one in numbers if len(one) > 7 and one in texts] == []


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_students_differ_and_the_key_decides(assignment):
    keys = ("first-key-1", "other-key-1")
    drawn = [json.dumps(variant(key, assignment, s)) for key in keys for s in ("ada", "alan")]
    assert len(set(drawn)) == 4
    assert drawn[0] == json.dumps(variant(keys[0], assignment, "ada"))


def test_a_class_of_thirty_has_all_kinds_of_numbers():
    drawn = [variant("first-key-1", "repair-it", str(i)) for i in range(60)]
    for name, kinds in (("threshold", 3), ("center", 2), ("ddof", 2), ("replacement", 3)):
        assert len({mine["rule"][name] for mine, _ in drawn}) == kinds
    assert len({secret["fault"] for _, secret in drawn}) > 5
    assert len({mine["trigger"]["words"] for mine, _ in drawn}) > 20


def test_a_student_has_images_and_numbers_of_its_own(home):
    seen = set()
    for student in STUDENTS:
        _, files = home.record("break-it", student)
        with np.load(io.BytesIO(files["digits.npz"])) as images:
            assert images["x_train"].shape == (800, 28, 28)
            seen.add(images["x_train"].tobytes())
        assert json.loads(files["mine.json"])["student"] == student
        assert set(files) == {"break-it.ipynb", "mine.json", "suspect.py", "digits.npz", "lab.py"}
    assert len(seen) == len(STUDENTS)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_points_and_minutes_are_what_the_text_says(assignment):
    notebook = master.notebook(assignment)
    text = "\n".join(cell.source for cell in notebook.cells)
    by_tests = sum(item.points for item in ITEMS[assignment].values())
    written = [c.metadata.nbgrader for c in notebook.cells if c.cell_type == "markdown"]
    by_teacher = sum(about.get("points", 0) for about in written)
    assert f"{by_tests} by tests and {by_teacher} by your teacher" in text.replace("\n", " ")
    assert f"{by_tests + by_teacher} points" in text
    minutes = [int(found) for found in re.findall(r"^## .*\((\d+) minutes", text, re.MULTILINE)]
    assert sum(minutes) == 90
    graded = [c for c in notebook.cells if c.metadata.nbgrader.grade_id.startswith("test-")]
    assert [c.metadata.nbgrader.grade_id[5:] for c in graded] == list(ITEMS[assignment])


def test_the_folder_may_not_be_in_the_repository():
    for inside in (REPOSITORY, REPOSITORY / "coursework-x"):
        with pytest.raises(SystemExit, match="inside the repository"):
            ClassFolder(inside)
    assert not (REPOSITORY / "coursework-x").exists()


@pytest.mark.parametrize("key", ["short", "two words", "../../up-and-away", ""])
def test_a_key_that_is_guessed_or_no_name_is_refused(key, tmp_path):
    with pytest.raises(SystemExit, match="nobody guesses"):
        make(key, tmp_path / "class")
    assert not (tmp_path / "class").exists()


def test_a_list_of_students_with_a_path_for_an_id_is_refused(tmp_path):
    listed = tmp_path / "class.csv"
    listed.write_text("id,name\n../evil,Eve\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="is no id"):
        roster(listed)


def test_the_key_is_for_its_owner_alone(home):
    assert (home.path / "key").stat().st_mode & 0o077 == 0


def test_nbgraders_source_has_the_tests_hidden(home):
    source = nbformat.read(home.path / "nbgrader/source/break-it/break-it.ipynb", 4)
    tests = [c for c in source.cells if "HIDDEN" in c.source]
    assert len(tests) == len(ITEMS["break-it"])
    assert variants.CLASS not in STUDENTS
