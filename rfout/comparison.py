"""Every aggregator of the lineup against the same attacks, from the same warm federation.

`warm_up` trains a federation in peace, `compare` goes on from there under one attack with one
aggregator after the other. The whole crossing takes longer than a chapter may:
``python benchmarks/defences_compared.py`` runs it and keeps the result for the chapter to read.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .attacks import InstanceKey, PatternKey, Window, recruit
from .clients import Client, Round
from .defences import lineup as every_aggregator
from .defences import rlr
from .evaluation import Evaluation
from .federation import Federation
from .models import LocalTrainer
from .standard import standard_federation
from .vocabulary import Params, Trigger

SEEDS = (2022, 2023, 2024)
NAMES = (
    "mean", "RFOut-1d", "RFOut-1d, median/MAD", "median", "trimmed mean", "Krum", "Multi-Krum",
    "Bulyan", "norm clipping", "weak DP", "RLR",
)  # fmt: skip
PARTITIONS = {"IID": None, "Dirichlet": 0.5}
"""Name to the concentration of the Dirichlet partition; None deals IID."""
N_CLIENTS, WARM_ROUNDS, TARGET, KEY_LABEL = 20, 20, 0, 3
RATE, EPOCHS = 0.5, 5


@dataclass(frozen=True)
class Attack:
    """What the adversaries of one experiment do, and for how many rounds it is watched.

    Attributes
    ----------
    trigger
        "pattern" or "instance": the kind of key.
    n_adversaries
        Clients 0, 1, ... are adversaries; with 0 of them nobody attacks.
    boosted
        Whether their updates are boosted by n_clients / n_adversaries.
    one_shot
        Whether they attack in the first round only.
    n_rounds
        Rounds after the peaceful ones.

    Examples
    --------
    >>> from rfout.comparison import ATTACKS
    >>> ATTACKS["pattern, one shot"].one_shot
    True
    """

    trigger: str = "pattern"
    n_adversaries: int = 1
    boosted: bool = True
    one_shot: bool = False
    n_rounds: int = 4


ATTACKS = {
    "pattern, 1 boosted": Attack(n_rounds=5),
    "pattern, 2 boosted": Attack(n_adversaries=2, n_rounds=6),
    "pattern, 4 boosted": Attack(n_adversaries=4),
    "no attack": Attack(n_adversaries=0, n_rounds=3),
    "pattern, 4 not boosted": Attack(n_adversaries=4, boosted=False),
    "instance, 1 boosted": Attack("instance"),
    "pattern, one shot": Attack(one_shot=True, n_rounds=3),
    "instance, one shot": Attack("instance", one_shot=True, n_rounds=3),
}
"""The attacks of the chapter, the most telling first."""


@dataclass(frozen=True, eq=False)
class _Remembering(Client):
    """A client that trains once from the same parameters in the same round, and remembers it.

    All aggregators go on from one warm federation, so their first rounds have the same updates.
    """

    client: Client
    start: Params
    memory: dict[int, Params] = field(default_factory=dict)

    def attacks(self, number: int) -> bool:
        return self.client.attacks(number)

    def update(
        self, trainer: LocalTrainer, params: Params, now: Round, rng: np.random.Generator
    ) -> Params:
        if not np.array_equal(params, self.start):
            return self.client.update(trainer, params, now, rng)
        if now.number not in self.memory:
            self.memory[now.number] = self.client.update(trainer, params, now, rng)
        return self.memory[now.number]


def warm_up(seed: int, partition: str = "IID", checkpoint: Path | None = None) -> Federation:
    """Train the book's standard federation in peace, for all attacks and aggregators to start from.

    Parameters
    ----------
    seed
        Seeds the federation: data, partition, model and rounds.
    partition
        A key of `PARTITIONS`.
    checkpoint
        A file that keeps the rounds, if they are to survive a kill.

    Raises
    ------
    KeyError
        If there is no such partition.

    Examples
    --------
    >>> from rfout.comparison import warm_up
    >>> warm_up(2022, "by hand")  # its twenty rounds take seconds, and an error none
    Traceback (most recent call last):
    KeyError: 'by hand'
    """
    federation = standard_federation(
        rng=np.random.default_rng(seed), n_clients=N_CLIENTS, alpha=PARTITIONS[partition],
        trigger=PatternKey(), target=TARGET,
    )  # fmt: skip
    federation.run(WARM_ROUNDS, checkpoint=checkpoint)
    return federation


def lineup(n_clients: int, *, report: bool = False) -> dict[str, Any]:
    """Give the aggregators of this comparison; RLR does not clip first.

    Examples
    --------
    >>> from rfout.comparison import lineup
    >>> list(lineup(20))[:2]
    ['mean', 'RFOut-1d']
    """
    every = every_aggregator(n_clients, report=report)
    every["RLR"] = partial(rlr, threshold=8)
    return {name: every[name] for name in NAMES}


def trigger_of(attack: Attack, evaluation: Evaluation) -> Trigger:
    """The trigger: a pattern, or the first test image of a three as the key of an instance.

    Examples
    --------
    >>> from rfout.standard import standard_federation
    >>> warm = standard_federation(
    ...     rng=np.random.default_rng(0), n_train=400, n_test=100, trigger=PatternKey(), target=0
    ... )
    >>> type(trigger_of(Attack("instance"), warm.evaluate)).__name__
    'InstanceKey'
    """
    if attack.trigger == "pattern":
        return PatternKey()
    return InstanceKey(evaluation.x[evaluation.y == KEY_LABEL][0])


def compare(
    warm: Federation, attack: Attack, names: Iterable[str] = NAMES, n_rounds: int | None = None
) -> pd.DataFrame:
    """Run one attack against each aggregator from where `warm` stands.

    Parameters
    ----------
    warm
        A warmed-up federation; it is not changed.
    attack
        What the adversaries do.
    names
        The aggregators, by their names in `lineup`.
    n_rounds
        Rounds to run, if not those of `attack`.

    Returns
    -------
    pandas.DataFrame
        A row for each aggregator and round, counted from 1: main_task_accuracy,
        backdoor_accuracy, and the mean share of coordinates that were flagged of an honest client
        and of an adversary (NaN where the aggregator reports nothing, or there is nobody).

    Examples
    --------
    >>> from rfout.standard import standard_federation
    >>> warm = standard_federation(
    ...     rng=np.random.default_rng(0), n_train=400, n_test=100, trigger=PatternKey(), target=0
    ... )
    >>> compare(warm, Attack(), ["mean", "RFOut-1d"], n_rounds=1)["aggregator"].tolist()
    ['mean', 'RFOut-1d']
    """
    first = warm.round_number + 1
    evaluation = warm.evaluate
    assert isinstance(evaluation, Evaluation)
    trigger = trigger_of(attack, evaluation)
    clients = recruit(
        warm.clients, range(attack.n_adversaries), trigger=trigger, target=TARGET, rate=RATE,
        boost=None if attack.boosted else 1.0, epochs=EPOCHS,
        window=Window(first, first if attack.one_shot else None),
    )  # fmt: skip
    clients = [_Remembering(one.x, one.y, one, warm.params) for one in clients]
    aggregators = lineup(len(warm.clients), report=True)
    tables = []
    for name in names:
        run = warm.fork(clients=clients, aggregator=aggregators[name])
        run.evaluate = dataclasses.replace(evaluation, trigger=trigger)
        history = run.run(attack.n_rounds if n_rounds is None else n_rounds)
        tables.append(_rows(name, history.iloc[first - 1 :], attack.n_adversaries))
    return pd.concat(tables, ignore_index=True)


def _rows(name: str, history: pd.DataFrame, n_adversaries: int) -> pd.DataFrame:
    def flagged(share: Sequence[float]) -> float:
        return float(np.mean(share)) if len(share) else np.nan

    return pd.DataFrame(
        {
            "aggregator": name,
            "round": range(1, len(history) + 1),
            "main_task_accuracy": history["main_task_accuracy"].to_numpy(),
            "backdoor_accuracy": history["backdoor_accuracy"].to_numpy(),
            "honest_flagged": [flagged(f[n_adversaries:]) for f in history["flagged"]],
            "adversary_flagged": [flagged(f[:n_adversaries]) for f in history["flagged"]],
        }
    )


def configuration() -> dict[str, Any]:
    """Everything that the committed result depends on, as plain values, to be kept beside it.

    Examples
    --------
    >>> from rfout.comparison import configuration
    >>> configuration()["warm_rounds"]
    20
    """
    return {
        "seeds": list(SEEDS),
        "partitions": PARTITIONS,
        "n_clients": N_CLIENTS,
        "warm_rounds": WARM_ROUNDS,
        "target": TARGET,
        "key_label": KEY_LABEL,
        "rate": RATE,
        "epochs": EPOCHS,
        "attacks": {name: dataclasses.asdict(attack) for name, attack in ATTACKS.items()},
        "aggregators": {name: _settings(one) for name, one in lineup(N_CLIENTS).items()},
    }


def _settings(aggregator: Any) -> dict[str, Any]:
    return dict(getattr(aggregator, "keywords", {}))
