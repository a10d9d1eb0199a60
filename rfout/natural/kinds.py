"""What is known of each data set with natural clients, and how its images and labels are read."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._files import DatasetUnavailable
from ..vocabulary import Images, Labels

LARGEST = 4096  # pixels: a small file may claim an image that fills the memory

Samples = tuple[Images, Labels]
Source = dict[str, Callable[[], tuple[Samples, Samples | None]]]
"""For each person, what gives the samples to train on and the held-out ones, if those are known."""


@dataclass(frozen=True)
class Kind:
    """A data set with natural clients.

    Attributes
    ----------
    name, by
        Of the data set, and what one client is.
    image_shape
        (height, width, channels) of one image, in pixels.
    n_labels
        How many labels the source has, from 0; those that are no index into `class_names` are left
        out.
    class_names
        Of the labels that are kept.
    leaf_images
        Folder of the image files, from LEAF's folder; None where LEAF keeps pixels in its JSON.
    hub, user_column, label_column
        Name in Flower Datasets, and its columns.

    Examples
    --------
    >>> KINDS["celeba"].image_shape
    (84, 84, 3)
    """

    name: str
    by: str
    image_shape: tuple[int, int, int]
    n_labels: int
    class_names: tuple[str, ...]
    leaf_images: str | None
    hub: str
    user_column: str
    label_column: str


KINDS = {
    "femnist": Kind(
        name="femnist",
        by="writer",
        image_shape=(28, 28, 1),
        n_labels=62,  # ten digits, then the letters
        class_names=tuple("0123456789"),
        leaf_images=None,
        hub="flwrlabs/femnist",
        user_column="writer_id",
        label_column="character",
    ),
    "celeba": Kind(
        name="celeba",
        by="celebrity",
        image_shape=(84, 84, 3),
        n_labels=2,
        class_names=("not smiling", "smiling"),
        leaf_images="data/celeba/data/raw/img_align_celeba",
        hub="flwrlabs/celeba",
        user_column="celeb_id",
        label_column="Smiling",
    ),
}


def unavailable(kind: Kind, reason: object) -> DatasetUnavailable:
    """Name both ways to have a data set, and why neither worked."""
    return DatasetUnavailable(
        f'"{kind.name}" is not on this machine. There are two ways to have it.\n'
        f"LEAF: clone https://github.com/TalwalkarLab/leaf, run in its folder data/{kind.name}\n"
        "    ./preprocess.sh -s niid --sf 1.0 -k 5 -t sample\n"
        "and set RFOUT_LEAF to the folder of the clone.\n"
        "Flower Datasets: where there is internet access,\n"
        '    pip install "rfout[natural]"\n'
        f"and leave RFOUT_LEAF unset.\nReason: {str(reason)[:240]}"
    )


def checked_labels(kind: Kind, labels: Sequence[Any], where: str) -> Labels:
    """Give labels as int64; raise ValueError where one is none of the source's."""
    if len(labels) == 0:
        return np.empty(0, np.int64)
    try:
        found = np.asarray(labels)
    except ValueError:  # lists of unequal lengths
        found = np.empty((0, 0))
    right = found.ndim == 1 and found.dtype.kind in "biuf"
    if not right or not np.isin(found.astype(np.float64), np.arange(kind.n_labels)).all():
        raise ValueError(f"{where}: labels must be whole numbers from 0 to {kind.n_labels - 1}")
    return found.astype(np.int64)


def pixels(kind: Kind, image: Any, where: str) -> NDArray[np.float32]:
    """Scale an image to the size of its data set and to [0, 1].

    Parameters
    ----------
    kind
        Which data set.
    image
        A `PIL.Image.Image`, or the path of a JPEG or PNG file.
    where
        Named in the error.

    Raises
    ------
    ValueError
        If there is no such file, or it is damaged, of another format or too large.
    """
    from PIL import Image

    height, width, channels = kind.image_shape
    at_path = isinstance(image, Path)
    try:
        opened = Image.open(image, formats=("JPEG", "PNG")) if at_path else nullcontext(image)
        with opened as whole:
            if max(whole.size) > LARGEST:
                raise ValueError(f"it is {whole.size} pixels large, more than {LARGEST}")
            scaled = whole.convert("L" if channels == 1 else "RGB").resize((width, height))
    except Exception as error:  # damage has many names
        name = f"the image {image}" if at_path else "an image"
        raise ValueError(f"{where}: cannot read {name}: {error!r:.160}") from None
    return np.asarray(scaled, np.float32).reshape(kind.image_shape) / np.float32(255)
