"""What every test process and every kernel under nbval shares."""

import os
from pathlib import Path

import pytest

# Kernels inherit these; nbval compares stderr, so TensorFlow's log lines would fail a chapter.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


@pytest.fixture(scope="session")
def root():
    """Return the repository's folder."""
    return Path(__file__).parents[1]
