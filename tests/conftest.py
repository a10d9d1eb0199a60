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
    """What waits for processes first, so that chapters run beside it; the pages last of all.

    By then nbval has executed the chapters, and the pages are built of what it kept.
    """

    def place(item):
        if item.path.name == "test_pages.py":
            return 3
        if item.path.suffix == ".ipynb":
            return 1
        return 0 if item.get_closest_marker("slow") else 2

    items.sort(key=place)


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
