"""Where the framework is looked for, and what is said when it is not there."""

import json
import os
import subprocess
import sys

import pytest


def run(program, cwd=None, **environment):
    """Give what the program prints as JSON, or the last line of its error."""
    inherited = {k: v for k, v in os.environ.items() if k != "SHFL_PATH"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**inherited, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else json.loads(done.stdout)


@pytest.fixture
def checkout(tmp_path):
    """Make something with the outside of the framework."""

    def make(private="class NodesFederation: pass", shfl=""):
        folder = tmp_path / "checkout"
        for name, text in {
            "__init__": f"from . import federated_aggregator, private\n{shfl}",
            "private": private,
            "federated_aggregator": "class FedAvgAggregator:\n    pass",
        }.items():
            (folder / "shfl").mkdir(parents=True, exist_ok=True)
            (folder / "shfl" / f"{name}.py").write_text(text + "\n")
        return str(folder)

    return make


WHICH = (
    "import json; from rfout.sherpa import RFOut1d, describe, framework\n"
    "shfl = framework(); bases = [base.__module__ for base in RFOut1d.__mro__]\n"
    "print(json.dumps([shfl.__name__, describe(shfl), bases]))"
)


def test_the_framework_is_found_by_its_path(checkout):
    name, said, bases = run(WHICH, SHFL_PATH=checkout())
    assert name == "shfl"
    assert "itself" in said
    assert "shfl.federated_aggregator" in bases


def test_a_relative_path_is_found_from_a_folder_below(checkout, tmp_path):
    checkout()
    (tmp_path / "project" / "book").mkdir(parents=True)
    assert run(WHICH, cwd=tmp_path / "project" / "book", SHFL_PATH="../checkout")[0] == "shfl"


NOT_HERE = "import importlib.util; importlib.util.find_spec = lambda name: None\n"


def test_the_stand_in_says_that_it_is_not_sherpa():
    name, said, bases = run(NOT_HERE + WHICH)
    assert name == "rfout.sherpa.standin"
    assert "not Sherpa.ai" in said
    assert bases == ["rfout.sherpa.aggregator", "builtins"]


def test_a_path_without_the_framework_is_an_error(tmp_path):
    said = run("import rfout.sherpa", SHFL_PATH=str(tmp_path))
    assert said.startswith("FileNotFoundError: SHFL_PATH is")
    assert "git clone" in said


def test_the_older_api_is_for_the_adapter_and_not_for_the_chapter(checkout):
    path = checkout(private="class FederatedData: pass")
    said = run("from rfout.sherpa import framework; framework()", SHFL_PATH=path)
    assert said.startswith("RuntimeError: this shfl has the API of January 2021")
    assert run("import json; from rfout.sherpa import RFOut1d; print(1)", SHFL_PATH=path) == 1


@pytest.mark.parametrize("broken", ["import no_such_package_1", "1 / 0"])
def test_a_framework_that_does_not_import_is_an_error_that_helps(checkout, broken):
    said = run("import rfout.sherpa", SHFL_PATH=checkout(shfl=broken))
    assert said.startswith("ImportError: shfl is there and does not import (")
    assert "requirements-sherpa.txt" in said


def test_the_room_is_light_without_the_framework():
    program = "import json, rfout.sherpa.standin; print(json.dumps(sorted(sys.modules)))"
    loaded = {name.partition(".")[0] for name in run(NOT_HERE + program)}
    assert not loaded & {"tensorflow", "keras", "pandas", "torch", "shfl", "matplotlib"}


def test_every_part_of_the_stand_in_says_first_that_it_is_not_sherpa(root):
    files = sorted((root / "rfout" / "sherpa" / "standin").rglob("*.py"))
    assert len(files) > 5
    for path in files:
        assert path.read_text("utf-8").startswith('"""Not Sherpa.ai'), path
