"""Processes and what they have started: found, told, waited for."""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence

import psutil

GRACE = 5.0  # seconds that a process is given to end by itself


def family(processes: Iterable[subprocess.Popen[str]]) -> list[psutil.Process]:
    """Find processes that have not ended, and what they started, in sessions of their own too.

    What has ended is left out: its number may be another process's by now.
    """
    found = []
    for process in processes:
        if process.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                parent = psutil.Process(process.pid)
                found += [parent, *parent.children(recursive=True)]
    return found


def runs(process: psutil.Process) -> bool:
    """Tell whether a process is there and does something; one of ours that is over does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait(processes: Sequence[psutil.Process]) -> None:
    """Wait until none of them runs, for a while: a signal takes effect a bit later."""
    end = time.monotonic() + GRACE
    while time.monotonic() < end and any(map(runs, processes)):
        time.sleep(0.05)


def tell(processes: Iterable[psutil.Process], what: Callable[[psutil.Process], None]) -> None:
    """Send each of them a signal; one that has ended in the meantime is none to send it to."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            what(process)
