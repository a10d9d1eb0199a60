"""Adversaries: clients that attack inside a window, and are honest outside it.

A new attack is a subclass of `Adversary` with one method, `attack`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clients import Client, Round
from ..vocabulary import Params, Trigger
from .poisoning import Window, poison, replace_model
from .triggers import PatternKey, split_pattern

if TYPE_CHECKING:  # it loads TensorFlow
    from ..models import LocalTrainer


@dataclass(frozen=True, eq=False)
class Adversary(Client):
    """A client that sends what `attack` gives inside its window.

    Attributes
    ----------
    window
        The rounds in which it attacks.

    Examples
    --------
    >>> import numpy as np
    >>> class Silent(Adversary):
    ...     def attack(self, trainer, params, now, rng):
    ...         return np.zeros_like(params)
    >>> silent = Silent(np.zeros((4, 8, 8, 1), np.float32), np.arange(4))
    >>> silent.update(None, np.ones(3), Round(1, sampled=(0,), adversaries=(0,)), rng=None)
    array([0., 0., 0.])
    """

    _: KW_ONLY
    window: Window = field(default_factory=Window)

    def attacks(self, number: int) -> bool:
        """Whether this client is an adversary in round `number`."""
        return number in self.window

    def update(
        self, trainer: "LocalTrainer", params: Params, now: Round, rng: np.random.Generator
    ) -> Params:
        """Give the attack's update; an honest update outside the window."""
        if not self.attacks(now.number):
            return super().update(trainer, params, now, rng)
        return self.attack(trainer, params, now, rng)

    def attack(
        self, trainer: "LocalTrainer", params: Params, now: Round, rng: np.random.Generator
    ) -> Params:
        """Give the (n_params,) update that the adversary sends."""
        raise NotImplementedError(f"{type(self).__name__} has no attack")


@dataclass(frozen=True, eq=False)
class Backdoor(Adversary):
    """Plants a backdoor by model replacement.

    Attributes
    ----------
    trigger, target
        What the backdoor answers to, and with which label.
    rate
        Share of its samples that it poisons.
    boost
        Factor on its update; None is n_clients / n_adversaries of the round.
    epochs
        Its own local epochs; None is what the honest clients do.

    Notes
    -----
    Bagdasaryan et al. (2020), arXiv 1807.00459.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.zeros((4, 8, 8, 1), np.float32), np.arange(4)
    >>> adversary = Backdoor(x, y, trigger=PatternKey())
    >>> adversary.factor(Round(1, sampled=tuple(range(20)), adversaries=(0, 1)))
    10.0
    """

    _: KW_ONLY
    trigger: Trigger
    target: int = 0
    rate: float = 0.5
    boost: float | None = None
    epochs: int | None = None

    def local_epochs(self, now: Round) -> int:
        """How many epochs it trains."""
        return now.epochs if self.epochs is None else self.epochs

    def factor(self, now: Round) -> float:
        """By what it multiplies its update."""
        return len(now.sampled) / len(now.adversaries) if self.boost is None else self.boost

    def backdoored(
        self, trainer: "LocalTrainer", params: Params, now: Round, rng: np.random.Generator
    ) -> Params:
        """Train on poisoned samples; give the (n_params,) difference, not boosted."""
        x, y = poison(self.x, self.y, self.trigger, self.target, self.rate, rng=rng)
        return trainer.train(params, x, y, epochs=self.local_epochs(now), rng=rng) - params

    def attack(
        self, trainer: "LocalTrainer", params: Params, now: Round, rng: np.random.Generator
    ) -> Params:
        """Train on poisoned samples and boost the update."""
        return replace_model(self.backdoored(trainer, params, now, rng), self.factor(now))


def recruit(
    clients: Sequence[Client],
    chosen: Collection[int],
    role: Callable[..., Client] = Backdoor,
    **attack: Any,
) -> list[Client]:
    """Turn the `chosen` clients into adversaries that keep their own samples.

    Parameters
    ----------
    clients
        The honest federation; it is not changed.
    chosen
        Numbers of the clients to recruit.
    role
        A subclass of `Adversary`.
    **attack
        What the role takes. A `Backdoor`: trigger, target, rate, boost, epochs, window.

    Raises
    ------
    ValueError
        If a chosen client does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> honest = [Client(np.zeros((4, 8, 8, 1), np.float32), np.arange(4)) for _ in range(3)]
    >>> [type(one).__name__ for one in recruit(honest, {1}, trigger=PatternKey())]
    ['Client', 'Backdoor', 'Client']
    """
    check_exist(clients, chosen)
    return [
        role(client.x, client.y, **attack) if number in chosen else client
        for number, client in enumerate(clients)
    ]


def distribute(
    clients: Sequence[Client], chosen: Collection[int], pattern: PatternKey, **attack: Any
) -> list[Client]:
    """Give each of the `chosen` clients a part of one trigger: a distributed backdoor.

    Parameters
    ----------
    clients
        The honest federation; it is not changed.
    chosen
        Numbers of the clients, at least one; each gets the next part.
    pattern
        The whole trigger. The evaluation stamps it; no adversary does.
    **attack
        What `Backdoor` takes beside: target, rate, boost, epochs, window.

    Raises
    ------
    ValueError
        If nobody is chosen, or a chosen client does not exist.

    Notes
    -----
    Xie et al. (2020), DBA.

    Examples
    --------
    >>> import numpy as np
    >>> honest = [Client(np.zeros((4, 8, 8, 1), np.float32), np.arange(4)) for _ in range(5)]
    >>> mixed = distribute(honest, {0, 2}, PatternKey())
    >>> [one.trigger.part for one in mixed if one.attacks(1)]
    [0, 1]
    """
    if not chosen:
        raise ValueError("choose at least one client to hold a part of the trigger")
    mixed, numbers = list(clients), sorted(chosen)
    for number, part in zip(numbers, split_pattern(pattern, len(numbers)), strict=True):
        mixed = recruit(mixed, {number}, trigger=part, **attack)
    return mixed


def check_exist(clients: Sequence[Client], chosen: Collection[int]) -> None:
    """Raise ValueError where a chosen client does not exist.

    Examples
    --------
    >>> check_exist([], {3})
    Traceback (most recent call last):
    ValueError: there is no client 3 among 0
    """
    for number in chosen:
        if not 0 <= number < len(clients):
            raise ValueError(f"there is no client {number} among {len(clients)}")
