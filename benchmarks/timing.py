"""Times as ratios of interleaved rounds, and tables that say what they were measured on."""

import csv
import datetime
import gc
import importlib.metadata
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def interleaved(cases: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every case in every round; the cases of a round run one after the other.

    What else the machine does then weighs on all of them alike, and a ratio within a round holds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for case in cases.values():
        case()  # compiled, imported, and paged in
    for _ in range(rounds):
        for name, case in cases.items():
            gc.collect()
            start = time.perf_counter()
            case()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(seconds: list[float], reference: list[float]) -> float:
    """Median over the rounds of one case's time by another's."""
    return statistics.median(a / b for a, b in zip(seconds, reference, strict=True))


def machine(*packages: str) -> dict[str, str]:
    """What a figure depends on, for every row of a table."""
    versions = []
    for name in packages or ("numpy", "numba", "scipy", "flwr"):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {processor()}, "
        f"{len(os.sched_getaffinity(0)) if sys.platform == 'linux' else os.cpu_count()} cores",
        "versions": f"Python {platform.python_version()}, {', '.join(versions)}",
    }


def processor() -> str:
    """Name the CPU, and whether it has AVX-512, on which the ratio to NumPy's mean depends."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "processor unknown"
    found = {key.strip(): value.strip() for key, _, value in (one.partition(":") for one in lines)}
    wide = "with" if "avx512f" in found.get("flags", "").split() else "without"
    return f"{found.get('model name', 'processor unknown')} {wide} AVX-512"


def write(name: str, rows: list[dict[str, object]]) -> Path:
    """Write a table whole: beside, and then over the old one."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.csv"
    beside = path.with_suffix(".new")
    about = machine()
    with beside.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [*rows[0], *about], lineterminator="\n")
        table.writeheader()
        table.writerows({**row, **about} for row in rows)
    os.replace(beside, path)
    return path


def show(title: str, rows: list[dict[str, object]]) -> None:
    print(f"\n{title}")
    cells = [[str(key) for key in rows[0]]]
    cells += [[f"{v:.4g}" if isinstance(v, float) else str(v) for v in r.values()] for r in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))
    sys.stdout.flush()
