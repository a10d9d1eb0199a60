"""What a submission may do while it runs: an audit hook, limits, and a look at what it replaced.

Loaded by `coursework.worker` before any code of a student. A hook of Python's cannot be taken away
again. It is the second line: the first are namespaces of the system, where there are any.
"""

import builtins
import math
import os
import sys
from pathlib import Path

import numpy as np

MIB = 2**20
PROCESSES = {
    "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.startfile",
    "subprocess.Popen", "pty.spawn", "os.kill", "os.killpg", "signal.pthread_kill",
}  # fmt: skip
NATIVE = {"ctypes.dlopen", "ctypes.call_function", "ctypes.cdata"}
READABLE = (
    "/usr", "/lib", "/lib64", "/opt", "/System", "/Library", "/etc/fonts", "/etc/localtime",
    "/etc/mime.types", "/etc/ssl", "/dev/null", "/dev/urandom", "/dev/random", "/proc/self",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu", "/sys/fs/cgroup",
)  # fmt: skip
MOST_FILES = 100
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def limit(memory=2048, seconds=600, file_size=20):
    """Set the process's limits (MiB, seconds, MiB); False where the system has none."""
    try:
        import resource
    except ImportError:  # Windows
        return False
    for what, value in (
        ("RLIMIT_AS", memory * MIB), ("RLIMIT_CPU", seconds), ("RLIMIT_FSIZE", file_size * MIB),
        ("RLIMIT_NOFILE", 256), ("RLIMIT_CORE", 0),
    ):  # fmt: skip
        name = getattr(resource, what, None)
        if name is None:
            continue
        try:
            resource.setrlimit(name, (value, value))
        except (ValueError, OSError):  # macOS refuses some
            continue
    return True


class Guard:
    """Watches the process from here on; what it refused is in `reports`."""

    def __init__(self, work, secret=()):
        self.reports, self.written = [], 0
        self.work = os.path.realpath(work)
        self.secret = [os.path.realpath(one) for one in secret if one]
        own = [sys.prefix, sys.base_prefix, *sys.path, *READABLE]
        self.readable = [os.path.realpath(one) for one in own if one and one != "/"]
        self.public = self._public()

    def start(self):
        """Begin."""
        sys.addaudithook(self._hook)

    def _hook(self, event, arguments):
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, str | bytes):
                self._file(path, bool(flags & WRITES))
        elif event in ("os.listdir", "os.scandir") and isinstance(arguments[0], str | bytes):
            self._file(arguments[0], writing=False)
        elif event in PROCESSES:
            self._refuse("tried to start or to stop a process")
        elif event in NATIVE:
            self._refuse("tried to call native code")
        elif event.startswith("socket.") and event != "socket.__new__":
            self._refuse("tried to use the network")

    def _file(self, path, writing):
        path = os.path.realpath(os.fsdecode(path))
        if any(_within(path, one) for one in self.secret):
            self._refuse("tried to read the grader's files")
        if _within(path, self.work):
            self.written += writing
            if writing and self.written > MOST_FILES:
                self._refuse(f"wrote more than {MOST_FILES} files")
        elif writing and path != os.devnull:
            self._refuse("tried to write outside its folder")
        elif not any(_within(path, one) for one in self.readable):
            self._refuse(f"tried to read {Path(path).name or path}, outside its folder")

    def _refuse(self, what):
        if what not in self.reports and len(self.reports) < 20:
            self.reports.append(what)
        raise PermissionError(f"not allowed here: the submission {what}")

    @staticmethod
    def _public():
        """Every public name of the modules whose functions a test may be thought to use."""
        modules = {"numpy": np, "numpy.testing": np.testing, "numpy.linalg": np.linalg,
                   "builtins": builtins, "math": math}  # fmt: skip
        return {
            (label, name): (module, getattr(module, name))
            for label, module in modules.items()
            for name in dir(module)
            if not name.startswith("_")
        }

    def replaced(self):
        """Name the functions that have been replaced since the start."""
        return [
            f"{label}.{name}"
            for (label, name), (module, original) in self.public.items()
            if getattr(module, name, None) is not original
        ]


def _within(path, folder):
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
