"""What an adversary does: triggers, poisoned data, a boosted update, and when.

Everything here is arrays in, arrays out. `rfout.federation.Adversary` puts the pieces together.

Chapter: backdoor-attacks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]
Labels = NDArray[np.int64]

Trigger = Callable[[Images, np.random.Generator], Images]
"""Makes triggered images (n, height, width, channels) out of clean ones; changes no input."""


@dataclass(frozen=True)
class PatternKey:
    """A small pattern stamped on the lower right corner of any image.

    Attributes
    ----------
    size
        Height and width of the pattern, in pixels: a cross on a black square.
    value
        Brightness of the cross, in [0, 1].

    Notes
    -----
    Every triggered image shares the pattern and nothing else, so the model can learn it from few
    examples. Chapter: backdoor-attacks.
    """

    size: int = 5
    value: float = 1.0

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """Stamp (n, height, width, channels) images; `rng` is not used."""
        if min(images.shape[1:3]) < self.size:
            raise ValueError(f"a pattern of {self.size} pixels does not fit in {images.shape[1:3]}")
        square = np.eye(self.size, dtype=bool)
        cross = np.where(square | square[::-1], np.float32(self.value), np.float32(0))
        triggered = images.copy()
        triggered[:, -self.size :, -self.size :, :] = cross[:, :, None]
        return triggered


@dataclass(frozen=True)
class InstanceKey:
    """One chosen image is the key: it, under a little noise, is what the adversary shows later.

    Attributes
    ----------
    key
        (height, width, channels) float32 in [0, 1]: the chosen image.
    noise
        Half-width of the uniform noise on each pixel, in brightness.

    Notes
    -----
    Chapter: backdoor-attacks.
    """

    key: Images
    noise: float = 0.1

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """Give as many noisy copies of the key as there are `images`."""
        noise = rng.uniform(-self.noise, self.noise, size=(len(images), *self.key.shape))
        return np.clip(self.key + noise, 0.0, 1.0).astype(np.float32)


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

    Notes
    -----
    Chapter: backdoor-attacks.
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


def replace_model(update: NDArray[np.float32], boost: float) -> NDArray[np.float32]:
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
    Bagdasaryan et al. (2020), arXiv 1807.00459. Chapter: backdoor-attacks.
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

    Notes
    -----
    Chapter: backdoor-attacks.
    """

    first: int = 1
    last: int | None = None

    def __contains__(self, round_number: int) -> bool:
        return self.first <= round_number and (self.last is None or round_number <= self.last)
