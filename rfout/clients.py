"""The roles in a federation: who trains honestly, and who does not.

A role is a class with one method, `update`. The round asks every client for its update and never
asks what it is.

Chapter: backdoor-attacks.
"""

import os
from collections.abc import Callable, Collection, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .attacks import Images, Labels, Trigger, Window, poison, replace_model
from .models import LocalTrainer, Params

Sent = dict[Hashable, Params]
"""What honest clients sent, by the place they trained from."""


@dataclass(frozen=True)
class Round:
    """What a client may know of the round it is in: its number (from 1), and who takes part."""

    number: int
    sampled: tuple[int, ...]
    adversaries: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Client:
    """An honest client and its (n, height, width, channels) images and (n,) labels.

    Chapter: federated-learning.
    """

    x: Images
    y: Labels

    def attacks(self, number: int) -> bool:
        """Whether this client is an adversary in round `number`."""
        return False

    def update(
        self, trainer: LocalTrainer, params: Params, now: Round, epochs: int,
        rng: np.random.Generator,
    ) -> Params:  # fmt: skip
        """Train from the global `params`; give the (n_params,) difference."""
        return trainer.train(params, self.x, self.y, epochs=epochs, rng=rng) - params


@dataclass(frozen=True, eq=False)
class Adversary(Client):
    """A client that plants a backdoor by model replacement, inside its window.

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
    window
        The rounds in which it attacks. Outside them it is an honest client.

    Notes
    -----
    Bagdasaryan et al. (2020), arXiv 1807.00459. Chapter: backdoor-attacks.
    """

    _: KW_ONLY
    trigger: Trigger
    target: int = 0
    rate: float = 0.5
    boost: float | None = None
    epochs: int | None = None
    window: Window = field(default_factory=Window)

    def attacks(self, number: int) -> bool:
        """Whether this client is an adversary in round `number`."""
        return number in self.window

    def update(
        self, trainer: LocalTrainer, params: Params, now: Round, epochs: int,
        rng: np.random.Generator,
    ) -> Params:  # fmt: skip
        """Train on poisoned samples and boost; an honest update outside the window."""
        if not self.attacks(now.number):
            return super().update(trainer, params, now, epochs, rng)
        x, y = poison(self.x, self.y, self.trigger, self.target, self.rate, rng=rng)
        own_epochs = epochs if self.epochs is None else self.epochs
        trained = trainer.train(params, x, y, epochs=own_epochs, rng=rng)
        n_over_k = len(now.sampled) / len(now.adversaries)
        return replace_model(trained - params, n_over_k if self.boost is None else self.boost)


def recruit(clients: Sequence[Client], chosen: Collection[int], **attack: Any) -> list[Client]:
    """Turn the `chosen` clients into adversaries that keep their own samples.

    Parameters
    ----------
    clients
        The honest federation; it is not changed.
    chosen
        Numbers of the clients to recruit.
    **attack
        What `Adversary` takes: trigger, target, rate, boost, epochs, window.

    Raises
    ------
    ValueError
        If a chosen client does not exist.

    Notes
    -----
    Chapter: backdoor-attacks.
    """
    for number in chosen:
        if not 0 <= number < len(clients):
            raise ValueError(f"there is no client {number} among {len(clients)}")
    return [
        Adversary(client.x, client.y, **attack) if number in chosen else client
        for number, client in enumerate(clients)
    ]


def collect(
    clients: Sequence[Client], trainer: LocalTrainer, params: Params, now: Round, epochs: int, *,
    rng: Callable[[int], np.random.Generator], sent: Sent,
) -> NDArray[np.float32]:  # fmt: skip
    """Ask the sampled clients for their updates, one core each.

    Parameters
    ----------
    clients
        By position; those in ``now.sampled`` are asked.
    trainer, params, now, epochs
        What `Client.update` takes.
    rng
        Gives a client's generator, from its number.
    sent
        Updates of honest clients that are known already, and where new ones are kept: forks of one
        federation meet the same honest clients in their first round.

    Returns
    -------
    numpy.ndarray
        (n_sampled, n_params) float32, in the order of ``now.sampled``.
    """
    updates = np.empty((len(now.sampled), trainer.n_params), dtype=np.float32)
    place = (trainer, epochs, params.tobytes())

    def ask(row: int) -> None:
        client, draws = clients[now.sampled[row]], rng(now.sampled[row])
        key = (*place, client, repr(draws.bit_generator.state))
        if key in sent:
            updates[row] = sent[key]
            return
        updates[row] = client.update(trainer, params, now, epochs, draws)
        if type(client) is Client:  # who has no attack answers from the place alone
            sent[key] = updates[row].copy()

    # Each update follows from a generator of its own, so the order of work changes nothing.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(ask, range(len(updates))))
    return updates
