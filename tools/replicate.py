"""Run the chapters' claims with other seeds and on other arithmetic: the register.

    python tools/replicate.py [CHAPTER ...] [--seeds 10]

Each run of a chapter is kept in `_build/replication` as long as neither the chapter nor the package
has changed, so the command can be interrupted and started again. At the end two tidy tables are
written: `book/results/replication.csv` has a row for each claim and each recorded number,
`book/results/replication-curves.csv` one for each point of a curve that a figure shows with its
spread. Chapters that are not named keep their rows.
"""

import argparse
import copy
import hashlib
import json
import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pandas as pd
from executed import AT_ONCE, ENCRYPTED, chapters, execution_key
from measured import CURVES, REGISTER, measured
from nbclient import NotebookClient
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "_build" / "replication"
TABLES = REGISTER, REGISTER.with_name("replication-curves.csv")
FIRST_SEED = 2022
ARITHMETICS = {"native": {}, "SSE4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41"}}


def claims_anything(notebook):
    """Tell whether there is something to replicate in a chapter."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return any(re.search(r"(?<!\w)(claim|record)\(", source) for source in code)


def run_once(path, notebook, seed, arithmetic, rounds):
    """Execute a chapter and return what it measured."""
    env = {name: value for name, value in os.environ.items() if name != "RFOUT_STRICT"}
    env |= ARITHMETICS[arithmetic]
    env |= {"RFOUT_SEED": str(seed), "RFOUT_REPLICATE": "1", "RFOUT_ROUNDS": str(rounds)}
    notebook = copy.deepcopy(notebook)
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook, resources=resources, timeout=1200, kernel_name="python3", config=ENCRYPTED
    )
    client.execute(env=env)
    cells = [cell.get("outputs", []) for cell in notebook.cells]
    found = [vars(one) for outputs in cells for one in measured(outputs)]
    curves = [
        output["data"][CURVES]
        for outputs in cells
        for output in outputs
        if CURVES in output.get("data", {})
    ]
    return {"chapter": path.stem, "seed": seed, "arithmetic": arithmetic} | {
        "measured": found,
        "curves": curves,
    }


def kept_at(path, notebook, seed, arithmetic):
    """Name the file of a run: another one when the chapter's code or the package changes."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    package = execution_key(ROOT, but=REGISTER.stem)  # which this command writes
    key = hashlib.sha256(json.dumps([package, *code]).encode()).hexdigest()[:12]
    return KEPT / f"{path.stem}-{seed}-{arithmetic}-{key}.json"


def write(path, text):
    """Write whole: beside, and then over what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def run_missing(named, seeds):
    """Run what is not kept, two chapters at a time; returns all runs, and what failed."""
    every = [one for one in chapters(ROOT) if claims_anything(one[1])]
    chosen = [one for one in every if not named or one[0].stem in named]
    if unknown := set(named) - {path.stem for path, _ in every}:
        sys.exit(f"no chapter with claims is called {', '.join(sorted(unknown))}")
    jobs = [
        (path, notebook, seed, arithmetic)
        for seed in seeds
        for arithmetic in ARITHMETICS
        for path, notebook in chosen
    ]
    missing = [job for job in jobs if not kept_at(*job).exists()]
    print(f"{len(jobs)} runs of {len(chosen)} chapters, {len(jobs) - len(missing)} done before")
    failed = []
    with tempfile.TemporaryDirectory(prefix="rfout-rounds-") as scratch:
        folders = {(s, a): Path(scratch, f"{s}-{a}") for s in seeds for a in ARITHMETICS}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            running = {pool.submit(run_once, *job, folders[job[2:]]): job for job in missing}
            try:
                for done in tqdm(
                    as_completed(running), total=len(missing), unit="run", disable=False
                ):
                    job = running[done]
                    if error := done.exception():
                        why = f"{error.ename}: {error.evalue}" if hasattr(error, "ename") else error
                        failed.append(f"{job[0].stem}, seed {job[2]}, {job[3]}: {why}")
                    else:
                        write(kept_at(*job), json.dumps(done.result()))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    kept = [kept_at(*job) for job in jobs]
    if not failed and not all(path.exists() for path in kept):
        failed = ["a chapter, the package or results were changed meanwhile: run this again"]
    runs = [json.loads(path.read_text("utf-8")) for path in kept if path.exists()]
    return [path.stem for path, _ in chosen], runs, failed


def summary(runs):
    """Summarise the runs: a row for each claim and each recorded number."""
    frames = [
        pd.DataFrame(run["measured"]).assign(
            chapter=run["chapter"], seed=run["seed"], arithmetic=run["arithmetic"]
        )
        for run in runs
        if run["measured"]
    ]
    table = pd.concat(frames, ignore_index=True)
    table = table[table["kind"] != "text"].astype({"value": float})
    by = table.groupby(["chapter", "kind", "name"], sort=False)
    values = by["value"].agg(lowest="min", median="median", highest="max")
    seeds = table.groupby(["chapter", "kind", "name", "seed"], sort=False)["holds"].all()
    held = seeds.groupby(["chapter", "kind", "name"], sort=False).agg(held="sum", n_seeds="size")
    rows = held.join(values).assign(n_runs=by.size()).reset_index()
    return rows.sort_values("chapter", kind="stable")


def curve_summary(runs):
    """Summarise the curves: a row for each point of each curve of a figure."""
    columns = ["figure", "curve", "x", "quantity", "value"]
    rows = [
        [run["chapter"], run["seed"], curves["figure"], *row]
        for run in runs
        for curves in run["curves"]
        for row in curves["rows"]
    ]
    table = pd.DataFrame(rows, columns=["chapter", "seed", *columns])
    by = table.groupby(["chapter", *columns[:-1]], sort=False)
    ends = by["value"].agg(lowest="min", median="median", highest="max")
    return (
        ends.assign(n_seeds=by["seed"].nunique())
        .reset_index()
        .sort_values("chapter", kind="stable")
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="such as limits")
    parser.add_argument("--seeds", type=int, default=10, help="how many, from 2022 on")
    wanted = parser.parse_args(arguments)
    seeds = range(FIRST_SEED, FIRST_SEED + wanted.seeds)
    named, runs, failed = run_missing(wanted.chapters, seeds)
    if failed:
        sys.exit("\n".join(["nothing was written, since these runs failed:", *failed]))
    for path, made in zip(TABLES, (summary(runs), curve_summary(runs)), strict=True):
        if path.is_file() and wanted.chapters:
            old = pd.read_csv(path)
            made = pd.concat([old[~old["chapter"].isin(named)], made])
            made = made.sort_values("chapter", kind="stable")
        write(path, made.to_csv(index=False, float_format="%.9g", lineterminator="\n"))
    table = pd.read_csv(REGISTER)
    weak = table[(table["kind"] == "claim") & (table["held"] < 0.9 * table["n_seeds"])]
    for row in weak.itertuples():
        print(f"{row.chapter}: held in {row.held} of {row.n_seeds}: {row.name}")


if __name__ == "__main__":
    main()
