"""How nbval compares the chapters, and how what it has run is kept for the build."""

import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from jupyter_cache import get_cache

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tools"))
from executed import cache_folder, chapter_is_over, keep, shared_rounds
from measured import differences, is_measured, measured, register


def pytest_configure(config):
    """Make the cache before there are workers: two of them making it would collide."""
    if not hasattr(config, "workerinput"):
        _ = get_cache(cache_folder(ROOT)).db
        meanwhile = ExitStack()
        meanwhile.enter_context(shared_rounds())  # the workers inherit it
        config.add_cleanup(meanwhile.close)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Compare by spread what was measured; keep the notebook once its last cell has run.

    nbval compares all other outputs to the letter, where the cell's tags do not exempt it.
    """
    started = time.monotonic()
    stored = item.cell.outputs
    item.cell.outputs = [one for one in stored if not is_measured(one)]
    to_the_letter = item.compare_outputs
    item.compare_outputs = lambda new, ref: to_the_letter(
        [one for one in new if not is_measured(one)], ref
    )
    yield  # a cell that fails raises here
    found = differences(item.path.stem, measured(stored), measured(item.test_outputs), register())
    if found:
        item.raise_cell_error("Measured values differ by more than their spread", "\n".join(found))
    file = item.parent
    item.cell.outputs = item.test_outputs
    file.passed = getattr(file, "passed", 0) + 1
    file.seconds = getattr(file, "seconds", 0) + time.monotonic() - started
    if file.passed == sum(cell.cell_type == "code" for cell in file.nb.cells):
        # As an execution leaves it.
        file.nb.metadata.setdefault("language_info", {"name": "python"})
        keep(cache_folder(ROOT), file.path, file.nb, file.seconds)


def pytest_runtest_teardown(item, nextitem):
    """Tell the worker that builds the pages."""
    if nextitem is None or nextitem.path != item.path:
        chapter_is_over(item.path)
