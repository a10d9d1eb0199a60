"""LEAF's format: JSON files with `users`, `num_samples` and `user_data`, split by sample.

Caldas et al. (2018), arXiv 1812.01097. Their scripts write it; what is read here may come from
anyone.
"""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..vocabulary import Images, Labels
from .kinds import Kind, Samples, Source, checked_labels, pixels, unavailable

Person = tuple[Images | list[Path], Labels, str]  # images or their files, labels, where it was read
NAME = re.compile(r"[\w-]+\.(jpe?g|png)", re.IGNORECASE)  # of a file, and not of one elsewhere


def read_leaf(kind: Kind, folder: Path) -> Source:
    """Read what LEAF's scripts left in their folder; image files are opened later.

    Parameters
    ----------
    kind
        Which data set.
    folder
        The clone of LEAF, which has ``data/<name>/data/train`` and ``test``.

    Raises
    ------
    DatasetUnavailable
        If there are no JSON files.
    ValueError
        If a file is damaged, or nobody has held-out samples.
    """
    parts = [folder / "data" / kind.name / "data" / part for part in ("train", "test")]
    train, test = (_people(kind, folder, part) for part in parts)
    if not train.keys() & test.keys():
        raise ValueError(
            f"{parts[1]}: has samples of nobody in {parts[0]}: split every {kind.by}'s samples, "
            "with LEAF's preprocess.sh -t sample"
        )
    nothing: Person = ([], np.empty(0, np.int64), "")
    return {user: partial(_both, kind, train[user], test.get(user, nothing)) for user in train}


def _both(kind: Kind, train: Person, test: Person) -> tuple[Samples, Samples]:
    return _samples(kind, train), _samples(kind, test)


def _samples(kind: Kind, person: Person) -> Samples:
    x, y, where = person
    if isinstance(x, list):
        opened = [pixels(kind, path, where) for path in x]
        x = np.stack(opened) if opened else np.empty((0, *kind.image_shape), np.float32)
    return x, y


def _people(kind: Kind, folder: Path, part: Path) -> dict[str, Person]:
    files = sorted(part.glob("*.json"))
    if not files:
        raise unavailable(kind, f"there are no JSON files in {part}")
    people: dict[str, Person] = {}
    for file in files:
        for user, person in _people_in(kind, folder, file):
            if user in people:
                raise ValueError(f"{person[-1]} is also in {people[user][-1]}")
            people[user] = person
    return people


def _people_in(kind: Kind, folder: Path, file: Path) -> Iterator[tuple[str, Person]]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{file}: cannot be read as JSON: {error!r:.160}") from None
    fields = content if isinstance(content, dict) else {}
    users, counts, data = (fields.get(key) for key in ("users", "num_samples", "user_data"))
    if not (isinstance(users, list) and isinstance(counts, list) and isinstance(data, dict)):
        raise ValueError(f"{file}: needs the lists users and num_samples, and the object user_data")
    if len(users) != len(counts):
        raise ValueError(f"{file}: has {len(users)} users and {len(counts)} num_samples")
    for user, count in zip(users, counts, strict=True):
        where = f"{file}: user {user!r:.80}"
        own = data.get(user) if isinstance(user, str) else None
        x, y = (own.get("x"), own.get("y")) if isinstance(own, dict) else (None, None)
        if not (isinstance(x, list) and isinstance(y, list)):
            raise ValueError(f"{where} needs a name, and lists x and y in user_data")
        if not len(x) == len(y) == count:
            raise ValueError(
                f"{where} has {len(x)} images, {len(y)} labels, and num_samples {count!r:.80}"
            )
        labels = checked_labels(kind, y, where)
        kept = np.flatnonzero(labels < len(kind.class_names))
        yield user, (_images(kind, folder, [x[i] for i in kept], where), labels[kept], where)


def _images(kind: Kind, folder: Path, x: list[Any], where: str) -> Images | list[Path]:
    if kind.leaf_images is not None:
        for name in x:
            if not (isinstance(name, str) and NAME.fullmatch(name)):
                raise ValueError(f"{where}: {name!r:.80} is not the name of a JPEG or PNG file")
        return [folder / kind.leaf_images / name for name in x]
    shape = (len(x), int(np.prod(kind.image_shape)))
    try:
        found = np.asarray(x) if x else np.empty(shape)
    except ValueError:  # lists of unequal lengths
        found = np.empty(0)
    right = found.shape == shape and found.dtype.kind in "iuf"
    if not right or not ((found >= 0) & (found <= 1)).all():
        raise ValueError(f"{where}: images must be lists of {shape[1]} numbers from 0 to 1")
    return found.astype(np.float32).reshape(-1, *kind.image_shape)
