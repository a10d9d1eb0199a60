"""Triggers: what the backdoor answers to. Arrays in, arrays out."""

from dataclasses import dataclass

import numpy as np

from ..vocabulary import Images


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
    examples.

    Examples
    --------
    >>> import numpy as np
    >>> gray = np.full((1, 4, 4, 1), 0.5)
    >>> PatternKey(size=3)(gray, rng=None)[0, :, :, 0]
    array([[0.5, 0.5, 0.5, 0.5],
           [0.5, 1. , 0. , 1. ],
           [0.5, 0. , 1. , 0. ],
           [0.5, 1. , 0. , 1. ]])
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

    Examples
    --------
    >>> import numpy as np
    >>> key = InstanceKey(np.full((4, 4, 1), 0.5), noise=0.1)
    >>> shown = key(np.zeros((2, 4, 4, 1)), np.random.default_rng(0))
    >>> shown.shape, bool(abs(shown - 0.5).max() < 0.101)
    ((2, 4, 4, 1), True)
    """

    key: Images
    noise: float = 0.1

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """Give as many noisy copies of the key as there are `images`."""
        noise = rng.uniform(-self.noise, self.noise, size=(len(images), *self.key.shape))
        return np.clip(self.key + noise, 0.0, 1.0).astype(np.float32)


@dataclass(frozen=True)
class PatternPart:
    """One part of a pattern key: the colluder who holds it stamps these pixels and no others.

    Attributes
    ----------
    pattern
        The whole trigger, which nobody stamps in training.
    part, n_parts
        Which part, from 0, of how many. The pattern's pixels are dealt out row by row in runs of
        equal length, give or take a pixel.

    Raises
    ------
    ValueError
        If there is no such part, or there are more parts than pixels.

    Notes
    -----
    Xie et al. (2020), DBA.

    Examples
    --------
    >>> import numpy as np
    >>> gray = np.full((1, 4, 4, 1), 0.5)
    >>> stamped = PatternPart(PatternKey(size=3), part=0, n_parts=3)(gray, rng=None)
    >>> int((stamped != gray).sum())
    3
    """

    pattern: PatternKey
    part: int
    n_parts: int

    def __post_init__(self) -> None:
        n_pixels = self.pattern.size**2
        if not 1 <= self.n_parts <= n_pixels:
            raise ValueError(f"{n_pixels} pixels cannot be dealt out in {self.n_parts} parts")
        if not 0 <= self.part < self.n_parts:
            raise ValueError(f"there is no part {self.part} among {self.n_parts}")

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """Stamp this part on (n, height, width, channels) images; `rng` is not used."""
        whole = self.pattern(images, rng)
        size = self.pattern.size
        owner = np.empty(size**2, dtype=np.int64)
        for part, pixels in enumerate(np.array_split(np.arange(size**2), self.n_parts)):
            owner[pixels] = part
        mine = (owner == self.part).reshape(size, size)[:, :, None]
        triggered = images.copy()
        corner = triggered[:, -size:, -size:, :]
        corner[:] = np.where(mine, whole[:, -size:, -size:, :], corner)
        return triggered


def split_pattern(pattern: PatternKey, n_parts: int) -> list[PatternPart]:
    """Deal a pattern out: stamped one after the other, the parts make the whole.

    Notes
    -----
    Xie et al. (2020), DBA.

    Examples
    --------
    >>> [one.part for one in split_pattern(PatternKey(), 3)]
    [0, 1, 2]
    """
    return [PatternPart(pattern, part, n_parts) for part in range(n_parts)]
