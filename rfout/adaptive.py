"""Adversaries that know the rule: they stay inside the band that it keeps.

Colluders cannot see what honest clients send. They reckon it from the samples that they hold
themselves (`rfout.collusion`).

Two attacks that know the rule need no role of their own. Slow poisoning is an `Adversary` with
``boost=1`` who comes every round, and a distributed trigger is an `Adversary` whose trigger is a
part of the pattern: `distribute` deals them out.

Chapter: adaptive-attacks.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

from .attacks import PatternKey, Window, poison, replace_model
from .clients import Adversary, Client, Round, recruit
from .collusion import Collusion, into_band, largest_boost
from .models import LocalTrainer, Params
from .triggers import split_pattern


@dataclass(frozen=True, eq=False)
class LittleIsEnough(Client):
    """Sends what an unlucky honest client could: the mean, minus z standard deviations everywhere.

    It plants no backdoor. It holds training back, and hides in the spread of the honest.

    Attributes
    ----------
    collusion
        Where the estimate comes from; shared, so that all colluders send the same.
    z
        How many standard deviations. `unlucky_z` is the one that Baruch et al. derive.
    window
        The rounds in which it attacks.

    Notes
    -----
    Baruch et al. (2019), arXiv 1902.06156. Chapter: adaptive-attacks.
    """

    _: KW_ONLY
    collusion: Collusion
    z: float
    window: Window = field(default_factory=Window)

    def attacks(self, number: int) -> bool:
        """Whether this client is an adversary in round `number`."""
        return number in self.window

    def update(
        self, trainer: LocalTrainer, params: Params, now: Round, epochs: int,
        rng: np.random.Generator,
    ) -> Params:  # fmt: skip
        """Give mean - z std as the colluders reckon them; an honest update outside the window."""
        if not self.attacks(now.number):
            return super().update(trainer, params, now, epochs, rng)
        mean, std = self.collusion.estimate(trainer, params, now, epochs)
        return (mean - np.float32(self.z) * std).astype(np.float32)


@dataclass(frozen=True, eq=False)
class InsideBand(Adversary):
    """Plants a backdoor under a constraint: no coordinate of what is sent leaves the band.

    The colluders look for a backdoored model as near to the honest mean as they can push the
    aggregate together, (k/n) z std on each coordinate: after every epoch they bring what they have
    trained back there. All of them then send the same: mean + (n/k) (model - mean), which lies in
    mean ± z std, and carries the aggregate to the model.

    Attributes
    ----------
    collusion
        The pooled samples that it poisons and trains on, and the estimate of mean and std.
    z
        Half-width of the band, in estimated standard deviations.

    Notes
    -----
    Training under a constraint: Bagdasaryan et al. (2020), arXiv 1807.00459; the band is that of
    Baruch et al. (2019), arXiv 1902.06156. `boost` other than None takes the place of n/k.
    Chapter: adaptive-attacks.
    """

    _: KW_ONLY
    collusion: Collusion
    z: float = 3.0

    def update(
        self, trainer: LocalTrainer, params: Params, now: Round, epochs: int,
        rng: np.random.Generator,
    ) -> Params:  # fmt: skip
        """Give what the colluders send in this round; an honest update outside the window."""
        if not self.attacks(now.number):
            return Client.update(self, trainer, params, now, epochs, rng)
        mean, std = self.collusion.estimate(trainer, params, now, epochs)
        boost = len(now.sampled) / len(now.adversaries) if self.boost is None else self.boost
        reach = np.float32(self.z) * std

        own_epochs = epochs if self.epochs is None else self.epochs

        def backdoored(shared: np.random.Generator) -> Params:
            x, y = self.collusion.x, self.collusion.y
            x, y = poison(x, y, self.trigger, self.target, self.rate, rng=shared)
            update = mean
            for _ in range(own_epochs):
                trained = trainer.train(params + update, x, y, rng=shared)
                update = into_band(trained - params, mean, reach / np.float32(boost))
            return update

        what = (params, mean, reach, boost, own_epochs, self.trigger, self.target, self.rate)
        update = self.collusion.agree("backdoor", now.number, backdoored, *what)
        return into_band(mean + replace_model(update - mean, boost), mean, reach)


@dataclass(frozen=True, eq=False)
class SmallColluder(Adversary):
    """Boosts as far as the band allows and no further: the direction stays, the length is hidden.

    Attributes
    ----------
    collusion
        Where the colluders' estimate of the honest mean and standard deviation comes from.
    z
        Half-width of the band, in estimated standard deviations.
    outside
        Share of the coordinates on which it puts up with being flagged.

    Notes
    -----
    Each trains on its own samples. `boost` is the most that it boosts; None is n_clients /
    n_adversaries. Chapter: adaptive-attacks.
    """

    _: KW_ONLY
    collusion: Collusion
    z: float = 3.0
    outside: float = 0.1

    def update(
        self, trainer: LocalTrainer, params: Params, now: Round, epochs: int,
        rng: np.random.Generator,
    ) -> Params:  # fmt: skip
        """Train on poisoned samples and boost within the band; honest outside the window."""
        if not self.attacks(now.number):
            return Client.update(self, trainer, params, now, epochs, rng)
        mean, std = self.collusion.estimate(trainer, params, now, epochs)
        x, y = poison(self.x, self.y, self.trigger, self.target, self.rate, rng=rng)
        own_epochs = epochs if self.epochs is None else self.epochs
        update = trainer.train(params, x, y, epochs=own_epochs, rng=rng) - params
        most = len(now.sampled) / len(now.adversaries) if self.boost is None else self.boost
        reach = np.float32(self.z) * std
        room = largest_boost(update, mean, reach, outside=self.outside)
        return replace_model(update, min(most, room))


def collude(
    clients: Sequence[Client], chosen: Collection[int], role: Callable[..., Client], *,
    n_probes: int = 6, seed: int = 0, **attack: Any,
) -> list[Client]:  # fmt: skip
    """Turn the `chosen` clients into colluders of one role, who pool their samples.

    Parameters
    ----------
    clients
        The honest federation; it is not changed.
    chosen
        Numbers of the clients, at least one.
    role
        `LittleIsEnough`, `InsideBand` or `SmallColluder`.
    n_probes, seed
        Of their `Collusion`.
    **attack
        What the role takes beside.

    Raises
    ------
    ValueError
        If nobody is chosen, or a chosen client does not exist.

    Notes
    -----
    Chapter: adaptive-attacks.
    """
    members = [clients[number] for number in _existing(clients, chosen)]
    x = np.concatenate([member.x for member in members])
    y = np.concatenate([member.y for member in members])
    collusion = Collusion(x, y, round(len(y) / len(members)), n_probes, seed)
    return [
        role(client.x, client.y, collusion=collusion, **attack) if number in chosen else client
        for number, client in enumerate(clients)
    ]


def distribute(
    clients: Sequence[Client], chosen: Collection[int], pattern: PatternKey, **attack: Any
) -> list[Client]:
    """Deal the parts of one trigger out to the `chosen` clients: a distributed backdoor.

    Parameters
    ----------
    clients
        The honest federation; it is not changed.
    chosen
        Numbers of the clients, at least one; each gets the next part.
    pattern
        The whole trigger, which the evaluation stamps and no adversary.
    **attack
        What `Adversary` takes beside: target, rate, boost, epochs, window.

    Raises
    ------
    ValueError
        If nobody is chosen, or a chosen client does not exist.

    Notes
    -----
    Xie et al. (2020), DBA. Chapter: adaptive-attacks.
    """
    mixed = list(clients)
    numbers = _existing(clients, chosen)
    for number, part in zip(numbers, split_pattern(pattern, len(numbers)), strict=True):
        mixed = recruit(mixed, {number}, trigger=part, **attack)
    return mixed


def _existing(clients: Sequence[Client], chosen: Collection[int]) -> list[int]:
    if not chosen:
        raise ValueError("choose at least one client to collude")
    for number in chosen:
        if not 0 <= number < len(clients):
            raise ValueError(f"there is no client {number} among {len(clients)}")
    return sorted(chosen)
