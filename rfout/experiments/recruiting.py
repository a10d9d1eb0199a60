"""From the description of an attack to a federation with its adversaries in it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..attacks import (
    EdgeCases,
    InsideBall,
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
from ..defences import lineup
from ..evaluation import Evaluation
from ..federation import Federation
from ..limits import hidden_reach
from ..vocabulary import Trigger
from .description import Attack
from .edge import TailEvaluation


def triggers(attack: Attack, evaluation: Evaluation) -> tuple[Trigger, Trigger]:
    """Make an attack's trigger: the one to train on, and the one to measure with.

    They differ for edge cases alone, whose adversaries never see the images they are judged by.

    Raises
    ------
    ValueError
        If no trigger has this name, or no test image is of the class of the key.

    Examples
    --------
    >>> from rfout.standard import standard_federation
    >>> federation = standard_federation(rng=np.random.default_rng(0), n_train=200, n_test=50)
    >>> trained_on, measured_with = triggers(Attack("a cross"), federation.evaluate)
    >>> trained_on == measured_with
    True
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

    Examples
    --------
    >>> x, y = np.zeros((20, 28, 28, 1), np.float32), np.arange(20) % 10
    >>> clients = [Client(x, y) for _ in range(12)]
    >>> made = recruits(Attack("boosted"), clients, [3], PatternKey())
    >>> [client.attacks(1) for client in made[2:5]]
    [False, True, False]
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
    if attack.kind == "inside ball":
        return collude(clients, chosen, InsideBall, z=z, trigger=trigger, **plant)
    if attack.kind == "little is enough":
        return collude(clients, chosen, LittleIsEnough, z=z)
    raise ValueError(f"no attack is of the kind {attack.kind!r}")


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

    Examples
    --------
    >>> from rfout.standard import standard_federation
    >>> warm = standard_federation(rng=np.random.default_rng(0), n_train=400, n_test=50)
    >>> federation = under_attack(warm, Attack("boosted", n_adversaries=2), "RFOut-1d", seed=0)
    >>> sum(client.attacks(1) for client in federation.clients)
    2
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
    federation.evaluate = replace(
        evaluation, trigger=measured_with, target=attack.target, by_class=True
    )
    return federation
