"""Runs one submission in a process of its own, and asks it for values and functions.

The process has limits on time, memory and files, an audit hook (`coursework.guard`), and, where the
system allows it, no network, no other processes in sight and empty folders in place of the
grader's. Nothing that it sends is unpickled or executed.
"""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from . import wire
from .answers import Unanswered
from .functions import NAMES

REPOSITORY = Path(__file__).parents[1]
MEMORY = 2048  # MiB
START, ONE_CELL, ONE_CALL, ALL_CALLS = 120, 60, 30, 240  # seconds
RESTARTS = 3
NAMESPACES = (
    ["--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child"],
    ["--net", "--mount", "--pid", "--fork", "--kill-child"],
    ["--map-root-user", "--net"],
)


@functools.cache
def isolation():
    """Find what `unshare` may do here: its options, or none."""
    tool = shutil.which("unshare")
    for options in NAMESPACES if tool else ():
        done = subprocess.run([tool, *options, "true"], capture_output=True, timeout=20)
        if done.returncode == 0:
            return (tool, *options)
    return ()


def isolated_how():
    """Say in a sentence how far this system keeps submissions apart."""
    options = isolation()
    if "--mount" in options:
        return "Submissions run without network, other processes or the grader's files in sight."
    if options:
        return "Submissions run without network; `unshare` may not hide files here."
    return (
        "This system does not let us take the network away from submissions (Linux: `unshare`). An "
        "audit hook of Python refuses it, which hostile code can get around: use a machine of its "
        "own for a class that you do not know."
    )


class NoSandbox(RuntimeError):
    """A sandbox does not start on this machine: no student's fault."""


class Raised(Exception):
    """What a function of the submission raised; the class is named after the original."""


def _raised(error):
    name, message = (str(one) for one in error)
    name = name if name.isidentifier() else "Error"
    return type(name, (Raised,), {})(message)


