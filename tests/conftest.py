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
