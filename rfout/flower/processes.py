"""Flower's programs as child processes: started quietly, read line by line, always stopped."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from ._addresses import LOCAL, free_ports, in_use
from ._family import GRACE, family, tell, wait

__all__ = [
    "Program",
    "Programs",
    "command",
    "environment",
    "free_ports",
    "in_use",
]

QUIET = {
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_DISABLE_UPDATE_CHECK": "1",
    "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",  # else a run asks a package index
    "RAY_USAGE_STATS_ENABLED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONUNBUFFERED": "1",
}


def environment(home: Path, *hosts: str) -> dict[str, str]:
    """Give Flower's programs this Python's folder of programs, `home` for their files, and quiet.

    What the caller has set of the quiet ones stays: telemetry is off unless it is asked for. A
    proxy is for other machines: this one, and the `hosts`, are talked to without.

    Examples
    --------
    >>> from rfout.flower.processes import environment
    >>> environment(Path("flower"))["FLWR_HOME"]
    'flower'
    """
    path = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    direct = [os.environ.get("no_proxy") or os.environ.get("NO_PROXY", ""), *LOCAL, *hosts]
    no_proxy = ",".join(filter(None, direct))
    own = {"PATH": os.pathsep.join(path), "FLWR_HOME": str(home)}
    if os.path.expanduser("~") == "~":  # Keras would make a folder of that name
        own["KERAS_HOME"] = os.environ.get("KERAS_HOME", str(home / "keras"))
    return {**QUIET, **os.environ, **own, "no_proxy": no_proxy, "NO_PROXY": no_proxy}


def command(name: str) -> str:
    """Give the path of one of Flower's programs beside this Python.

    Examples
    --------
    >>> from rfout.flower.processes import command
    >>> Path(command("flower-superlink")).stem
    'flower-superlink'
    """
    return shutil.which(name, path=str(Path(sys.executable).parent)) or name


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

    Examples
    --------
    >>> from rfout.flower.processes import Program
    >>> program = Program([sys.executable, "-c", "print(1 + 1)"], os.environ)
    >>> program.wait(60)
    0
    >>> program.lines
    ['2']
    """

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        show: Callable[[str], Any] | None = None,
    ) -> None:
        self.lines: list[str] = []
        self.name, self._show = Path(command[0]).name, show
        self.process = subprocess.Popen(
            list(command),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
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
        whole = family([self.process])
        tell(whole, psutil.Process.kill)
        wait(whole)
        self.process.wait(GRACE)  # of many threads the first may be over before the others


class Programs:
    """Child processes that end together, whatever happens: use it in a ``with`` statement.

    Examples
    --------
    >>> from rfout.flower.processes import Programs
    >>> with Programs(Path("flower")) as programs:
    ...     program = programs.start([sys.executable, "-c", "input(); print('up')"])
    >>> program.ended
    True
    """

    def __init__(self, home: Path, *hosts: str) -> None:
        self.env = environment(home, *hosts)
        self.programs: list[Program] = []

    def start(self, command: Sequence[str], show: Callable[[str], Any] | None = None) -> Program:
        """Start a program; it is stopped with the others."""
        self.programs.append(Program(command, self.env, show))
        return self.programs[-1]

    def stop(self) -> None:
        """Ask all to end, then end what is left, children of children included."""
        whole = family(program.process for program in self.programs)
        roots = {program.process.pid for program in self.programs}
        asked = [process for process in whole if process.pid in roots]
        for processes, what in ((asked, psutil.Process.terminate), (whole, psutil.Process.kill)):
            tell(processes, what)
            wait(whole)
        for program in self.programs:
            program.process.wait(GRACE)
        self.programs.clear()

    def __enter__(self) -> "Programs":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
