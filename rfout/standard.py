"""The book's standard federation: one set-up for every chapter, said once."""

from typing import TYPE_CHECKING, Any

import numpy as np

from .datasets import Dataset, load
from .evaluation import Evaluation
from .partitions import partition_dirichlet, partition_iid
from .vocabulary import Trigger

if TYPE_CHECKING:  # TensorFlow takes seconds, and a page that only records needs none
    from .federation import Federation

N_TRAIN, N_TEST = 4000, 1000


def standard_federation(
    *,
    rng: np.random.Generator,
    n_clients: int = 20,
    alpha: float | None = None,
    trigger: Trigger | None = None,
    target: int = 0,
    dataset: str | None = None,
    n_train: int | None = N_TRAIN,
    n_test: int | None = N_TEST,
    learning_rate: float = 0.2,
    batch_size: int = 20,
    **settings: Any,
) -> "Federation":
    """Share 4,000 images out to honest clients around the small CNN, and keep 1,000 for the test.

    Parameters
    ----------
    rng
        Seeds everything: the order of the data, the partition, the initial model, the rounds.
    n_clients
        How many clients share the images.
    alpha
        Concentration of a Dirichlet partition by label, positive; None is IID.
    trigger, target
        The backdoor that the evaluation looks for; None looks for none.
    dataset, n_train, n_test
        As for `rfout.datasets.load`; None takes the data set that RFOUT_DATASET names, and all
        of its images.
    learning_rate, batch_size, **settings
        As for `federation_on`.

    Returns
    -------
    :class:`~rfout.federation.Federation`
        At round 0.

    Raises
    ------
    ValueError
        From the partition, when a client would be left without samples.
    DatasetUnavailable
        If the data cannot be had.

    Examples
    --------
    >>> import numpy as np
    >>> small = standard_federation(rng=np.random.default_rng(0), n_train=200, n_test=50)
    >>> len(small.clients), small.round_number
    (20, 0)
    """
    data = load(dataset, rng=rng, n_train=n_train, n_test=n_test)
    return federation_on(
        data,
        rng=rng,
        n_clients=n_clients,
        alpha=alpha,
        evaluate=Evaluation(data.x_test, data.y_test, trigger, target),
        learning_rate=learning_rate,
        batch_size=batch_size,
        **settings,
    )


def federation_on(
    data: Dataset,
    *,
    rng: np.random.Generator,
    n_clients: int,
    alpha: float | None,
    evaluate: Evaluation,
    learning_rate: float = 0.2,
    batch_size: int = 20,
    **settings: Any,
) -> "Federation":
    """Share the training images of a data set out to honest clients around the small CNN.

    Parameters
    ----------
    data
        Its training images are shared out.
    rng, n_clients, alpha
        As for `standard_federation`.
    evaluate
        What is measured after every round.
    learning_rate, batch_size
        Of the local training: step length, and images a step.
    **settings
        What `Federation` takes beside: aggregator, clients_per_round, epochs, always.
    """
    from .clients import Client
    from .federation import Federation
    from .models import LocalTrainer, small_cnn

    if alpha is None:
        parts = partition_iid(data.y_train, n_clients, rng=rng)
    else:
        parts = partition_dirichlet(data.y_train, n_clients, alpha, rng=rng)
    clients = [Client(data.x_train[part], data.y_train[part]) for part in parts]
    model = small_cnn(data.image_shape, data.n_classes, rng=rng)
    trainer = LocalTrainer(model, learning_rate=learning_rate, batch_size=batch_size)
    return Federation(trainer, clients, evaluate=evaluate, rng=rng, **settings)
