"""Style and types, as `make lint` has them; here they are looked at while chapters compute."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "command", ["ruff check .", "ruff format --check .", "mypy"], ids=lambda c: c.partition(" ")[0]
)
def test_nothing_is_complained_of(root, command):
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
