"""Where the long experiments are kept: a file a run, and the command that makes what is missing.

    python -m rfout.results fashion-mnist

runs a suite, the most telling runs first. Every file is written beside and then renamed, and a
run that was killed goes on from its checkpoint, so the command can be stopped and given again.

Chapter: full-scale.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from .experiments import Run, execute, suites
from .lineup import NAMES

RESULTS = Path("book/results")


def write_result(run: Run, table: pd.DataFrame, seconds: float, folder: Path = RESULTS) -> Path:
    """Write a run's table under a line that says where it comes from: whole, or not at all."""
    path = run.file(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    libraries = ("numpy", "tensorflow-cpu", "tensorflow", "keras", "rfout")
    origin = {
        "run": asdict(run),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "seconds": round(seconds),
        "revision": _revision(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {"python": platform.python_version()} | _versions(libraries),
    }
    beside = path.with_suffix(".part")
    text = table.round(4).to_csv(index=False, lineterminator="\n")
    beside.write_text(f"# {json.dumps(origin)}\n{text}", encoding="utf-8")
    beside.replace(path)
    return path


def _versions(names: Sequence[str]) -> dict[str, str]:
    installed = {
        d.name.lower().replace("_", "-"): d.version for d in importlib.metadata.distributions()
    }
    return {name: installed[name] for name in names if name in installed}


@cache
def _revision() -> str:
    """The commit of the code as it was loaded, with a mark where it was changed since."""
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def read_origin(path: Path) -> dict[str, Any]:
    """Read where a result comes from: run, date, seconds, revision, machine, versions."""
    with path.open(encoding="utf-8") as file:
        origin: dict[str, Any] = json.loads(file.readline().removeprefix("#"))
    return origin


def read_results(suite: str, folder: Path = RESULTS) -> pd.DataFrame:
    """Read all the finished runs of a suite into one tidy table.

    Parameters
    ----------
    suite
        A name of `suites`.
    folder
        Where the results are.

    Returns
    -------
    pandas.DataFrame
        A row a run and round: aggregator, seed, partition, attack, n_adversaries, warm_up, and
        the columns of `execute`, in the order of the suite.

    Raises
    ------
    FileNotFoundError
        If there are no results of this suite.

    Notes
    -----
    Chapter: full-scale.
    """
    tables = []
    for path, run in _finished(suite, folder):
        about: dict[str, Any] = {
            "aggregator": run.defence, "seed": run.seed, "partition": run.partition,
            "attack": run.attack, "n_adversaries": run.n_adversaries, "warm_up": run.warm_up,
        }  # fmt: skip
        tables.append(pd.read_csv(path, comment="#").assign(**about))
    return pd.concat(tables, ignore_index=True)


def read_origins(suite: str, folder: Path = RESULTS) -> pd.DataFrame:
    """Read where the finished runs of a suite come from.

    Returns
    -------
    pandas.DataFrame
        A row a run: file, date, seconds, revision, machine, python, numpy, tensorflow.

    Raises
    ------
    FileNotFoundError
        If there are no results of this suite.

    Notes
    -----
    Chapter: full-scale.
    """
    rows = []
    for path, _ in _finished(suite, folder):
        origin = read_origin(path)
        versions = origin.pop("versions")
        tensorflow = versions.get("tensorflow-cpu", versions.get("tensorflow"))
        libraries = {k: versions[k] for k in ("python", "numpy")} | {"tensorflow": tensorflow}
        origin.pop("run")
        rows.append({"file": path.name} | origin | libraries)
    return pd.DataFrame(rows)


def _finished(suite: str, folder: Path) -> list[tuple[Path, Run]]:
    order = {name: i for i, name in enumerate(NAMES)}
    found = [(p, Run(**read_origin(p)["run"])) for p in sorted((folder / suite).glob("*.csv"))]
    if not found:
        raise FileNotFoundError(
            f"no results in {folder / suite}: make them with `python -m rfout.results {suite}`"
        )
    return sorted(found, key=lambda one: (one[1].n_adversaries, order[one[1].defence]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing of a suite."""
    parser = argparse.ArgumentParser(
        prog="python -m rfout.results", description="Make what is missing of a suite."
    )
    parser.add_argument("suite", choices=suites())
    parser.add_argument("--results", type=Path, default=RESULTS, help="default: %(default)s")
    wanted = parser.parse_args(arguments)
    runs = suites()[wanted.suite]
    missing = [run for run in runs if not run.file(wanted.results).exists()]
    print(f"{wanted.suite}: {len(runs)} runs, {len(runs) - len(missing)} done before")
    _revision()  # now: the files may be changed while this runs
    for run in tqdm(missing, unit="run"):
        started = time.monotonic()
        write_result(run, execute(run), time.monotonic() - started, wanted.results)


if __name__ == "__main__":
    main()
