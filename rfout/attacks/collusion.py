"""What colluders can know: an estimate of the honest, from the samples that they hold themselves.

Nothing is ambient: what colluders share is in a `Collusion`, which each of them is given.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checkpoints import fingerprint
from ..clients import Client, Round
from ..vocabulary import Images, Labels, Params

if TYPE_CHECKING:  # it loads TensorFlow
    from ..models import LocalTrainer

_ONE_AT_A_TIME = threading.RLock()


@dataclass(frozen=True, eq=False)
class Collusion:
    """What colluders hold together, and what they reckon an honest client sends.

    Attributes
    ----------
    x, y
        Their pooled (n, height, width, channels) images and (n,) labels.
    n_samples
        How many images they take an honest client to have.
    n_probes
        How many honest clients they play to find mean and standard deviation; at least 2.
    seed
        Shared by the colluders, so that in a round they all reckon the same.

    Raises
    ------
    ValueError
        If there are no images, or fewer than two probes.

    Notes
    -----
    Baruch et al. (2019), arXiv 1902.06156, take the colluders' own honest updates; few of them
    make a poor standard deviation, so that here each probe is trained on samples drawn with
    replacement from the pool.

    Examples
    --------
    >>> import numpy as np
    >>> pool = Collusion(np.zeros((40, 8, 8, 1), np.float32), np.arange(40) % 2, n_samples=20)
    >>> one, other = (pool.agree("number", 1, lambda rng: rng.normal()) for _ in range(2))
    >>> one == other
    True
    """

    x: Images
    y: Labels
    n_samples: int
    n_probes: int = 6
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.y) == 0 or self.n_samples < 1:
            raise ValueError("colluders who reckon honest updates need samples to train on")
        if self.n_probes < 2:
            raise ValueError(f"a standard deviation needs 2 probes or more, not {self.n_probes}")

    @cached_property
    def _made(self) -> dict[str, tuple[str, Any]]:
        """What was made last, by name: no field, for it says nothing about the experiment."""
        return {}

    def agree(
        self, name: str, number: int, make: Callable[[np.random.Generator], Any], *depends: Any
    ) -> Any:
        """Give `make(rng)`, made once for all colluders.

        Parameters
        ----------
        name, number
            What is made, and the round: with the seed they give the generator.
        make
            Makes it.
        depends
            All that it depends on beside (arrays, numbers, dataclasses): it is made again when one
            of them is another.
        """
        key = fingerprint(name, number, *depends)
        with _ONE_AT_A_TIME:  # clients are trained in threads
            if self._made.get(name, ("", None))[0] != key:
                rng = np.random.default_rng([self.seed, number, *name.encode()])
                self._made[name] = key, make(rng)
            return self._made[name][1]

    def estimate(
        self, trainer: "LocalTrainer", params: Params, now: Round
    ) -> tuple[Params, Params]:
        """Mean and standard deviation, (n_params,) each, of honest updates in this round."""

        def probes(rng: np.random.Generator) -> tuple[Params, Params]:
            sent = []
            for _ in range(self.n_probes):
                drawn = rng.integers(len(self.y), size=self.n_samples)
                probe = Client(self.x[drawn], self.y[drawn])
                sent.append(probe.update(trainer, params, now, rng))
            return np.mean(sent, axis=0), np.std(sent, axis=0, ddof=1)

        return self.agree("estimate", now.number, probes, params, now.epochs)


def into_band(update: Params, mean: Params, reach: Params) -> Params:
    """Bring each coordinate of an update to the nearest point of mean ± reach.

    Examples
    --------
    >>> import numpy as np
    >>> into_band(np.array([-9.0, 0.5]), mean=np.zeros(2), reach=np.ones(2))
    array([-1. ,  0.5])
    """
    return np.clip(update, mean - reach, mean + reach).astype(update.dtype)


def into_ball(update: Params, mean: Params, reach: Params) -> Params:
    """Bring an update to the nearest point of the ball around the mean; its radius is reach's norm.

    Examples
    --------
    >>> import numpy as np
    >>> into_ball(np.array([30.0, 40.0]), mean=np.zeros(2), reach=np.array([0.0, 5.0]))
    array([3., 4.])
    """
    away = update - mean
    far, radius = (float(np.linalg.norm(x.astype(np.float64))) for x in (away, reach))
    if far <= radius:
        return update
    return (mean + away * (radius / far)).astype(update.dtype)


def largest_boost(update: Params, mean: Params, reach: Params, *, outside: float = 0.0) -> float:
    """Find the largest factor on an update that leaves the band on few coordinates.

    Parameters
    ----------
    update, mean, reach
        (n_params,) the update, and the band mean ± reach around which it is judged.
    outside
        Share of the coordinates that may leave the band, in [0, 1).

    Returns
    -------
    float
        At least 0, which is also said where too many are outside with no update at all.
        Coordinates that training did not move stay put under any factor.

    Raises
    ------
    ValueError
        If `outside` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> largest_boost(np.array([0.5, -0.25]), mean=np.zeros(2), reach=np.ones(2))
    2.0
    """
    if not 0 <= outside < 1:
        raise ValueError(f"outside is a share of the coordinates, in [0, 1), not {outside!r}")
    moved = update != 0
    if not moved.any():
        return math.inf
    u, middle = update[moved].astype(np.float64), mean[moved].astype(np.float64)
    room = (reach[moved] + np.sign(u) * middle) / np.abs(u)
    return float(max(0.0, np.sort(room)[int(outside * len(room))]))


def unlucky_z(n_clients: int, n_colluders: int) -> float:
    """Give the z of Baruch et al.: enough honest clients are expected to be still further out.

    The standard normal quantile of (n - k - s) / (n - k), where s = n // 2 + 1 - k honest clients
    on the colluders' side make a majority with them.

    Raises
    ------
    ValueError
        If the colluders are not at least one and fewer than half.

    Notes
    -----
    Baruch et al. (2019), arXiv 1902.06156, algorithm 3.

    Examples
    --------
    >>> round(unlucky_z(n_clients=50, n_colluders=12), 2)
    0.34
    """
    if not 1 <= n_colluders < n_clients / 2:
        raise ValueError(f"{n_colluders} colluders are not fewer than half of {n_clients} clients")
    honest = n_clients - n_colluders
    supporters = n_clients // 2 + 1 - n_colluders
    return NormalDist().inv_cdf((honest - supporters) / honest)
