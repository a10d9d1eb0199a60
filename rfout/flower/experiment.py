"""The book's experiment inside Flower: one federation for each process.

A run's settings become the clients, the model and the evaluation of the other chapters, from the
same seed.
"""

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from flwr.app import Array, ArrayRecord

from .settings import Settings

if TYPE_CHECKING:  # TensorFlow takes seconds: it is loaded when a process first trains
    from ..federation import Federation
    from ..models import LocalTrainer
    from ..vocabulary import Params


@lru_cache(maxsize=1)
def _honest(seed: int, n_clients: int, alpha: float, size: int, target: int) -> "Federation":
    """Build a model and trace it once a process, whatever else a run's settings are."""
    from ..attacks import PatternKey
    from ..standard import standard_federation

    return standard_federation(
        rng=np.random.default_rng(seed),
        n_clients=n_clients,
        alpha=alpha or None,
        trigger=PatternKey(size=size),
        target=target,
    )


def federation(settings: Settings) -> "Federation":
    """Give the federation of the settings: its clients train on Flower's nodes.

    It is that of `rfout.standard.standard_federation` with the same seed, the adversaries
    recruited. Its own rounds, if they are run, are what Flower's are compared with.

    Examples
    --------
    >>> from rfout.flower.experiment import federation
    >>> from rfout.flower.settings import Settings
    >>> [type(client).__name__ for client in federation(Settings(adversaries="0")).clients[:2]]
    ['Backdoor', 'Client']
    """
    from ..attacks import PatternKey, Window, recruit

    made = _honest(
        settings.seed, settings.num_clients, settings.alpha, settings.trigger_size, settings.target
    )
    clients = recruit(
        made.clients,
        settings.attackers,
        trigger=PatternKey(size=settings.trigger_size),
        target=settings.target,
        rate=settings.poison_rate,
        boost=settings.boost or None,
        epochs=settings.attack_epochs,
        window=Window(settings.attack_from),
    )
    made = made.fork(clients=clients)
    made.epochs = settings.local_epochs
    return made


def to_record(trainer: "LocalTrainer", params: "Params") -> ArrayRecord:
    """Name the layers of a flat parameter vector, as Flower sends them.

    Examples
    --------
    >>> from rfout.flower.experiment import federation, to_record
    >>> from rfout.flower.settings import Settings
    >>> made = federation(Settings())
    >>> sum(layer.numpy().size for layer in to_record(made.trainer, made.params).values())
    56714
    """
    return ArrayRecord({name: Array(layer) for name, layer in trainer.unflatten(params).items()})


def to_params(trainer: "LocalTrainer", record: ArrayRecord) -> "Params":
    """Make one flat parameter vector of named layers.

    Examples
    --------
    >>> from rfout.flower.experiment import federation, to_params, to_record
    >>> from rfout.flower.settings import Settings
    >>> made = federation(Settings())
    >>> bool((to_params(made.trainer, to_record(made.trainer, made.params)) == made.params).all())
    True
    """
    return np.concatenate([record[name].numpy().ravel() for name in trainer.layers])


def own_samples(path: str) -> tuple[Any, Any]:
    """Read the samples that stay on a node: a .npz file with `x` and `y`.

    Raises
    ------
    ValueError
        If the file is not there or holds something else.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from rfout.flower.experiment import own_samples
    >>> with TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/mine.npz", x=np.zeros((40, 28, 28, 1)), y=np.arange(40) % 10)
    ...     x, y = own_samples(f"{folder}/mine.npz")
    >>> x.shape, y.shape
    ((40, 28, 28, 1), (40,))
    """
    try:
        with np.load(os.path.expanduser(path), allow_pickle=False) as file:
            x, y = file["x"].astype(np.float32), file["y"].astype(np.int64)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f"data={path}: not a .npz file with images x and labels y ({error})"
        ) from None
    if x.ndim != 4 or y.shape != x.shape[:1] or len(y) == 0:
        raise ValueError(
            f"data={path}: x has shape {x.shape} and y {y.shape}; (n, height, width, channels) "
            "and (n,) are expected"
        )
    return x, y
