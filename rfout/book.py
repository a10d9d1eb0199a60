"""What a chapter says of its run: claims that are held to it, numbers for the prose, curves.

Every chapter takes its seed from `SEED`. `tools/replicate.py` runs the chapters with other seeds
and on other arithmetic, reads what they claimed and recorded, and keeps the spread in
``book/results``. The tests and the figures compare a run with that spread.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .datasets import DEFAULT, chosen_name

DEFAULT_SEED = 2022
SEED = int(os.environ.get("RFOUT_SEED", DEFAULT_SEED))
"""The seed of every chapter: the environment variable RFOUT_SEED, or 2022."""

CLAIM = "application/vnd.rfout.claim+json"
CURVES = "application/vnd.rfout.curves+json"
GLUE = "application/papermill.record/"
RESULTS = Path(__file__).parents[1] / "book" / "results"


def claim(
    statement: str,
    value: float,
    *,
    above: float | None = None,
    below: float | None = None,
    equal: float | None = None,
) -> None:
    """Compare a measured value with what a chapter says of it, and print the result.

    Parameters
    ----------
    statement
        What the chapter says, as a whole sentence with its full stop. ``{}`` stands for each
        bound, in the order above, below, equal; a format such as ``{:.0%}`` is allowed.
    value
        The measured quantity. NaN fails every claim.
    above, below, equal
        Bounds, at least one: the value must be greater than `above`, less than `below`, and equal
        to `equal`.

    Raises
    ------
    AssertionError
        If the claim fails while the book is built or tested (RFOUT_STRICT is set) on the data set
        and the seed that the book is written for. A reader who changed something gets a sentence.
    ValueError
        If the statement does not quote its bounds, or does not end with a full stop.

    Examples
    --------
    >>> claim("Backdoor accuracy ends above {}.", 0.97, above=0.9)
    Holds: Backdoor accuracy ends above 0.9. (0.97)
    >>> claim("Backdoor accuracy ends below {:.0%}.", 0.012, below=0.05)
    Holds: Backdoor accuracy ends below 5%. (0.012)
    """
    bounds = [bound for bound in (above, below, equal) if bound is not None]
    text = statement.format(*bounds)
    if not bounds or text == statement or not text.endswith("."):
        raise ValueError(
            f"a claim is a sentence that quotes its bounds as {{}}, not {statement!r} with {bounds}"
        )
    value = float(value)
    holds = (
        (above is None or value > above)
        and (below is None or value < below)
        and (equal is None or value == equal)
    )
    where = "in this run" if chosen_name() == DEFAULT else f"on {chosen_name()}"
    said = f"{'Holds' if holds else f'Does not hold {where}'}: {text} ({value:.3g})"
    if not holds and os.environ.get("RFOUT_STRICT") and _is_the_book():
        raise AssertionError(said)
    _show(said, CLAIM, {"statement": text, "value": value, "holds": holds})


def _is_the_book() -> bool:
    return chosen_name() == DEFAULT and SEED == DEFAULT_SEED


def _shell() -> Any:
    """Return IPython's shell; None where the code runs in no notebook."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _show(text: str, kind: str, content: Any) -> None:
    """Display the content under its type with the text for readers; print outside a notebook."""
    if _shell() is None:
        print(text)
    else:
        _shell().display_pub.publish({"text/plain": text, kind: content})


def record(**values: float | str) -> None:
    """Keep measured values under their names, for the prose of the chapter to quote.

    Parameters
    ----------
    **values
        Name to a number or a text. Written ``{glue:text}`name:.3f```, it stands in the prose.

    Notes
    -----
    The output is the one of `myst_nb.glue`, which takes two seconds to import.

    Examples
    --------
    >>> record(main_task_accuracy=0.973, adversary="client 0")
    """
    for name, value in values.items():
        plain = value if isinstance(value, str) else float(value)
        about = {"scrapbook": {"name": name, "mime_prefix": GLUE}}
        if _shell() is not None:
            _shell().display_pub.publish({f"{GLUE}text/plain": repr(plain)}, about)


def over_seeds(name: str, curves: Mapping[str, "pd.DataFrame | pd.Series[Any]"]) -> pd.DataFrame:
    """Look up how far the curves of a figure spread over the committed seeds.

    Parameters
    ----------
    name
        Of the figure.
    curves
        Name of a curve to its values: a history with a column ``round``, or a series over its
        index. `tools/replicate.py` collects these from each run.

    Returns
    -------
    pandas.DataFrame
        Columns curve, x, quantity, lowest, median, highest, n_seeds; no rows of a figure whose
        spread was never committed, nor of a curve over other rounds than the committed ones.

    Examples
    --------
    >>> list(over_seeds("no such figure", {}).columns)
    ['curve', 'x', 'quantity', 'lowest', 'median', 'highest', 'n_seeds']
    """
    if os.environ.get("RFOUT_REPLICATE"):
        content = {"figure": name, "rows": _rows(curves)}
        _show(f"curves of {name}", CURVES, json.loads(json.dumps(content)))
    columns = ["curve", "x", "quantity", "lowest", "median", "highest", "n_seeds"]
    path = RESULTS / "replication-curves.csv"
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    table = pd.read_csv(path)
    table = table.loc[table["figure"] == name, columns]
    given = pd.DataFrame(_rows(curves), columns=["curve", "x", "quantity", "value"])
    places = given.groupby("curve")["x"].agg(set)
    changed = [
        curve
        for curve, own in table.groupby("curve")["x"].agg(set).items()
        if own != places.get(curve, own)
    ]
    return table[~table["curve"].isin(changed)].reset_index(drop=True)


def _rows(curves: Mapping[str, "pd.DataFrame | pd.Series[Any]"]) -> list[list[Any]]:
    """Rows of curve, x, quantity, value, without what is not a number."""
    rows: list[list[Any]] = []
    for curve, values in curves.items():
        table = values.to_frame("value") if isinstance(values, pd.Series) else values
        if "round" in table:
            table = table.set_index("round")
        for quantity, column in table.select_dtypes(np.number).items():
            rows += [
                [curve, float(x), str(quantity), float(value)]
                for x, value in zip(table.index, column, strict=True)
                if np.isfinite(value)
            ]
    return rows


def shared() -> Path | None:
    """Give the folder for the rounds that several chapters have in common, if there is one.

    Returns
    -------
    pathlib.Path or None
        For `checkpoint` of `Federation.run`: the folder that the environment variable RFOUT_ROUNDS
        names, as the book's build sets it; None without, and every chapter runs its own rounds.

    Examples
    --------
    >>> shared() is None or shared().is_dir()
    True
    """
    named = os.environ.get("RFOUT_ROUNDS")
    if not named:
        return None
    Path(named).mkdir(parents=True, exist_ok=True)
    return Path(named)
