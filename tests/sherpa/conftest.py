"""The frameworks that the suite runs on: the stand-in always, `shfl` where it is to be had."""

import importlib.util
from pathlib import Path

import pytest
from dialect import Dialect

from rfout.sherpa import standin
from rfout.sherpa.backend import is_here, load


def names():
    """Name what there is; the summary of the run reads these names (tests/conftest.py)."""
    if not is_here():
        return ["stand-in"]
    nodes = Path(importlib.util.find_spec("shfl").origin).parent / "private/federated_operation.py"
    new = "class NodesFederation" in nodes.read_text("utf-8")
    return ["stand-in", "shfl, last API" if new else "shfl, API of January 2021"]


@pytest.fixture(params=names(), scope="session")
def api(request):
    return Dialect(standin if request.param == "stand-in" else load())
