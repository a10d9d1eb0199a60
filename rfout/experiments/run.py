"""One experiment: its description, and how it is run."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..attacks import (
    EdgeCases,
    InsideBand,
    InstanceKey,
    LittleIsEnough,
    PatternKey,
    SmallColluder,
    collude,
    distribute,
    rarest,
    recruit,
)
from ..clients import Client
from ..datasets import cache_dir
from ..defences import lineup
from ..evaluation import Evaluation
from ..federation import Federation
from ..limits import hidden_reach
from ..natural import KINDS
from ..standard import natural_federation, standard_federation
from ..vocabulary import Trigger
from .edge import TailEvaluation, federation_without_tail


@dataclass(frozen=True)
class Setting:
    """A federation before any attack.

    Attributes
    ----------
    dataset, n_train, n_test
        As for `rfout.datasets.load`; None takes all images. Or "femnist" or "celeba", whose clients
        are people (`rfout.natural`): they bring their own images, all of them.
    n_clients, clients_per_round
        Size of the federation, and of a round; None takes all clients.
    alpha
        Concentration of the Dirichlet partition; None is IID, or no partition where clients are
        people.
    warm_up
        Rounds under the mean before the attack.
    learning_rate, batch_size
        Of local training.
    honest_tail
        None, or the fraction of clients that hold edge cases: see `rfout.experiments.edge`.

    Raises
    ------
    ValueError
        If clients are people, and `alpha` or `honest_tail` asks for a partition.
    """

    dataset: str = "digits"
    n_train: int | None = 4000
    n_test: int | None = 1000
    n_clients: int = 20
    clients_per_round: int | None = None
    alpha: float | None = None
    warm_up: int = 20
    learning_rate: float = 0.2
    batch_size: int = 20
    honest_tail: float | None = None

    def __post_init__(self) -> None:
        if self.dataset in KINDS and (self.alpha, self.honest_tail) != (None, None):
            raise ValueError(
                f"the clients of {self.dataset} are people, and nothing is shared out: alpha and "
                f"honest_tail must be None, not {self.alpha} and {self.honest_tail}"
            )

    @property
    def partition(self) -> str:
        """The partition in words."""
        if self.dataset in KINDS:
            return f"by {KINDS[self.dataset].by}"
        dealt = "IID" if self.alpha is None else f"Dirichlet {self.alpha:g}"
        if self.honest_tail is None:
            return dealt
        return f"{dealt}, {self.honest_tail:.0%} hold edge cases"


@dataclass(frozen=True)
class Attack:
    """What the adversaries of an experiment do, and for how long it is observed.

    Attributes
    ----------
    name
        Of the attack, in tables and figures.
    kind
        "replacement", "distributed", "small colluders", "inside band" or "little is enough".
    trigger
        "pattern", "instance" (a test image of the class `key`), "rare instance" (the rarest test
        image of a seven) or "edge cases" (sevens that honest clients lack; for a setting with
        `honest_tail`).
    key
        Class of the image that is an instance key: the first test image of it.
    target
        The label that the adversaries want.
    n_adversaries
        How many there are; 0 is no attack.
    chosen
        "random" draws them by the seed of the run; "first" takes those with the lowest numbers.
    boost
        Factor on the update; None is n_clients / n_adversaries, 1 is no boost.
    rate, epochs
        Share of poisoned samples, and local epochs of the adversaries.
    reach
        For the kinds that hide: how far they go, in the honest standard deviations that they
        estimate. None is 0.8 of the detection threshold (`rfout.limits.hidden_reach`).
    n_rounds
        How many rounds are attacked: 1 is a single shot.
    until
        The attack ends early once backdoor accuracy was this high in three rounds in a row; None
        runs all rounds.
    after
        How many rounds without an attack are observed at most: until backdoor accuracy is half of
        what it was at the end of the attack.
    """

    name: str
    kind: str = "replacement"
    trigger: str = "pattern"
    key: int = 3
    target: int = 0
    n_adversaries: int = 1
    chosen: str = "random"
    boost: float | None = None
    rate: float = 0.5
    epochs: int = 5
    reach: float | None = None
    n_rounds: int = 10
    until: float | None = None
    after: int = 0


@dataclass(frozen=True)
class Run:
    """One experiment: two runs that are equal give the same numbers on one machine.

    Attributes
    ----------
    setting, attack
        What is attacked, and how.
    defence
        A name of `rfout.defences.lineup`.
    seed
        Of everything.
    """

    setting: Setting
    attack: Attack
    defence: str
    seed: int


def triggers(attack: Attack, evaluation: Evaluation) -> tuple[Trigger, Trigger]:
    """Make an attack's trigger: the one to train on, and the one to measure with.

    They differ for edge cases alone, whose adversaries never see the images they are judged by.

    Raises
    ------
    ValueError
        If no trigger has this name, or no test image is of the class of the key.
    """
    x, y, name = evaluation.x, evaluation.y, attack.trigger
    if name == "pattern":
        return (PatternKey(),) * 2
    if name == "instance":
        if attack.key not in y:
            raise ValueError(f"no test image is of class {attack.key}, which was to be the key")
        return (InstanceKey(x[y == attack.key][0]),) * 2
    sevens = x[y == 7]
    if name == "rare instance":
        return (InstanceKey(sevens[rarest(sevens, 1)][0]),) * 2
    if name == "edge cases" and isinstance(evaluation, TailEvaluation):
        assert evaluation.tail_train is not None
        assert evaluation.tail_test is not None
        return EdgeCases(evaluation.tail_train), EdgeCases(evaluation.tail_test)
    raise ValueError(f"no trigger is called {name!r}")


def recruits(
    attack: Attack, clients: Sequence[Client], chosen: Sequence[int], trigger: Trigger
) -> list[Client]:
    """Turn the chosen clients into the adversaries of an attack.

    Raises
    ------
    ValueError
        If there is no attack of this kind.
    """
    if not chosen:
        return list(clients)
    plant: dict[str, Any] = {
        "target": attack.target, "rate": attack.rate, "boost": attack.boost,
        "epochs": attack.epochs,
    }  # fmt: skip
    if attack.kind == "replacement":
        return recruit(clients, chosen, trigger=trigger, **plant)
    if attack.kind == "distributed":
        return distribute(clients, chosen, PatternKey(), **plant)
    reach = attack.reach
    z = 0.8 * hidden_reach(len(clients), len(chosen)) if reach is None else reach
    if attack.kind == "small colluders":
        return collude(clients, chosen, SmallColluder, z=z, outside=1 / 3, trigger=trigger, **plant)
    if attack.kind == "inside band":
        return collude(clients, chosen, InsideBand, z=z, trigger=trigger, **plant)
    if attack.kind == "little is enough":
        return collude(clients, chosen, LittleIsEnough, z=z)
    raise ValueError(f"no attack is of the kind {attack.kind!r}")


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


def under_attack(warm: Federation, attack: Attack, defence: str, seed: int) -> Federation:
    """Fork a federation with the adversaries recruited and the defence in place.

    Parameters
    ----------
    warm
        From `warm_up`; it is not changed.
    attack, defence, seed
        As in `Run`.

    Raises
    ------
    ValueError
        If the attack has an unknown kind or trigger, or there are too few clients to poison.
    KeyError
        If no defence has this name.
    """
    evaluation = warm.evaluate
    assert isinstance(evaluation, Evaluation)
    trained_on, measured_with = triggers(attack, evaluation)
    # A client that holds little but the target's label has too few samples to poison.
    able = [i for i, own in enumerate(warm.clients) if np.mean(own.y != attack.target) >= 0.5]
    if len(able) < attack.n_adversaries:
        raise ValueError(f"only {len(able)} clients have samples to poison: take another seed")
    if attack.chosen == "random":
        able = np.random.default_rng([seed, 1]).permutation(able).tolist()
    chosen = sorted(able[: attack.n_adversaries])
    clients = recruits(attack, warm.clients, chosen, trained_on)
    n_sampled = warm.clients_per_round or len(warm.clients)
    federation = warm.fork(
        clients=clients, aggregator=lineup(n_sampled, report=True)[defence], always=chosen
    )
    federation.evaluate = replace(evaluation, trigger=measured_with, target=attack.target)
    return federation


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
        A row a round: phase ("attack", then "after" where the attack has such rounds), round
        (counted from the attack's first), main_task_accuracy, backdoor_accuracy, honest_flagged and
        adversary_flagged (mean share of flagged coordinates; NaN where the aggregator gives no
        report, and adversary_flagged where nobody attacks).

    Examples
    --------
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
        rows.append({"phase": "attack", "round": len(rows) + 1} | measure(federation))
        if attack.until is not None and len(rows) >= 3:
            if min(row["backdoor_accuracy"] for row in rows[-3:]) >= attack.until:
                break
    federation, half = federation.fork(clients=warm.clients), rows[-1]["backdoor_accuracy"] / 2
    for _ in range(attack.after):
        rows.append({"phase": "after", "round": len(rows) + 1} | measure(federation))
        if rows[-1]["backdoor_accuracy"] <= half:
            break
    return pd.DataFrame(rows)


def measure(federation: Federation) -> dict[str, float]:
    """Run a round; give its accuracies and the flagged shares."""
    metrics = federation.step().metrics
    honest, adversary = flagged_shares(
        metrics["flagged"], metrics["sampled"], metrics["adversaries"]
    )
    return {
        "main_task_accuracy": metrics["main_task_accuracy"],
        "backdoor_accuracy": metrics["backdoor_accuracy"],
        "honest_flagged": honest,
        "adversary_flagged": adversary,
    }


def flagged_shares(
    flagged: Sequence[float], sampled: Sequence[int], adversaries: Sequence[int]
) -> tuple[float, float]:
    """Mean flagged share of the honest clients and of the adversaries of a round."""
    who = np.isin(sampled, adversaries)
    share = np.array(flagged if len(flagged) else [np.nan] * len(sampled))
    return float(share[~who].mean()), float(share[who].mean()) if who.any() else np.nan
