"""The clients of a federation, how a round asks them for their updates, and what it gives.

A role is a class with one method, `update`. The round asks every client for its update and never
asks what it is: `rfout.attacks` has the roles that attack.
"""

import os
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .vocabulary import Images, Labels, Params, Updates

if TYPE_CHECKING:  # it loads TensorFlow
    from .models import LocalTrainer

Sent = dict[Hashable, Params]
"""What honest clients sent, by the place they trained from."""


@dataclass(frozen=True)
class Round:
    """What a client may know of the round it is in.

    Attributes
    ----------
    number
        From 1.
    sampled, adversaries
        Who takes part, and who of them attacks.
    epochs
        Local epochs that the server asks for.

    Examples
    --------
    >>> Round(number=3, sampled=(0, 4, 7), adversaries=(4,)).epochs
    1
    """

    number: int
    sampled: tuple[int, ...]
    adversaries: tuple[int, ...]
    epochs: int = 1


@dataclass(frozen=True)
class RoundResult:
    """One finished round, as `rfout.federation.Federation.rounds` yields it.

    Attributes
    ----------
    number, sampled, adversaries
        The round (from 1), who took part, and who of them attacked.
    updates
        (n_clients, n_params) float32, in the order of `sampled`.
    aggregate
        (n_params,) what was added to the global parameters.
    metrics
        The round's row of the history.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.ones((2, 3), np.float32)
    >>> one = RoundResult(1, (0, 1), (), updates, updates.mean(axis=0), {"round": 1})
    >>> one.aggregate.shape
    (3,)
    """

    number: int
    sampled: tuple[int, ...]
    adversaries: tuple[int, ...]
    updates: Updates
    aggregate: Params
    metrics: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Client:
    """An honest client and its (n, height, width, channels) images and (n,) labels.

    Examples
    --------
    >>> import numpy as np
    >>> Client(np.zeros((4, 8, 8, 1), np.float32), np.arange(4)).attacks(number=1)
    False
    """

    x: Images
    y: Labels

    def attacks(self, number: int) -> bool:
        """Whether this client is an adversary in round `number`."""
        return False

    def update(
        self, trainer: "LocalTrainer", params: Params, now: Round, rng: np.random.Generator
    ) -> Params:
        """Train from the global `params`; give the (n_params,) difference."""
        return trainer.train(params, self.x, self.y, epochs=now.epochs, rng=rng) - params


def collect(
    clients: Sequence[Client],
    trainer: "LocalTrainer",
    params: Params,
    now: Round,
    *,
    rng: Callable[[int], np.random.Generator],
    sent: Sent,
) -> Updates:
    """Ask the sampled clients for their updates, one core each.

    Parameters
    ----------
    clients
        By position; those in ``now.sampled`` are asked.
    trainer, params, now
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

    Examples
    --------
    >>> import numpy as np
    >>> class Trainer:
    ...     n_params = 2
    ...     def train(self, params, x, y, *, epochs, rng):
    ...         return params + len(y)
    >>> clients = [Client(np.zeros((n, 8, 8, 1), np.float32), np.zeros(n)) for n in (3, 5)]
    >>> now = Round(1, sampled=(0, 1), adversaries=())
    >>> collect(clients, Trainer(), np.zeros(2), now, rng=np.random.default_rng, sent={})
    array([[3., 3.],
           [5., 5.]], dtype=float32)
    """
    updates = np.empty((len(now.sampled), trainer.n_params), dtype=np.float32)
    place = (trainer, now.epochs, params.tobytes())

    def ask(row: int) -> None:
        client, draws = clients[now.sampled[row]], rng(now.sampled[row])
        key = (*place, client, repr(draws.bit_generator.state))
        if key in sent:
            updates[row] = sent[key]
            return
        updates[row] = client.update(trainer, params, now, draws)
        if type(client) is Client:  # who has no attack answers from the place alone
            sent[key] = updates[row].copy()

    # Each update follows from a generator of its own, so the order of work changes nothing.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(ask, range(len(updates))))
    return updates
