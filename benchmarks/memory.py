"""Memory beyond input and output, and 4 GB of memory-mapped files, each in a process of its own."""

import multiprocessing
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path

import contenders
import numpy as np

MIB = 2**20


def peak() -> float:
    """The most that this process ever held, in MiB."""
    try:  # Linux hands the peak of getrusage on to a process's children
        status = Path("/proc/self/status").read_text("utf-8")
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB


def alone(function, *arguments):
    """Call in a fresh process: a peak never comes down."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def extra(n_clients: int, n_params: int, form: str, compiled: bool) -> float:
    """MiB that `rfout1d` needs beyond updates and aggregate."""
    from rfout import rfout1d
    from rfout.operator import paths, walk

    if not compiled:
        walk.LARGE = 2**62
    elif paths.kernels() is not None:
        large, walk.LARGE = walk.LARGE, 0
        rfout1d(np.ones((12, 10), np.float32))  # the compiler itself is not what is measured
        walk.LARGE = large
    x = contenders.updates(n_clients, n_params)
    updates = list(x) if form == "list" else x
    aggregate = np.ones(n_params, np.float32)
    before = peak()
    with warnings.catch_warnings(action="ignore"):  # with 10 clients nothing can be flagged
        aggregate[:] = rfout1d(updates)
    return max(0.0, peak() - before - aggregate.nbytes / MIB)


def table() -> list[dict]:
    return [
        {
            "path": "compiled" if compiled else "NumPy",
            "updates": form,
            "n_clients": n,
            "n_params": d,
            "input_mib": n * d * 4 / MIB,
            "extra_mib": alone(extra, n, d, form, compiled),
        }
        for compiled in (True, False)
        for form in ("array", "list")
        for n, d in ((50, 1_200_000), (10, 6_000_000), (1000, 60_000))
    ]


def aggregate_files(folder: str, n_clients: int) -> tuple[float, float, str]:
    """Seconds, peak MiB, and digest of the aggregate of one memory-mapped file a client."""
    import hashlib

    from rfout import rfout1d

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, n_clients + 500), hard))
    updates = [np.load(Path(folder) / f"{i}.npy", mmap_mode="r") for i in range(n_clients)]
    start = time.perf_counter()
    aggregate = rfout1d(updates)
    seconds = time.perf_counter() - start
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return seconds, peak(), hashlib.sha256(aggregate.tobytes()).hexdigest()


def expected(folder: str, n_clients: int, n_params: int) -> str:
    """The same digest from slices read into memory: no file is mapped."""
    import hashlib

    from rfout import rfout1d
    from rfout.operator.sharding import slices

    digest = hashlib.sha256()
    for one in slices(n_params, 16):
        x = np.stack(
            [np.load(Path(folder) / f"{i}.npy", mmap_mode="r")[one] for i in range(n_clients)]
        )
        digest.update(rfout1d(x).tobytes())
    return digest.hexdigest()


def out_of_core(n_clients: int = 1000, n_params: int = 1_000_000) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(0)
        for i in range(n_clients):
            boost = np.float32(n_clients if i == 1 else 1)
            row = rng.standard_normal(n_params, dtype=np.float32) * boost
            np.save(Path(folder) / f"{i}.npy", row)
        seconds, resident, digest = alone(aggregate_files, folder, n_clients)
        same = digest == alone(expected, folder, n_clients, n_params)
    return [
        {
            "n_clients": n_clients,
            "n_params": n_params,
            "input_mib": n_clients * n_params * 4 / MIB,
            "seconds": seconds,
            "peak_resident_mib": resident,
            "same_bytes_as_in_memory": same,
        }
    ]
