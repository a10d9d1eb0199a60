"""Puts the repository's folder on the path, so that `coursework` is found."""

import sys
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[2]))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small matrices: on a machine that is busy, threads wait for each other for minutes."""
    with threadpool_limits(1):
        yield
