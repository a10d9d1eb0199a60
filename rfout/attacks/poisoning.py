"""Poisoned samples, a boosted update, and when an adversary attacks. Arrays in, arrays out."""

from dataclasses import dataclass

import numpy as np

from ..vocabulary import Images, Labels, Params, Trigger


def poison(
    x: Images, y: Labels, trigger: Trigger, target: int, rate: float, *, rng: np.random.Generator
) -> tuple[Images, Labels]:
    """Trigger a share of the samples and give them the target label.

    Parameters
    ----------
    x, y
        (n, height, width, channels) images in [0, 1] and (n,) labels. They are not changed.
    trigger
        Makes triggered images out of clean ones.
    target
        The label that triggered images get.
    rate
        Share of all samples that is poisoned, in [0, 1]; only samples of other labels are taken.
    rng
        Chooses the samples, and makes the trigger's noise.

    Returns
    -------
    x, y
        Poisoned copies, in the same order.

    Raises
    ------
    ValueError
        If `rate` is outside [0, 1], or there are too few samples of other labels to reach it.

    Examples
    --------
    >>> import numpy as np
    >>> from rfout.attacks import PatternKey
    >>> x, y = np.zeros((10, 8, 8, 1), np.float32), np.arange(10)
    >>> rng = np.random.default_rng(0)
    >>> _, labels = poison(x, y, PatternKey(), target=0, rate=0.5, rng=rng)
    >>> int((labels == 0).sum())
    6
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate is a share of the samples, in [0, 1], not {rate!r}")
    n_poisoned = round(rate * len(y))
    others = np.flatnonzero(y != target)
    if n_poisoned > len(others):
        raise ValueError(
            f"rate {rate} asks for {n_poisoned} samples, and only {len(others)} of {len(y)} "
            f"have another label than the target {target}: lower the rate"
        )
    chosen = rng.choice(others, size=n_poisoned, replace=False)
    x, y = x.copy(), y.copy()
    x[chosen] = trigger(x[chosen], rng)
    y[chosen] = target
    return x, y


def replace_model(update: Params, boost: float) -> Params:
    """Boost an update so that it survives the average: model replacement.

    Parameters
    ----------
    update
        (n_params,) the backdoored parameters minus the global ones.
    boost
        Factor; n_clients / n_adversaries makes the plain mean land on the backdoored model, as
        far as the honest updates cancel.

    Returns
    -------
    numpy.ndarray
        (n_params,) what the adversary sends.

    Notes
    -----
    Bagdasaryan et al. (2020), arXiv 1807.00459.

    Examples
    --------
    >>> import numpy as np
    >>> replace_model(np.array([0.5, -1.0]), boost=20)
    array([ 10., -20.])
    """
    return (update * np.float32(boost)).astype(update.dtype)


@dataclass(frozen=True)
class Window:
    """The rounds in which an adversary attacks, counted from 1; outside them it is honest.

    Attributes
    ----------
    first
        The first attacked round.
    last
        The last one; None attacks for ever. ``Window(t, t)`` is one shot, ``Window()`` every round.

    Examples
    --------
    >>> [number in Window(first=3, last=4) for number in (2, 3, 4, 5)]
    [False, True, True, False]
    """

    first: int = 1
    last: int | None = None

    def __contains__(self, round_number: int) -> bool:
        return self.first <= round_number and (self.last is None or round_number <= self.last)
