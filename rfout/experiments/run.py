"""How an experiment is run."""

from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..datasets import cache_dir
from ..federation import Federation
from ..natural import KINDS
from ..operator.inputs import NotFiniteError
from ..standard import natural_federation, standard_federation
from .description import Attack, Run, Setting
from .edge import federation_without_tail
from .outcomes import IN, STOPPED
from .recruiting import under_attack

# Of a model from which a client trains nothing finite, so that the aggregator refuses the updates.
DIVERGED = {"main_task_accuracy": 0.0, "backdoor_accuracy": np.nan}


def warm_up(setting: Setting, seed: int, *, checkpoint: Path | None = None) -> Federation:
    """Train a federation without an attack, for every attack and defence to start from.

    Parameters
    ----------
    setting, seed
        Which federation.
    checkpoint
        As for `Federation.run`.

    Returns
    -------
    :class:`~rfout.federation.Federation`
        After its warm-up rounds.

    Examples
    --------
    >>> small = Setting(n_train=200, n_test=50, n_clients=12, warm_up=1)
    >>> warm_up(small, seed=0).round_number
    1
    """
    make: Callable[..., Federation] = standard_federation
    options: dict[str, Any] = asdict(setting)
    del options["warm_up"]
    if setting.dataset in KINDS:
        make = natural_federation
        for name in ("n_train", "n_test", "alpha"):
            del options[name]
    if options["honest_tail"] is None:
        del options["honest_tail"]
    else:
        make = federation_without_tail
    federation = make(rng=np.random.default_rng(seed), **options)
    federation.run(setting.warm_up, checkpoint=checkpoint)
    return federation


@lru_cache(maxsize=4)
def _warm(setting: Setting, seed: int, scratch: Path) -> Federation:
    scratch.mkdir(parents=True, exist_ok=True)
    return warm_up(setting, seed, checkpoint=scratch)  # a folder: the file is named by the rounds


def execute(run: Run, *, scratch: Path | None = None) -> pd.DataFrame:
    """Run one experiment.

    Parameters
    ----------
    run
        What to run.
    scratch
        Where the warm-up rounds are kept, which many runs share; None is a folder in the user's
        cache.

    Returns
    -------
    pandas.DataFrame
        A row a round: phase ("attack"; then "after", if the attack has that and got in), round
        (counted from the attack's first), and the columns of `measure`. Where a model diverged, the
        last row has a main-task accuracy of 0 and nothing else.

    Examples
    --------
    >>> from rfout.experiments import Attack
    >>> small = Setting(n_train=200, n_test=50, n_clients=12, warm_up=1)
    >>> attack = Attack("boosted", n_rounds=2)
    >>> execute(Run(small, attack, "RFOut-1d", seed=0))["round"].tolist()
    [1, 2]
    """
    scratch = cache_dir() / "experiments" if scratch is None else scratch
    attack, warm = run.attack, _warm(run.setting, run.seed, scratch)
    federation = under_attack(warm, attack, run.defence, run.seed)
    rows: list[dict[str, Any]] = []
    for _ in range(attack.n_rounds):
        about = {"phase": "attack", "round": len(rows) + 1}
        try:
            rows.append(about | measure(federation))
        except NotFiniteError:
            rows.append(about | DIVERGED)
            break
        if _ended(attack, [row["backdoor_accuracy"] for row in rows]):
            break
    federation, last = federation.fork(clients=warm.clients), rows[-1]["backdoor_accuracy"]
    half = last / 2
    for _ in range(attack.after if last > IN else 0):
        rows.append({"phase": "after", "round": len(rows) + 1} | measure(federation))
        if rows[-1]["backdoor_accuracy"] <= half:
            break
    return pd.DataFrame(rows)


def _ended(attack: Attack, backdoor: list[float]) -> bool:
    """Tell whether an attack ends before its last round: it got in, or it gets nowhere."""
    if attack.until is not None and len(backdoor) >= 3 and min(backdoor[-3:]) >= attack.until:
        return True
    n = attack.gives_up
    return n is not None and len(backdoor) >= n and max(backdoor[-n:]) < STOPPED


def measure(federation: Federation) -> dict[str, float]:
    """Run a round of a federation from `under_attack`, and measure what came of it.

    Returns
    -------
    dict
        main_task_accuracy, backdoor_accuracy
            After the round.
        lowest_class_accuracy
            Accuracy on the test images of the class that fares worst.
        shift
            How far the aggregate lands from the honest mean, in lengths of that mean.
        honest_flagged, adversary_flagged
            Mean share of flagged coordinates; NaN where the aggregator gives no report.
        adversary_norm
            Mean norm of the adversaries' updates, in units of the honest clients' median norm.

        What is of adversaries is NaN in a round without an attack.

    Examples
    --------
    >>> from rfout.experiments import Attack
    >>> small = Setting(n_train=200, n_test=50, n_clients=12, warm_up=0)
    >>> federation = under_attack(warm_up(small, 0), Attack("boosted"), "RFOut-1d", seed=0)
    >>> sorted(measure(federation))[:3]
    ['adversary_flagged', 'adversary_norm', 'backdoor_accuracy']
    """
    result = federation.step()
    who = np.isin(result.sampled, result.adversaries)
    flagged = np.array(result.metrics["flagged"] or [np.nan] * len(who))
    honest = result.updates[~who].mean(axis=0, dtype=np.float64)
    norms = np.linalg.norm(result.updates.astype(np.float64), axis=1)
    norms /= np.median(norms[~who])
    accuracies = ("main_task_accuracy", "backdoor_accuracy", "lowest_class_accuracy")
    return {
        **{name: result.metrics[name] for name in accuracies},
        "shift": float(np.linalg.norm(result.aggregate - honest) / np.linalg.norm(honest)),
        "honest_flagged": float(flagged[~who].mean()),
        "adversary_flagged": float(flagged[who].mean()) if who.any() else np.nan,
        "adversary_norm": float(norms[who].mean()) if who.any() else np.nan,
    }
