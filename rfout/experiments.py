"""The long experiments: what a run is, which runs make a suite, and how one is run.

The peaceful rounds of a seed and a partition are run once, for all attacks and aggregators.
`rfout.results` keeps what comes out.

Chapter: full-scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .attacks import InstanceKey, PatternKey, Trigger, Window
from .checkpoints import fingerprint
from .clients import recruit
from .datasets import cache_dir
from .evaluation import Evaluation
from .federation import Federation
from .lineup import NAMES, lineup
from .standard import standard_federation

TARGET = 0


@dataclass(frozen=True)
class Run:
    """One experiment, whole: two runs that are equal give the same numbers.

    Attributes
    ----------
    dataset, n_train, n_test
        As for `rfout.datasets.load`; None takes all images.
    alpha
        Concentration of the Dirichlet partition; None deals IID.
    n_clients, clients_per_round
        Size of the federation, and of a round.
    warm_up, attacked
        Peaceful rounds under the mean, then rounds under `defence` with the attack.
    trigger, one_shot, boost, rate, adversary_epochs
        The attack: "pattern" or "instance"; in the first attacked round only, or in every one;
        factor on the update (None is n/k); share of poisoned samples; local epochs.
    n_adversaries
        Clients 0 to n_adversaries - 1, who take part in every attacked round.
    defence
        A name of `rfout.lineup.NAMES`.
    seed
        Of everything.
    """

    suite: str
    defence: str
    seed: int
    alpha: float | None = None
    n_adversaries: int = 1
    trigger: str = "pattern"
    one_shot: bool = False
    boost: float | None = None
    rate: float = 0.5
    adversary_epochs: int = 5
    dataset: str = "digits"
    n_train: int | None = 4000
    n_test: int | None = 1000
    n_clients: int = 20
    clients_per_round: int = 20
    warm_up: int = 20
    attacked: int = 10
    learning_rate: float = 0.2
    batch_size: int = 20

    @property
    def partition(self) -> str:
        """The partition in words."""
        return "IID" if self.alpha is None else f"Dirichlet {self.alpha:g}"

    @property
    def attack(self) -> str:
        """The attack in words, without the number of adversaries."""
        when = "one shot" if self.one_shot else "every round"
        boost = {None: "boosted n/k", 1.0: "not boosted"}.get(self.boost, f"boosted {self.boost}")
        return f"{self.trigger} key, {when}, {boost}"

    def file(self, results: Path) -> Path:
        """Where the result is kept."""
        words = f"{self.partition} {self.attack} k={self.n_adversaries} {self.defence} {self.seed}"
        slug = "".join(c if c.isalnum() or c in "=." else "-" for c in words.lower())
        while "--" in slug:
            slug = slug.replace("--", "-")
        return results / self.suite / f"{slug}.csv"


def _grid(suite: str, seeds: int, alphas: Sequence[float | None], **settings: Any) -> list[Run]:
    """Cross defences, adversaries and partitions, the two ends of the lineup first."""
    first = ("mean", "RFOut-1d", "RFOut-1d, median/MAD")
    others = tuple(name for name in NAMES if name not in first)
    return [
        Run(suite, defence, seed, alpha=alpha, n_adversaries=k, **settings)
        for seed in range(seeds)
        for defences, ks in ((first, (1, 4, 0)), (others, (1, 4)))
        for k in ks
        for alpha in alphas
        for defence in defences
    ]


def suites() -> dict[str, list[Run]]:
    """Name to runs, in the order in which they are run. Chapter: full-scale."""
    large: dict[str, Any] = {
        "n_train": None, "n_test": None, "n_clients": 100, "clients_per_round": 30,
        "warm_up": 40, "attacked": 10, "batch_size": 60, "adversary_epochs": 2,
    }  # fmt: skip
    small: dict[str, Any] = {
        "n_train": 1200, "n_test": 500, "n_clients": 24, "clients_per_round": 20,
        "warm_up": 3, "attacked": 2,
    }  # fmt: skip
    short = [run for run in _grid("short", 1, [None], **small) if run.n_adversaries == 1]
    names = ("fashion-mnist", "emnist-digits", "cifar10")
    return {"short": short} | {
        name: _grid(name, 3, [None, 0.5], dataset=name, **large) for name in names
    }


@lru_cache(maxsize=1)
def _warm(peace: Run, scratch: Path) -> Federation:
    """Run the peaceful rounds of `peace`; interrupted, they go on from their checkpoint."""
    federation = standard_federation(
        rng=np.random.default_rng(peace.seed), n_clients=peace.n_clients, alpha=peace.alpha,
        dataset=peace.dataset, n_train=peace.n_train, n_test=peace.n_test,
        learning_rate=peace.learning_rate, batch_size=peace.batch_size,
        clients_per_round=peace.clients_per_round,
    )  # fmt: skip
    federation.run(peace.warm_up, checkpoint=scratch / f"{fingerprint(peace)[:16]}.npz")
    return federation


def _attack(run: Run, warm: Federation) -> Federation:
    """Recruit the adversaries, and put the defence in place."""
    x, y = warm.evaluate.x, warm.evaluate.y  # type: ignore[attr-defined]
    triggers: dict[str, Trigger] = {
        "pattern": PatternKey(), "instance": InstanceKey(x[int(np.argmax(y != TARGET))])
    }  # fmt: skip
    trigger, first = triggers[run.trigger], run.warm_up + 1
    # Who holds the target's label alone has nothing to poison.
    able = [c for c, own in enumerate(warm.clients) if np.mean(own.y != TARGET) >= run.rate]
    chosen = able[: run.n_adversaries]
    clients = recruit(
        warm.clients, chosen, trigger=trigger, target=TARGET, rate=run.rate, boost=run.boost,
        epochs=run.adversary_epochs, window=Window(first, first if run.one_shot else None),
    )  # fmt: skip
    aggregator = lineup(run.clients_per_round, report=True)[run.defence]
    attacked = warm.fork(clients=clients, aggregator=aggregator, always=chosen)
    attacked.evaluate = Evaluation(x, y, trigger, TARGET)
    return attacked


def execute(run: Run, *, scratch: Path | None = None) -> pd.DataFrame:
    """Run one experiment.

    Parameters
    ----------
    run
        What to run.
    scratch
        Where checkpoints go, so that a run that was killed goes on; None is a folder in the
        user's cache.

    Returns
    -------
    pandas.DataFrame
        A row a round, from round 1: round, main_task_accuracy, backdoor_accuracy (empty before
        the attack), honest_flagged and adversary_flagged (mean share of flagged coordinates;
        empty where the aggregator gives no report).

    Notes
    -----
    Chapter: full-scale.
    """
    scratch = cache_dir() / "experiments" if scratch is None else scratch
    peace = replace(
        run, suite="", defence="mean", n_adversaries=0, trigger="pattern", one_shot=False,
        boost=None, rate=0.0, adversary_epochs=0, attacked=0,
    )  # fmt: skip
    attacked = _attack(run, _warm(peace, scratch))
    checkpoint = scratch / f"{fingerprint(run)[:16]}.npz"
    history = attacked.run(run.attacked, checkpoint=checkpoint)
    checkpoint.unlink()
    who = zip(history.flagged, history.sampled, history.adversaries, strict=True)
    shares = pd.DataFrame([_shares(*of_round) for of_round in who])
    columns = ["round", "main_task_accuracy", "backdoor_accuracy"]
    return pd.concat([history[columns], shares], axis=1)


def _shares(
    flagged: Sequence[float], sampled: Sequence[int], adversaries: Sequence[int]
) -> dict[str, float]:
    """Mean flagged share of the honest clients and of the adversaries of a round."""
    who = np.isin(sampled, adversaries)
    share = np.array(flagged if len(flagged) else [np.nan] * len(sampled))
    return {
        "honest_flagged": float(share[~who].mean()),
        "adversary_flagged": float(share[who].mean()) if who.any() else np.nan,
    }
