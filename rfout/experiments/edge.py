"""Edge cases that are edge: images of a class that honest clients lack."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..attacks import rarity
from ..clients import Client
from ..datasets import Dataset, load
from ..evaluation import Evaluation
from ..federation import Federation
from ..standard import federation_on
from ..vocabulary import Images

LABEL = 7
SHARE = 0.1


@dataclass(frozen=True)
class TailEvaluation(Evaluation):
    """An evaluation that keeps the edge cases: those to train on, and those to measure with."""

    tail_train: Images | None = None
    tail_test: Images | None = None


def split_tail(
    data: Dataset, label: int = LABEL, share: float = SHARE
) -> tuple[Dataset, Images, Images]:
    """Take the rarest images of a class out of a data set.

    Rare means far from the nearest training images of the class. The cut is the one that `share`
    of the training images of the class exceed; test images beyond it are taken out too.

    Returns
    -------
    data, tail_train, tail_test
        The data set without them, and the rare images of the training and of the test set.

    Raises
    ------
    ValueError
        If the test set has no image beyond the cut.
    """
    of_train, of_test = (np.flatnonzero(y == label) for y in (data.y_train, data.y_test))
    known = data.x_train[of_train]
    how_rare = rarity(known, known)
    cut = np.quantile(how_rare, 1 - share)
    train = of_train[how_rare > cut]
    test = of_test[rarity(data.x_test[of_test], known) > cut]
    if len(test) == 0:
        raise ValueError(f"no test image of class {label} is as rare as that: take more images")
    rest = replace(
        data,
        x_train=np.delete(data.x_train, train, axis=0), y_train=np.delete(data.y_train, train),
        x_test=np.delete(data.x_test, test, axis=0), y_test=np.delete(data.y_test, test),
    )  # fmt: skip
    return rest, data.x_train[train], data.x_test[test]


def federation_without_tail(
    *,
    rng: np.random.Generator,
    honest_tail: float,
    dataset: str,
    n_train: int | None,
    n_test: int | None,
    n_clients: int,
    alpha: float | None,
    **settings: Any,
) -> Federation:
    """Make the standard federation with the edge cases in the hands of few.

    Half of the rare training images are the adversaries'. The other half are shared out, with their
    true label, to a fraction `honest_tail` of the clients: the p of Wang et al. (2020), arXiv
    2007.05084; with 0 no honest client has one.

    Parameters
    ----------
    rng, dataset, n_train, n_test, n_clients, alpha, **settings
        As for `rfout.standard.standard_federation`.
    honest_tail
        Fraction of the clients, in [0, 1].
    """
    data = load(dataset, rng=rng, n_train=n_train, n_test=n_test)
    rest, tail_train, tail_test = split_tail(data)
    evaluate = TailEvaluation(
        rest.x_test, rest.y_test, tail_train=tail_train[::2], tail_test=tail_test
    )
    federation = federation_on(
        rest, rng=rng, n_clients=n_clients, alpha=alpha, evaluate=evaluate, **settings
    )
    holders = rng.permutation(n_clients)[: round(honest_tail * n_clients)]
    clients = list(federation.clients)
    for holder, own in zip(
        holders, np.array_split(tail_train[1::2], max(1, len(holders))), strict=False
    ):
        x = np.concatenate([clients[holder].x, own])
        y = np.append(clients[holder].y, np.full(len(own), LABEL))
        clients[holder] = Client(x, y)
    return federation.fork(clients=clients)
