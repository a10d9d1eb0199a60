"""What chapters claimed and recorded in a run, and how far it may differ in another run.

The register, ``book/results/replication.csv``, says for each claim and each recorded number how it
came out over ten seeds and two kinds of arithmetic. A new run of the default seed, on whatever
machine, must stay within that spread, widened on both sides by its own width.
"""

import csv
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
REGISTER = ROOT / "book" / "results" / "replication.csv"
CLAIM = "application/vnd.rfout.claim+json"
CURVES = "application/vnd.rfout.curves+json"
GLUE = "application/papermill.record/text/plain"
LEAST = 0.003  # three images of a thousand: an accuracy that never varied may do so elsewhere
ROUNDING = 1e-6  # relative: a number that no seed changes is a matter of rounding alone


@dataclass(frozen=True)
class Measured:
    """One claim or one recorded number or text of a run."""

    kind: str  # "claim", "number" or "text"
    name: str  # the claim's sentence, or the name of what was recorded
    value: float | str
    holds: bool = True


def measured(outputs):
    """Give what a cell's outputs claim and record."""
    found = []
    for output in outputs:
        data = output.get("data", {})
        if CLAIM in data:
            said = data[CLAIM]
            found.append(Measured("claim", said["statement"], float(said["value"]), said["holds"]))
        name = output.get("metadata", {}).get("scrapbook", {}).get("name")
        if name and GLUE in data:
            plain = data[GLUE]
            kind = "text" if plain[0] in "'\"" else "number"
            found.append(Measured(kind, name, plain[1:-1] if kind == "text" else float(plain)))
    return found


def is_measured(output):
    """Tell whether an output is compared by its spread and not to the letter."""
    data = output.get("data", {})
    return CLAIM in data or GLUE in data or CURVES in data


@cache
def register(path=REGISTER):
    """Map (chapter, kind, name) to its row."""
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["chapter"], row["kind"], row["name"]): row for row in csv.DictReader(file)}


def interval(row):
    """Return the lowest and the highest value that a run of the default seed may give."""
    low, high = float(row["lowest"]), float(row["highest"])
    width = high - low
    if width == 0 and low not in (0.0, 1.0):
        width = ROUNDING * abs(low)
    else:
        width = max(width, LEAST)
    return low - width, high + width


def can_fail(row):
    """Tell whether a share could ever leave the interval: where it cannot, nothing is compared."""
    low, high = interval(row)
    return low > 0 or high < 1


def differences(chapter, stored, new, rows):
    """Say in which way what was measured differs from what was stored by more than the spread.

    Parameters: the chapter's name, what `measured` gave of the stored outputs and of the new ones,
    and the register. Returns a list of sentences, empty if nothing differs.
    """
    if [(one.kind, one.name) for one in stored] != [(one.kind, one.name) for one in new]:
        return [
            f"stored are {[one.name for one in stored]}, and the run gave "
            f"{[one.name for one in new]}: run `make outputs`"
        ]
    found = []
    for before, now in zip(stored, new, strict=True):
        if before.holds != now.holds:
            found.append(f"{now.name!r} {'holds' if now.holds else 'does not hold'} in this run")
        if now.kind == "text":
            if before.value != now.value:
                found.append(f"{now.name} is {now.value!r}, and {before.value!r} is stored")
            continue
        row = rows.get((chapter, now.kind, now.name))
        if row is None:
            found.append(f"{now.name!r} is not in the register: run `make replicate`")
            continue
        low, high = interval(row)
        if not (low <= now.value <= high or (math.isnan(now.value) and row["lowest"] == "nan")):
            found.append(
                f"{now.name!r} is {now.value:.6g}, outside {low:.6g} to {high:.6g}, "
                f"the spread of the register; {before.value:.6g} is stored"
            )
    return found
