"""The run says in one line whether it saw the framework itself."""

import importlib.util
import re
from types import SimpleNamespace

import pytest

from rfout.sherpa.backend import COMMIT

SUITE = "tests/sherpa/test_sherpa_conformance.py"
RUNS = {
    "alone": ([f"{SUITE}::test_it[stand-in]"], f"on the stand-in alone, .*checkout {COMMIT}"),
    "last": ([f"{SUITE}::test_it[shfl, last API-16]"], "on the stand-in and on shfl, last API"),
    "old": (
        [f"{SUITE}::test_it[stand-in]", f"{SUITE}::test_it[shfl, API of January 2021]"],
        "on the stand-in and on shfl, API of January 2021$",
    ),
    "not run": (["tests/test_rfout1d.py::test_it[shfl]"], None),
}


@pytest.mark.parametrize("case", RUNS)
def test_the_summary_says_where_the_suite_ran(root, case):
    spec = importlib.util.spec_from_file_location("their_conftest", root / "tests/conftest.py")
    conftest = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conftest)
    ran, words = RUNS[case]
    lines = []
    stats = {"passed": [SimpleNamespace(nodeid=name) for name in ran], "warnings": [object()]}
    conftest.pytest_terminal_summary(SimpleNamespace(stats=stats, write_line=lines.append))
    assert len(lines) == (words is not None)
    assert all(re.search(words, line) for line in lines)
