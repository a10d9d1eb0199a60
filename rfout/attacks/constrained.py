"""Colluders that train a backdoor under a constraint on what they send.

A constraint is aimed at a rule: a band on each coordinate at rules that judge coordinates, a ball
around the honest mean at rules that judge distances between whole updates.
"""

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..clients import Round
from ..vocabulary import Params
from .adversaries import Backdoor
from .collusion import Collusion, into_ball, into_band
from .poisoning import poison, replace_model

if TYPE_CHECKING:  # it loads TensorFlow
    from ..models import LocalTrainer


@dataclass(frozen=True, eq=False)
class InsideBand(Backdoor):
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

    Examples
    --------
    >>> import numpy as np
    >>> from rfout.attacks import PatternKey, collude
    >>> from rfout.clients import Client
    >>> honest = [Client(np.zeros((4, 8, 8, 1), np.float32), np.arange(4)) for _ in range(5)]
    >>> mixed = collude(honest, {0, 1}, InsideBand, trigger=PatternKey(), z=2.0)
    >>> mixed[0].factor(Round(1, sampled=(0, 1, 2, 3, 4), adversaries=(0, 1)))
    2.5
    """

    _: KW_ONLY
    collusion: Collusion
    z: float = 3.0

    def attack(
        self, trainer: "LocalTrainer", params: Params, now: Round, rng: np.random.Generator
    ) -> Params:
        """Give what the colluders send in this round."""
        mean, std = self.collusion.estimate(trainer, params, now)
        boost, epochs = self.factor(now), self.local_epochs(now)
        reach = np.float32(self.z) * std

        def train_inside(shared: np.random.Generator) -> Params:
            x, y = self.collusion.x, self.collusion.y
            x, y = poison(x, y, self.trigger, self.target, self.rate, rng=shared)
            update = mean
            for _ in range(epochs):
                trained = trainer.train(params + update, x, y, rng=shared)
                update = self.inside(trained - params, mean, reach / np.float32(boost))
            return update

        what = (params, mean, reach, boost, epochs, self.trigger, self.target, self.rate)
        update = self.collusion.agree("backdoor", now.number, train_inside, *what)
        return self.inside(mean + replace_model(update - mean, boost), mean, reach)

    def inside(self, update: Params, mean: Params, reach: Params) -> Params:
        """Bring an update to the nearest point that the constraint allows."""
        return into_band(update, mean, reach)


@dataclass(frozen=True, eq=False)
class InsideBall(InsideBand):
    """Plants a backdoor nearer to the honest mean than honest clients are: it is aimed at Krum.

    As `InsideBand`, but the constraint is on the distance of the whole update from the honest mean.
    An honest client is about one length of the vector of standard deviations away from that mean,
    and two honest clients are the square root of two apart. The colluders send the same, nearer to
    the mean than that, and so a rule that looks for close neighbours prefers them.

    Attributes
    ----------
    collusion
        As for `InsideBand`.
    z
        Radius of the ball, in lengths of the vector of estimated standard deviations.

    Notes
    -----
    Projected training: Wang et al. (2020), arXiv 2007.05084. `boost` is 1 where a rule takes an
    update whole, as Krum does.

    Examples
    --------
    >>> import numpy as np
    >>> from rfout.attacks import PatternKey, collude
    >>> from rfout.clients import Client
    >>> honest = [Client(np.zeros((4, 8, 8, 1), np.float32), np.arange(4)) for _ in range(5)]
    >>> mixed = collude(honest, {0, 1}, InsideBall, trigger=PatternKey(), z=1.0)
    >>> mixed[0].inside(np.array([6.0, 8.0]), np.zeros(2), np.array([3.0, 4.0]))
    array([3., 4.])
    """

    z: float = 1.0

    def inside(self, update: Params, mean: Params, reach: Params) -> Params:
        """Bring an update to the nearest point of the ball."""
        return into_ball(update, mean, reach)
