"""The whole crossing of the chapter defences-compared, for the chapter to read.

    python benchmarks/defences_compared.py

Every attack, partition and seed is a part, written when it is done: a run that was killed goes on
where it was, as long as neither the package nor the configuration has changed. The most telling
attacks come first. At the end all parts become book/results/defences-compared.csv, and
defences-compared.json beside it says what they were made with.
"""

import hashlib
import json
import os
import subprocess
import time
from functools import cache
from importlib.metadata import packages_distributions
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pandas as pd
from timing import machine
from tqdm import tqdm

from rfout import comparison
from rfout.datasets import chosen_name
from rfout.federation import Federation

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "book" / "results" / "defences-compared.csv"


def state() -> str:
    """A name for the package's source and the configuration: parts of another are not used."""
    digest = hashlib.sha256(json.dumps(comparison.configuration()).encode())
    for path in sorted((ROOT / "rfout").glob("*.py")):
        digest.update(path.read_bytes())
    return f"{chosen_name()}-{digest.hexdigest()[:12]}"


def write(path: Path, text: str) -> None:
    """Write whole: beside, and then over what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(path.suffix + ".part")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def main() -> None:
    folder = ROOT / "_build" / "defences-compared" / state()
    about: dict[str, Any] = {
        "command": "python benchmarks/defences_compared.py",
        "dataset": chosen_name(),
        "revision": revision(),  # now: it may move on while this runs
        **machine("numpy", packages_distributions()["tensorflow"][0], "keras"),
        "configuration": comparison.configuration(),
    }

    @cache
    def warm(partition: str, seed: int) -> Federation:
        return comparison.warm_up(seed, partition, folder / f"warm-{partition}-{seed}.npz")

    parts: list[pd.DataFrame] = []
    jobs = list(product(comparison.ATTACKS, comparison.PARTITIONS, comparison.SEEDS))
    for attack, partition, seed in tqdm(jobs, unit="part", smoothing=0.1):
        path = folder / f"{attack}-{partition}-{seed}.csv".replace(" ", "-").replace(",", "")
        if not path.exists():
            federation, start = warm(partition, seed), time.perf_counter()
            rows = comparison.compare(federation, comparison.ATTACKS[attack])
            rows.insert(0, "seed", seed)
            rows.insert(0, "partition", partition)
            rows.insert(0, "attack", attack)
            rows["seconds"] = time.perf_counter() - start
            write(path, rows.to_csv(index=False, float_format="%.5g", lineterminator="\n"))
        parts.append(pd.read_csv(path))
    finish(parts, about)


def revision() -> str:
    """The commit that is checked out, and whether the package differs from it."""
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    changed = subprocess.run(
        [*git, "status", "--porcelain", "rfout", "benchmarks"], capture_output=True, text=True
    ).stdout
    return head.strip() + (" with changes" if changed.strip() else "")


def finish(parts: list[pd.DataFrame], about: dict[str, Any]) -> None:
    about["minutes"] = round(sum(part["seconds"].iloc[0] for part in parts) / 60, 1)
    table = pd.concat(parts, ignore_index=True).drop(columns="seconds")
    write(RESULT, table.to_csv(index=False, lineterminator="\n"))
    write(RESULT.with_suffix(".json"), json.dumps(about, indent=1) + "\n")
    print(f"{RESULT.relative_to(ROOT)}: {len(table)} rows")


if __name__ == "__main__":
    main()
