"""Edge cases: images from the tail of a class, and how to find them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..vocabulary import Images


@dataclass(frozen=True, eq=False)
class EdgeCases:
    """Real images from the tail of a class, unmarked: the backdoor is what they are taken for.

    Attributes
    ----------
    images
        (n, height, width, channels) float32 in [0, 1], n at least 1. The adversary trains on some
        tail images and shows others later: measure with an `EdgeCases` of its own.

    Raises
    ------
    ValueError
        If there are no images.

    Notes
    -----
    Wang et al. (2020), arXiv 2007.05084.

    Examples
    --------
    >>> import numpy as np
    >>> tail = EdgeCases(np.ones((2, 4, 4, 1), np.float32))
    >>> tail(np.zeros((5, 4, 4, 1), np.float32), np.random.default_rng(0)).shape
    (5, 4, 4, 1)
    """

    images: Images

    def __post_init__(self) -> None:
        if len(self.images) == 0:
            raise ValueError("an edge case needs at least one image from the tail")

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        """Give as many tail images as there are `images`: each in turn, in an order of `rng`."""
        turns = np.resize(rng.permutation(len(self.images)), len(images))
        return self.images[turns]


def rarest(x: Images, n: int, *, neighbours: int = 5) -> NDArray[np.int64]:
    """Find the images that are least like the others: the tail of a class.

    Parameters
    ----------
    x
        (n_images, height, width, channels) images of one class.
    n
        How many to find.
    neighbours
        An image's rarity is its mean Euclidean distance, in pixels' brightness, to this many
        nearest others.

    Returns
    -------
    numpy.ndarray
        (n,) int64 positions in `x`, the rarest first.

    Raises
    ------
    ValueError
        If there are fewer than `n` images, or not more than `neighbours`.

    Notes
    -----
    A plain stand-in for the density estimate of Wang et al. (2020).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.zeros((8, 2, 2, 1), np.float32)
    >>> x[5] = 1.0
    >>> rarest(x, 1)
    array([5])
    """
    if not (0 <= n <= len(x) and 1 <= neighbours < len(x)):
        raise ValueError(
            f"{len(x)} images have no {n} rarest by {neighbours} neighbours: give more images"
        )
    return np.argsort(-rarity(x, x, neighbours=neighbours), kind="stable")[:n].astype(np.int64)


def rarity(x: Images, others: Images, *, neighbours: int = 5) -> NDArray[np.float64]:
    """Measure how unlike the others each image is.

    Parameters
    ----------
    x, others
        (n, height, width, channels) images. Where both are one array, no image is its own
        neighbour.
    neighbours
        How many of the nearest others count.

    Returns
    -------
    numpy.ndarray
        (n,) mean Euclidean distance to the nearest others, in pixels' brightness.

    Examples
    --------
    >>> import numpy as np
    >>> rarity(np.ones((1, 2, 2, 1)), np.zeros((8, 2, 2, 1)))
    array([2.])
    """
    a, b = (images.reshape(len(images), -1).astype(np.float64) for images in (x, others))
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    if x is others:
        np.fill_diagonal(squared, np.inf)
    near = np.sort(squared, axis=1)[:, :neighbours]
    return np.asarray(np.sqrt(np.maximum(near, 0.0)).mean(axis=1))
