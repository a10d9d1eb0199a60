"""Adversaries that know the rule, and send little enough to stay inside the band that it keeps.

Colluders cannot see what honest clients send. They estimate it from the samples that they hold
themselves (`rfout.attacks.collusion`). Those that train under a constraint are in
`rfout.attacks.constrained`.

Two attacks that know the rule need no role of their own. Slow poisoning is a `Backdoor` with
``boost=1`` that attacks every round, and a distributed trigger is a `Backdoor` whose trigger is a
part of the pattern: `rfout.attacks.distribute` hands the parts out.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clients import Client, Round
from ..vocabulary import Params
from .adversaries import Adversary, Backdoor, check_exist, recruit
from .collusion import Collusion, largest_boost
from .poisoning import replace_model

if TYPE_CHECKING:  # it loads TensorFlow
    from ..models import LocalTrainer


@dataclass(frozen=True, eq=False)
class LittleIsEnough(Adversary):
    """Sends the honest mean minus z standard deviations on every coordinate.

    It plants no backdoor. It holds training back, and stays within the spread of honest clients.

    Attributes
    ----------
    collusion
        Where the estimate comes from; shared, so that all colluders send the same.
    z
        How many standard deviations. `unlucky_z` is the one that Baruch et al. derive.

    Notes
    -----
    Baruch et al. (2019), arXiv 1902.06156.

    Examples
    --------
    >>> import numpy as np
    >>> honest = [Client(np.zeros((4, 8, 8, 1), np.float32), np.arange(4)) for _ in range(5)]
    >>> mixed = collude(honest, {0, 1}, LittleIsEnough, z=1.5)
    >>> mixed[0].z, mixed[0].collusion is mixed[1].collusion
    (1.5, True)
    """

    _: KW_ONLY
    collusion: Collusion
    z: float

    def attack(
        self, trainer: "LocalTrainer", params: Params, now: Round, rng: np.random.Generator
    ) -> Params:
        """Give mean - z std as the colluders estimate them."""
        mean, std = self.collusion.estimate(trainer, params, now)
        return (mean - np.float32(self.z) * std).astype(np.float32)


@dataclass(frozen=True, eq=False)
class SmallColluder(Backdoor):
    """Boosts as far as the band allows and no further.

    Attributes
    ----------
    collusion
        Where the colluders' estimate of the honest mean and standard deviation comes from.
    z
        Half-width of the band, in estimated standard deviations.
    outside
        Share of the coordinates on which it accepts being flagged.

    Notes
    -----
    Each trains on its own samples. `boost` is the most that it boosts; None is n_clients /
    n_adversaries.

    Examples
    --------
    >>> import numpy as np
    >>> honest = [Client(np.zeros((4, 8, 8, 1), np.float32), np.arange(4)) for _ in range(5)]
    >>> from rfout.attacks import PatternKey
    >>> mixed = collude(honest, {0, 1}, SmallColluder, trigger=PatternKey(), outside=0.05)
    >>> mixed[0].z, mixed[0].outside
    (3.0, 0.05)
    """

    _: KW_ONLY
    collusion: Collusion
    z: float = 3.0
    outside: float = 0.1

    def attack(
        self, trainer: "LocalTrainer", params: Params, now: Round, rng: np.random.Generator
    ) -> Params:
        """Train on poisoned samples and boost within the band."""
        mean, std = self.collusion.estimate(trainer, params, now)
        update = self.backdoored(trainer, params, now, rng)
        reach = np.float32(self.z) * std
        room = largest_boost(update, mean, reach, outside=self.outside)
        return replace_model(update, min(self.factor(now), room))


def collude(
    clients: Sequence[Client],
    chosen: Collection[int],
    role: Callable[..., Client],
    *,
    n_probes: int = 6,
    seed: int = 0,
    **attack: Any,
) -> list[Client]:
    """Turn the `chosen` clients into colluders of one role, who pool their samples.

    Parameters
    ----------
    clients
        The honest federation; it is not changed.
    chosen
        Numbers of the clients, at least one.
    role
        `LittleIsEnough`, `SmallColluder`, `InsideBand` or `InsideBall`.
    n_probes, seed
        Of their `Collusion`.
    **attack
        What the role takes beside.

    Raises
    ------
    ValueError
        If nobody is chosen, or a chosen client does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> honest = [Client(np.zeros((4, 8, 8, 1), np.float32), np.arange(4)) for _ in range(5)]
    >>> mixed = collude(honest, {0, 1}, LittleIsEnough, z=1.5)
    >>> len(mixed[0].collusion.y), mixed[0].collusion.n_samples
    (8, 4)
    """
    if not chosen:
        raise ValueError("choose at least one client to collude")
    check_exist(clients, chosen)
    members = [clients[number] for number in sorted(chosen)]
    x = np.concatenate([member.x for member in members])
    y = np.concatenate([member.y for member in members])
    collusion = Collusion(x, y, round(len(y) / len(members)), n_probes, seed)
    return recruit(clients, chosen, role, collusion=collusion, **attack)
