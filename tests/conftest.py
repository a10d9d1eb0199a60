"""What every test process and every kernel under nbval shares."""

import os
from pathlib import Path

import pytest

# Kernels inherit these; nbval compares stderr, so TensorFlow's log lines would fail a chapter.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar differs in every run


@pytest.fixture(scope="session")
def root():
    """Return the repository's folder."""
    return Path(__file__).parents[1]


def pytest_collection_modifyitems(items):
    """Between chapters, which compute, what waits for processes; the pages after all that.

    By then nbval has executed the chapters, and the pages are built of what it kept. The small
    books of test_build.py are left for the other worker.
    """
    files = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    waiting = [path for path in files if any(i.get_closest_marker("slow") for i in files[path])]
    chapters = [path for path in files if path.suffix == ".ipynb"]
    last = [path for path in files if path.name == "test_pages.py"]
    last += [path for path in files if path.name == "test_build.py"]
    rest = [path for path in files if path not in {*waiting, *chapters, *last}]
    first = []
    while waiting or chapters:
        first += waiting[:1] + chapters[:2]
        del waiting[:1], chapters[:2]
    items[:] = [item for path in [*first, *rest, *last] for item in files[path]]


def pytest_terminal_summary(terminalreporter):
    """Say on what the suite of tests/sherpa ran: the framework itself is not on PyPI."""
    reports = [one for many in terminalreporter.stats.values() for one in many]
    ran = [str(getattr(one, "nodeid", "")) for one in reports]
    ran = [name for name in ran if "test_sherpa_conformance.py" in name]
    versions = sorted({name.rpartition("[")[2][4:].strip(", ]") for name in ran if "[shfl" in name})
    if versions:
        terminalreporter.write_line(f"rfout.sherpa: on the stand-in and on shfl, {versions[0]}")
    elif ran:
        from rfout.sherpa.backend import HOW_TO_GET_IT

        terminalreporter.write_line(
            f"rfout.sherpa: on the stand-in alone, shfl is not here; to get it: {HOW_TO_GET_IT}"
        )
