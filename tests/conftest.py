"""What every test process and every kernel under nbval shares."""

import os
import signal
from pathlib import Path

import pytest

# As `rfout.startup.load_tensorflow` sets them: tests of training load TensorFlow by themselves.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar differs in every run
os.environ.setdefault("RFOUT_STRICT", "1")  # a claim that fails is an error

# A shell that starts the tests in the background ignores interrupts, and so would the programs
# that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# What trains, and so depends on the arithmetic of TensorFlow's kernels.
TRAINING = {
    "test_colluders.py",
    "test_apps.py",
    "test_clients.py",
    "test_evaluation.py",
    "test_experiments.py",
    "test_federation.py",
    "test_models.py",
    "test_natural_suites.py",
    "test_scenario.py",
    "test_sherpa_conformance.py",
    "test_sherpa_model.py",
    "test_simulation.py",
}


@pytest.fixture(scope="session")
def root():
    """Return the repository's folder."""
    return Path(__file__).parents[1]


def pytest_collection_modifyitems(items):
    """Put long and short where two workers are busy to the end, and no chapter runs twice.

    What waits for processes stands between chapters, which compute. The pages are built of what
    nbval has executed: by the time that the small books of test_build.py and some short tests are
    through, the other worker is done with the last chapter. The other short tests fill up the rest.
    """
    files = {}
    for item in items:
        if item.path.suffix == ".ipynb" or item.path.name in TRAINING:
            item.add_marker("training")
        files.setdefault(item.path, []).append(item)
    waiting = [path for path in files if any(i.get_closest_marker("slow") for i in files[path])]
    chapters = [path for path in files if path.suffix == ".ipynb"]
    builds, pages = (
        [path for path in files if path.name == name] for name in ("test_build.py", "test_pages.py")
    )
    rest = [path for path in files if path not in {*waiting, *chapters, *builds, *pages}]
    first = []
    while waiting or chapters:
        first += waiting[:1] + chapters[:2]
        del waiting[:1], chapters[:2]
    some = len(rest) // 3
    ordered = [*first, *builds, *rest[:some], *pages, *rest[some:]]
    items[:] = [item for path in ordered for item in files[path]]


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
