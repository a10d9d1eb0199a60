"""What nbval has executed is kept for the build, so that `make test` runs a chapter once."""

import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from jupyter_cache import get_cache

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tools"))
from executed import cache_folder, chapter_is_over, keep, shared_rounds


def pytest_configure(config):
    """Make the cache before there are workers: two of them making it would collide."""
    if not hasattr(config, "workerinput"):
        _ = get_cache(cache_folder(ROOT)).db
        meanwhile = ExitStack()
        meanwhile.enter_context(shared_rounds())  # the workers inherit it
        config.add_cleanup(meanwhile.close)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Keep the notebook once the last of its cells has run as it should."""
    started = time.monotonic()
    yield  # a cell that fails raises here
    file = item.parent
    item.cell.outputs = item.test_outputs
    file.passed = getattr(file, "passed", 0) + 1
    file.seconds = getattr(file, "seconds", 0) + time.monotonic() - started
    if file.passed == sum(cell.cell_type == "code" for cell in file.nb.cells):
        file.nb.metadata.setdefault(
            "language_info", {"name": "python"}
        )  # as an execution leaves it
        keep(cache_folder(ROOT), file.path, file.nb, file.seconds)


def pytest_runtest_teardown(item, nextitem):
    """Tell the worker that builds the pages."""
    if nextitem is None or nextitem.path != item.path:
        chapter_is_over(item.path)
