"""From people's samples to clients and a test set."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..vocabulary import Images, Labels
from .flower import Row, group_rows, read_flower
from .kinds import KINDS, Samples, Source
from .leaf import read_leaf

HELD_OUT = 0.1  # of a client's samples, where the source holds out none: LEAF's share


@dataclass(frozen=True, eq=False)
class NaturalClients:
    """The samples of people, and a test set of those that they held out.

    Attributes
    ----------
    name, users
        Of the data set, and of each client in the source.
    clients
        For each client (n, height, width, channels) float32 images in [0, 1] and (n,) int64
        labels, indices into `class_names`.
    x_test, y_test
        The held-out samples of the same people, in random order.
    class_names
        Of the labels.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.zeros((4, 28, 28, 1), np.float32), np.arange(4)
    >>> NaturalClients("mine", ["ann"], [(x, y)], x, y, tuple("0123")).image_shape
    (28, 28, 1)
    """

    name: str
    users: list[str]
    clients: list[Samples] = field(repr=False)
    x_test: Images = field(repr=False)
    y_test: Labels = field(repr=False)
    class_names: tuple[str, ...]

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(height, width, channels) of one image, in pixels."""
        return self.x_test.shape[1:]


def source_name() -> str:
    """Say where `load_natural` looks: "LEAF" where RFOUT_LEAF is set, else "Flower Datasets".

    Examples
    --------
    >>> source_name() in ("LEAF", "Flower Datasets")
    True
    """
    return "LEAF" if os.environ.get("RFOUT_LEAF") else "Flower Datasets"


def load_natural(
    name: str,
    *,
    rng: np.random.Generator,
    n_clients: int | None = None,
    min_samples: int = 5,
    leaf: Path | str | None = None,
    rows: Iterable[Row] | None = None,
) -> NaturalClients:
    """Load a data set whose clients are people.

    Parameters
    ----------
    name
        "femnist" (digits, clients are writers) or "celeba" (smiling or not, clients are
        celebrities).
    rng
        Draws the people, what they hold out where the source does not say it, and the order of
        the test set.
    n_clients
        How many people; None takes all, which is 1.3 GB for "femnist" and 17 GB for "celeba". With
        the same `rng`, fewer clients are the first of more.
    min_samples
        Who has fewer samples, held-out ones included, is left out; at least 2.
    leaf
        Folder of LEAF. None: the environment variable RFOUT_LEAF.
    rows
        Rows as Flower Datasets gives them, of your own: with the columns image (a
        `PIL.Image.Image`), writer_id and character ("femnist"), or celeb_id and Smiling
        ("celeba"). Without `leaf`, RFOUT_LEAF and `rows`, Flower Datasets is asked for them.

    Returns
    -------
    NaturalClients
        Images float32 in [0, 1], of 28 x 28 x 1 pixels ("femnist") or 84 x 84 x 3 ("celeba");
        labels int64.

    Raises
    ------
    ValueError
        For an unknown name, more clients than there are, or a damaged file or row.
    DatasetUnavailable
        If the data are not in LEAF's folder, or cannot be downloaded.

    Notes
    -----
    FEMNIST and CelebA as in LEAF (Caldas et al., 2018, arXiv 1812.01097): a tenth of every client's
    samples is held out, images of celebrities are scaled to 84 x 84 pixels, and ink is dark on
    white paper, the reverse of MNIST. Letters are left out. Flower Datasets gives the celebrities
    of CelebA's training split.

    Examples
    --------
    >>> import numpy as np
    >>> from PIL import Image
    >>> image = Image.new("L", (28, 28), 255)
    >>> rows = [{"image": image, "writer_id": i % 3, "character": i % 10} for i in range(30)]
    >>> data = load_natural("femnist", rng=np.random.default_rng(0), rows=rows)
    >>> [len(y) for x, y in data.clients], data.x_test.shape
    ([9, 9, 9], (3, 28, 28, 1))
    """
    if name not in KINDS:
        raise ValueError(f"unknown data set {name!r}; with natural clients: {', '.join(KINDS)}")
    if n_clients is not None and n_clients < 1:
        raise ValueError(f"n_clients must be at least 1, not {n_clients}")
    if min_samples < 2:
        raise ValueError(f"min_samples must be at least 2, one of them to hold out: {min_samples}")
    people = _source(name, leaf, rows)
    users: list[str] = []
    clients: list[Samples] = []
    held_out: list[Samples] = []
    ordered = sorted(people)
    for user in (ordered[i] for i in rng.permutation(len(ordered))):
        if len(users) == n_clients:
            break
        own, held = people[user]()
        if held is None and len(own[1]) >= min_samples:
            own, held = _hold_out(own, rng)
        if held is None or len(own[1]) + len(held[1]) < min_samples or len(own[1]) == 0:
            continue
        users.append(user)
        clients.append(own)
        held_out.append(held)
    if len(users) < (n_clients or 1):
        raise ValueError(
            f"{name}: only {len(users)} of {len(people)} people have {min_samples} samples, "
            f"and n_clients is {n_clients}: ask for fewer clients, or lower min_samples"
        )
    x_test, y_test = (np.concatenate(parts) for parts in zip(*held_out, strict=True))
    if len(y_test) == 0:
        raise ValueError(
            f"{name}: nobody of these clients holds out a sample: ask for more clients"
        )
    order = rng.permutation(len(y_test))
    class_names = KINDS[name].class_names
    return NaturalClients(name, users, clients, x_test[order], y_test[order], class_names)


def _source(name: str, leaf: Path | str | None, rows: Iterable[Row] | None) -> Source:
    if rows is not None:
        if leaf is not None:
            raise ValueError("leaf and rows are two sources: give one of them")
        return group_rows(KINDS[name], rows)
    folder = leaf or os.environ.get("RFOUT_LEAF")
    if folder:
        return read_leaf(KINDS[name], Path(folder).expanduser())
    return read_flower(KINDS[name])


def _hold_out(own: Samples, rng: np.random.Generator) -> tuple[Samples, Samples]:
    """Hold out a tenth, at least one sample."""
    x, y = own
    order = rng.permutation(len(y))
    n_held = max(1, round(HELD_OUT * len(y)))
    held, kept = order[:n_held], order[n_held:]
    return (x[kept], y[kept]), (x[held], y[held])
