"""Where a result comes from: the day, the code, the machine, the libraries."""

import importlib.metadata
import os
import platform
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Any

LIBRARIES = ("numpy", "tensorflow-cpu", "tensorflow", "keras", "rfout", "flwr-datasets")


def origin_now() -> dict[str, Any]:
    """Describe what is made here and now: date, revision, machine, versions.

    Examples
    --------
    >>> sorted(origin_now())
    ['date', 'machine', 'revision', 'versions']
    """
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "revision": revision(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {"python": platform.python_version()} | _versions(),
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@cache
def revision() -> str:
    """The commit of the code as it was loaded, with a mark where it was changed since."""
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"
