"""Flower's own programs as child processes: started quietly, read line by line, stopped for sure.

Chapter: flower-deployment.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

QUIET = {
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_DISABLE_UPDATE_CHECK": "1",
    "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",  # else a run asks a package index
    "RAY_USAGE_STATS_ENABLED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONUNBUFFERED": "1",
}
GRACE = 5.0  # seconds that a process is given to end by itself


def environment(home: Path) -> dict[str, str]:
    """Give Flower's programs this Python's folder of programs, `home` for their files, and quiet.

    What the caller has set of the quiet ones stays: telemetry is off unless it is asked for.
    """
    path = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    own = {"PATH": os.pathsep.join(path), "FLWR_HOME": str(home)}
    return {**QUIET, **os.environ, **own}


def free_ports(n: int) -> list[int]:
    """Give ports of 127.0.0.1 that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


def in_use(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether something listens there."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex((host, port)) == 0


def plain(line: str) -> str:
    """Take the colours and the level off a line of Flower's log."""
    line = re.sub(r"\x1b\[\d+m", "", line)
    return re.sub(r"^(DEBUG|INFO|WARNING|ERROR)\s*:\s*", "", line).strip()


class Program:
    """A child process and the lines it has printed.

    Parameters
    ----------
    command
        What to run.
    env
        Its environment.
    show
        Called with each line as it comes.

    Notes
    -----
    Chapter: flower-deployment.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str],
        show: Callable[[str], Any] | None = None,
    ) -> None:  # fmt: skip
        self.lines: list[str] = []
        self.name, self._show = Path(command[0]).name, show
        self.process = subprocess.Popen(
            list(command), env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip())
            if self._show is not None:
                self._show(self.lines[-1])

    @property
    def text(self) -> str:
        """All that was printed so far."""
        return "\n".join(self.lines)

    @property
    def ended(self) -> bool:
        """Whether the process is over."""
        return self.process.poll() is not None

    def wait(self, seconds: float) -> int:
        """Wait for the end; gives the exit code.

        Raises
        ------
        TimeoutError
            If it goes on.
        """
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} goes on after {seconds:g} s") from None
        self._reader.join(GRACE)
        return code

    def wait_for(self, text: str, seconds: float) -> bool:
        """Wait until `text` was printed; False if it was not in time, or the process has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            over = self.ended
            if over:
                self._reader.join(GRACE)
            if text in self.text:
                return True
            if over:
                return False
            time.sleep(0.1)
        return False

    def kill(self) -> None:
        """End it and its children at once, as a power cut would."""
        _end([self.process.pid, *descendants([self.process.pid])], signal.SIGKILL)
        self.process.wait(GRACE)


class Programs:
    """Child processes that end together, whatever happens: use it in a ``with`` statement.

    Chapter: flower-deployment.
    """

    def __init__(self, home: Path) -> None:
        self.env = environment(home)
        self.programs: list[Program] = []

    def start(self, command: Sequence[str], show: Callable[[str], Any] | None = None) -> Program:
        """Start a program; it is stopped with the others."""
        self.programs.append(Program(command, self.env, show))
        return self.programs[-1]

    def stop(self) -> None:
        """Ask all to end, then end what is left, children of children included."""
        roots = [program.process.pid for program in self.programs]
        pids = [*roots, *descendants(roots)]
        _end((p.process.pid for p in self.programs if not p.ended), signal.SIGTERM)
        end = time.monotonic() + GRACE
        while time.monotonic() < end and not all(p.ended for p in self.programs):
            time.sleep(0.05)
        while time.monotonic() < end and any(map(_runs, pids)):
            time.sleep(0.05)
        _end(filter(_runs, pids), signal.SIGKILL)
        for program in self.programs:
            program.process.wait(GRACE)
        end = time.monotonic() + GRACE
        while time.monotonic() < end and any(map(_runs, pids)):  # a kill takes effect a bit later
            time.sleep(0.05)
        self.programs.clear()

    def __enter__(self) -> "Programs":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.stop()


def descendants(roots: Iterable[int]) -> list[int]:
    """Children, and their children: also those in sessions of their own."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True)
    children: dict[int, list[int]] = {}
    for line in listed.stdout.splitlines():
        pid, parent = map(int, line.split())
        children.setdefault(parent, []).append(pid)
    found, todo = [], list(roots)
    while todo:
        new = children.get(todo.pop(), [])
        found += new
        todo += new
    return found


def _runs(pid: int) -> bool:
    """Tell whether a process is there and does something; one of ours that is over does not."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(listed.stdout.strip()) and not listed.stdout.strip().startswith("Z")


def _end(pids: Iterable[int], how: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, how)
