"""Where results are kept: a file for each suite and defence.

A file has a first line of JSON, which says for each run what it was and where it comes from, and
then a tidy table with the rows of all its runs. It is written anew after each run, beside and then
renamed, so nothing that is done is lost when the command is interrupted.

A result is stale when its run is described otherwise than it is kept. That its code still gives its
numbers is for the tests to see: they repeat a small run of every defence and every attack.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from ..defences import NAMES
from ..natural import KINDS, source_name
from .description import Run, described, restored
from .origin import origin_now
from .suites import SUITES

BOOK = Path(__file__).parents[2] / "book"
RESULTS = BOOK / "results" if BOOK.is_dir() else Path("results")
DECIMALS = 4


def file_of(suite: str, defence: str, folder: Path = RESULTS) -> Path:
    """Name the file of a suite and a defence.

    Examples
    --------
    >>> file_of("short", "RFOut-1d, median/MAD", Path("results")).as_posix()
    'results/short/rfout-1d-median-mad.csv'
    """
    slug = "".join(letter if letter.isalnum() else "-" for letter in defence.lower())
    while "--" in slug:
        slug = slug.replace("--", "-")
    return folder / suite / f"{slug}.csv"


def _read(path: Path) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """Read the origins, in the order of the numbers in the column `run`, and the rows."""
    if not path.is_file():
        return [], pd.DataFrame()
    with path.open(encoding="utf-8") as file:
        origins: list[dict[str, Any]] = json.loads(file.readline().removeprefix("#"))
    return origins, pd.read_csv(path, skiprows=1)


def write_result(
    suite: str, run: Run, table: pd.DataFrame, seconds: float, folder: Path = RESULTS
) -> Path:
    """Add a run's rows and origin to its file; a run that is there is replaced.

    Parameters
    ----------
    suite, run
        What was run.
    table
        From `execute`.
    seconds
        How long it took.
    folder
        Where the results are.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from rfout.experiments.suites import short

    >>> rows = pd.DataFrame({"phase": "attack", "round": [1, 2], "backdoor_accuracy": [0.5, 1.0]})
    >>> with TemporaryDirectory() as folder:
    ...     write_result("short", short()[0], rows, 3.0, Path(folder)).name
    'mean.csv'
    """
    path = file_of(suite, run.defence, folder)
    origins, rows = _read(path)
    description = described(run)
    kept = [i for i, origin in enumerate(origins) if restored(origin["run"]) not in (run, None)]
    origin = {"run": description, "seconds": round(seconds)} | origin_now()
    if run.setting.dataset in KINDS:
        origin["source"] = source_name()
    tables = [rows[rows["run"] == i].assign(run=new) for new, i in enumerate(kept)]
    tables.append(table.round(DECIMALS).assign(run=len(kept)))
    write_file(path, [origins[i] for i in kept] + [origin], pd.concat(tables))
    return path


def write_file(path: Path, origins: list[dict[str, Any]], rows: pd.DataFrame) -> None:
    """Write a file whole: beside, and then over what was there.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path, rows = Path(folder, "mean.csv"), pd.DataFrame({"round": [1], "run": 0})
    ...     write_file(path, [{"seed": 1}], rows)
    ...     print(path.read_text().strip())
    # [{"seed": 1}]
    run,round
    0,1
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = ["run", *(name for name in rows.columns if name != "run")]
    text = rows[columns].to_csv(index=False, lineterminator="\n")
    beside = path.with_suffix(".part")
    beside.write_text(f"# {json.dumps(origins)}\n{text}", encoding="utf-8")
    beside.replace(path)


def _finished(suite: str, folder: Path) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    """Give the origin and the rows of each run of a suite that is done and not stale."""
    order = {name: i for i, name in enumerate(NAMES)}
    wanted = set(SUITES[suite]())
    found = []
    for path in sorted((folder / suite).glob("*.csv")):
        origins, rows = _read(path)
        found += [
            (origin, rows[rows["run"] == i].drop(columns="run"))
            for i, origin in enumerate(origins)
            if restored(origin["run"]) in wanted
        ]
    return sorted(found, key=lambda one: order[one[0]["run"]["defence"]])


def read_results(suite: str, folder: Path = RESULTS) -> pd.DataFrame:
    """Read all finished runs of a suite into one tidy table.

    Parameters
    ----------
    suite
        A name of `suites`.
    folder
        Where the results are.

    Returns
    -------
    pandas.DataFrame
        A row a run and round: aggregator, attack, n_adversaries, partition, seed, and the columns
        of `execute`.

    Raises
    ------
    FileNotFoundError
        If there are no results of this suite.

    Examples
    --------
    >>> read_results("boosts")["attack"].unique()[:2].tolist()
    ['boost 20', 'boost 40']
    """
    tables = []
    for origin, rows in _found(suite, folder):
        run = restored(origin["run"])
        assert run is not None  # else it would not have been found
        about: dict[str, Any] = {
            "aggregator": run.defence, "attack": run.attack.name,
            "n_adversaries": run.attack.n_adversaries, "partition": run.setting.partition,
            "seed": run.seed,
        }  # fmt: skip
        tables.append(rows.assign(**about)[[*about, *rows.columns]])
    return pd.concat(tables, ignore_index=True)


def read_origins(suite: str, folder: Path = RESULTS) -> pd.DataFrame:
    """Read where the finished runs of a suite come from.

    Returns
    -------
    pandas.DataFrame
        A row a run: date, seconds, revision, machine, python, numpy, tensorflow.

    Raises
    ------
    FileNotFoundError
        If there are no results of this suite.

    Examples
    --------
    >>> read_origins("boosts").columns.tolist()[:3]
    ['date', 'seconds', 'revision']
    """
    rows = []
    for origin, _ in _found(suite, folder):
        versions = origin["versions"]
        tensorflow = versions.get("tensorflow-cpu", versions.get("tensorflow"))
        row = {name: origin[name] for name in ("date", "seconds", "revision", "machine")}
        rows.append(
            row | {k: versions[k] for k in ("python", "numpy")} | {"tensorflow": tensorflow}
        )
    return pd.DataFrame(rows)


def _found(suite: str, folder: Path) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    found = _finished(suite, folder)
    if not found:
        raise FileNotFoundError(
            f"no results in {folder / suite}: make them with `python -m rfout.experiments {suite}`"
        )
    return found


def missing(suite: str, folder: Path = RESULTS) -> list[Run]:
    """List the runs of a suite that are not kept.

    Examples
    --------
    >>> len(missing("short", Path("nowhere"))) == len(SUITES["short"]())
    True
    """
    done = {restored(origin["run"]) for origin, _ in _finished(suite, folder)}
    return [run for run in SUITES[suite]() if run not in done]