class Sandbox:
    """A running submission.

    Parameters
    ----------
    files
        Name to bytes: what lies in its folder.
    secret
        Folders that it must not read.
    one_cell, one_call, all_calls
        Seconds that a cell, a call of a function, and all calls together may take.
    memory
        MiB that it may take.
    plots
        Whether it may want Matplotlib, which takes a second to load.
    """

    def __init__(
        self, files, secret=(), *, one_cell=ONE_CELL, one_call=ONE_CALL, all_calls=ALL_CALLS,
        memory=MEMORY, plots=True,
    ):  # fmt: skip
        self.files, self.secret = files, [str(Path(one).resolve()) for one in secret]
        self.one_cell, self.one_call, self.left = one_cell, one_call, all_calls
        self.memory, self.plots = memory, plots
        self.notes, self.memo, self.process, self.restarts = [], {}, None, 0
        self.bad, self.broken, self.stopped, self.replaced = {}, {}, set(), False
        self.outer = tempfile.TemporaryDirectory(prefix="coursework-", ignore_cleanup_errors=True)
        self.said = tempfile.TemporaryFile()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stop()
        self.said.close()
        self.outer.cleanup()

    def _start(self):
        self._stop()
        work = Path(self.outer.name) / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        for name, content in self.files.items():
            (work / name).write_bytes(content)
        theirs_in, self.outlet = os.pipe()
        self.inlet, theirs_out = os.pipe()
        command = [sys.executable, "-I", "-B", str(Path(__file__).parent / "worker.py"), str(work),
                   str(REPOSITORY), os.pathsep.join(self.secret), str(theirs_in), str(theirs_out),
                   str(self.memory), str(int(self.plots))]  # fmt: skip
        hidden = [one for one in self.secret if _can_be_hidden(one)]
        if hidden and "--mount" in isolation():
            hide = 'for one in "$@"; do shift; [ "$one" = -- ] && break; mount -t tmpfs none "$one"'
            command = ["/bin/sh", "-ec", f'{hide}; done; exec "$@"', "sh", *hidden, "--",
                       *command]  # fmt: skip
        environment = {
            "PATH": os.environ.get("PATH", os.defpath), "HOME": str(work), "MPLBACKEND": "Agg",
            "MPLCONFIGDIR": _matplotlib(), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
            "LANG": "C.UTF-8",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [*isolation(), *command], env=environment, cwd=work, pass_fds=(theirs_in, theirs_out),
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self.said,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            wire.receive(self.inlet, START)
        except (TimeoutError, EOFError, wire.BadMessage):
            self.said.seek(0)
            said = self.said.read(2000).decode(errors="replace")
            raise NoSandbox(f"a sandbox does not start on this machine:\n{said}") from None

    def _stop(self):
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        os.close(self.inlet)
        os.close(self.outlet)
        self.process = None

    def _ask(self, seconds, **asked):
        """Send a question and give the answer; TimeoutError, EOFError or BadMessage without one."""
        try:
            wire.send(self.outlet, asked, NAMES)
        except BrokenPipeError as error:
            raise EOFError from error
        found = wire.receive(self.inlet, seconds)
        if not isinstance(found, dict):
            raise wire.BadMessage("no answer")
        return found

    def run(self, cells):
        """Run (name, source) cells in order; one that misbehaves is left out the next time.

        Afterwards `bad` has what is said of the cells that did not end, ended the process, or did
        what is not allowed.
        """
        self.cells = cells
        while True:
            self._start()
            if self.restarts > RESTARTS:
                self._stop()
                self.notes.append("too many parts of it stop the process: the rest was not run.")
                return
            for name, source in [cell for cell in cells if cell[0] not in self.stopped]:
                try:
                    found = self._ask(self.one_cell, do="run", name=name, source=source)
                except (TimeoutError, EOFError, wire.BadMessage) as error:
                    self.stopped.add(name)
                    self.bad[name] = _why(error, self.one_cell)
                    self.restarts += 1
                    break
                self._look(name, found)
            else:
                return

    def _look(self, name, found):
        for report in found.get("reports") or ():
            self.bad.setdefault(name, str(report)[:120])
        replaced = [one for one in found.get("replaced") or () if isinstance(one, str)]
        if replaced and not self.replaced:
            self.replaced = True
            self.notes.append(
                f"cell {name} replaced {', '.join(replaced)[:120]}: the tests use their own."
            )
        if isinstance(found.get("error"), list | tuple) and name not in self.bad:
            note = f"cell {name}: {': '.join(map(str, found['error']))[:200]}"
            if note not in self.notes:
                self.notes.append(note)

    def value(self, name):
        """Give a value of the submission."""
        found = self._quick(do="value", name=name)
        if "error" in found:
            raise Unanswered(f"`{name}`: {found['error'][-1]}.")
        if found.get("value") is None:
            raise Unanswered(f"`{name}` has no value.")
        return found["value"]

    def function(self, name):
        """Give a function of the submission, which is called over there."""
        if name in self.broken:
            raise Unanswered(f"`{name}` {self.broken[name]}.")
        if self._quick(do="run", name=name, source=f"{name}.__call__").get("error"):
            raise Unanswered(f"there is no function `{name}`.")

        def call(*given):
            sent = [wire.Own(one.own) if hasattr(one, "own") else one for one in given]
            found = self._quick(do="call", name=name, given=sent)
            if "error" in found:
                raise _raised(found["error"])
            for one, after in zip(given, found.get("given") or (), strict=False):
                _copy_back(one, after)
            return found.get("value")

        call.own = name
        return call

    def _quick(self, **asked):
        name = asked["name"]
        if self.process is None or self.left <= 0:
            raise Unanswered("it could not be run.")
        before = time.monotonic()
        try:
            found = self._ask(min(self.one_call, self.left), **asked)
        except (TimeoutError, EOFError, wire.BadMessage) as error:
            self.broken[name] = _why(error, self.one_call)
            self.restarts += 1
            self.run(self.cells)
            raise Unanswered(f"`{name}` {self.broken[name]}.") from None
        finally:
            self.left -= time.monotonic() - before
        for report in found.get("reports") or ():
            self.broken[name] = str(report)[:120]
        return found


def _can_be_hidden(folder):
    """Whether nothing that the submission needs lies in a folder."""
    path = Path(folder)
    needed = (REPOSITORY, Path(sys.prefix), Path(sys.base_prefix), Path(tempfile.gettempdir()))
    return path.is_dir() and not any(path in (one, *one.parents) for one in needed)


def _why(error, seconds):
    if isinstance(error, TimeoutError):
        return f"did not end within {seconds} seconds"
    return "ended the process that runs it"


def _copy_back(ours, theirs):
    """Do to our argument what was done to the copy over there."""
    if isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray):
        if ours.shape == theirs.shape and ours.dtype == theirs.dtype:
            ours[...] = theirs
    elif isinstance(ours, np.random.Generator) and isinstance(theirs, np.random.Generator):
        ours.bit_generator.state = theirs.bit_generator.state


@functools.cache
def _matplotlib():
    """Make a folder for Matplotlib's list of fonts, once for all submissions."""
    return tempfile.mkdtemp(prefix="coursework-fonts-")
