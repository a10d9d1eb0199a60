"""Rows as Flower Datasets gives them: an image, whose it is, and its label."""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from .kinds import Kind, Samples, Source, checked_labels, pixels, unavailable

Row = Mapping[str, Any]


def read_flower(kind: Kind) -> Source:
    """Download a data set, or find it where it was kept; a person's images are decoded later.

    Raises
    ------
    DatasetUnavailable
        If Flower Datasets is not installed, or the data cannot be downloaded.
    """
    os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")  # read while it is imported
    try:
        from flwr_datasets import FederatedDataset
        from flwr_datasets.partitioner import NaturalIdPartitioner

        people = NaturalIdPartitioner(partition_by=kind.user_column)
        dataset = FederatedDataset(dataset=kind.hub, partitioners={"train": people}, shuffle=False)
        people = dataset.partitioners["train"]
        numbers = range(people.num_partitions)
        users = [str(people.partition_id_to_natural_id[number]) for number in numbers]
    except Exception as error:  # what fails on the way to another machine has many names
        raise unavailable(kind, repr(error)) from None
    return {
        user: _reader(kind, partial(people.load_partition, number), user)
        for number, user in zip(numbers, users, strict=True)
    }


def group_rows(kind: Kind, rows: Iterable[Row]) -> Source:
    """Sort rows by the person they belong to.

    Raises
    ------
    ValueError
        If a row does not say whose it is.
    """
    people: dict[str, list[Row]] = {}
    for number, row in enumerate(rows):
        try:
            user = str(row[kind.user_column])
        except (KeyError, IndexError, TypeError):
            raise ValueError(f"row {number} has no column {kind.user_column}") from None
        people.setdefault(user, []).append(row)
    return {user: _reader(kind, partial(iter, own), user) for user, own in people.items()}


def _reader(
    kind: Kind, rows: Callable[[], Iterable[Row]], user: str
) -> Callable[[], tuple[Samples, None]]:
    return partial(_samples, kind, rows, f"{kind.hub}: {kind.by} {user!r:.80}")


def _samples(kind: Kind, rows: Callable[[], Iterable[Row]], person: str) -> tuple[Samples, None]:
    x, y = [np.empty((0, *kind.image_shape), np.float32)], []
    for number, row in enumerate(rows()):
        where = f"{person}, row {number}"
        try:
            image, label = row["image"], row[kind.label_column]
        except (KeyError, IndexError, TypeError):
            raise ValueError(f"{where}: needs the columns image, {kind.label_column}") from None
        if checked_labels(kind, [label], where)[0] < len(kind.class_names):
            x.append(pixels(kind, image, where)[None])
            y.append(label)
    return (np.concatenate(x), np.array(y, np.int64)), None
