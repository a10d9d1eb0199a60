"""One environment, named in two places and locked in a third."""

import re
import tomllib

import pytest

LOCKS = ("requirements.lock", "requirements-dev.lock")


def requirement(line):
    return re.sub(r"\s+", "", line).replace('"', "'")


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def named(root):
    lines = (root / "requirements.txt").read_text("utf-8").splitlines()
    return [line for raw in lines if (line := raw.split("#")[0].strip())]


def test_requirements_and_the_extra_name_the_same(project, named):
    assert named[-1] == "-e ."
    extra = project["optional-dependencies"]["book"]
    assert sorted(map(requirement, named[:-1])) == sorted(map(requirement, extra))


def test_requirements_of_sherpa_and_the_extra_name_the_same(root, project):
    lines = (root / "requirements-sherpa.txt").read_text("utf-8").splitlines()
    lines = [line for raw in lines if (line := raw.split("#")[0].strip())]
    assert sorted(map(requirement, lines)) == sorted(
        map(requirement, project["optional-dependencies"]["sherpa"])
    )


def test_every_range_has_both_ends(project, named):
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    for one in [*named[:-1], *extras, *project["dependencies"]]:
        assert ">=" in one, one
        assert "<" in one.split(";")[0], one


def test_the_operator_needs_numpy_alone(project):
    assert [re.match(r"[\w-]+", one)[0] for one in project["dependencies"]] == ["numpy"]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_index_and_no_place(root, name):
    text = (root / name).read_text("utf-8")
    assert not re.search(r"://|^-|@ |file:|(^|\s)/\w", text, re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_everything_with_a_hash(root, name):
    text = (root / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert all("==" in line and "--hash=sha256:" in line for line in lines)


def test_locks_hold_what_is_named(root, named, project):
    book, dev = (
        set(re.findall(r"^[\w.-]+==\S+", (root / name).read_text("utf-8"), re.MULTILINE))
        for name in LOCKS
    )
    assert book <= dev

    def names(pins):
        return {pin.split("==")[0] for pin in pins}

    assert {re.match(r"[\w-]+", one)[0] for one in named[:-1]} <= names(book)
    wanted = project["optional-dependencies"]["dev"]
    assert {re.match(r"[\w-]+", one)[0] for one in wanted} <= names(dev)
