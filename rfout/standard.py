"""The book's standard federation: one set-up for every chapter, said once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .datasets import Dataset, load
from .evaluation import Evaluation
from .natural import load_natural
from .partitions import partition_dirichlet, partition_iid
from .startup import load_tensorflow
from .vocabulary import Images, Labels, Trigger

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
    load_tensorflow()  # first: CIFAR-10 is read by Keras
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

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> data = load("digits", rng=rng, n_train=40, n_test=20)
    >>> evaluate = Evaluation(data.x_test, data.y_test)
    >>> len(federation_on(data, rng=rng, n_clients=2, alpha=0.5, evaluate=evaluate).clients)
    2
    """
    if alpha is None:
        parts = partition_iid(data.y_train, n_clients, rng=rng)
    else:
        parts = partition_dirichlet(data.y_train, n_clients, alpha, rng=rng)
    samples = [(data.x_train[part], data.y_train[part]) for part in parts]
    return federation_of(
        samples,
        data.n_classes,
        rng=rng,
        evaluate=evaluate,
        learning_rate=learning_rate,
        batch_size=batch_size,
        **settings,
    )


def federation_of(
    samples: Sequence[tuple[Images, Labels]],
    n_classes: int,
    *,
    rng: np.random.Generator,
    evaluate: Evaluation,
    learning_rate: float = 0.2,
    batch_size: int = 20,
    **settings: Any,
) -> "Federation":
    """Put honest clients who hold these samples around the small CNN.

    Parameters
    ----------
    samples
        For each client (n, height, width, channels) float32 images in [0, 1] and (n,) int64 labels.
    n_classes
        How many classes the labels are of.
    rng, evaluate, learning_rate, batch_size, **settings
        As for `federation_on`.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.zeros((6, 84, 84, 3), np.float32), np.arange(6) % 2
    >>> rng = np.random.default_rng(0)
    >>> faces = federation_of([(x, y)] * 3, 2, rng=rng, evaluate=Evaluation(x, y))
    >>> len(faces.clients)
    3
    """
    load_tensorflow()
    from .clients import Client
    from .federation import Federation
    from .models import LocalTrainer, small_cnn

    clients = [Client(x, y) for x, y in samples]
    model = small_cnn(clients[0].x.shape[1:], n_classes, rng=rng)
    trainer = LocalTrainer(model, learning_rate=learning_rate, batch_size=batch_size)
    return Federation(trainer, clients, evaluate=evaluate, rng=rng, **settings)


def natural_federation(
    *,
    dataset: str,
    rng: np.random.Generator,
    n_clients: int | None = None,
    trigger: Trigger | None = None,
    target: int = 0,
    **settings: Any,
) -> "Federation":
    """Make a federation of people: every client holds the samples of one.

    Parameters
    ----------
    dataset, n_clients
        As the `name` and `n_clients` of `rfout.natural.load_natural`. The test set is what the
        clients held out.
    rng, trigger, target
        As for `standard_federation`.
    **settings
        As for `federation_of`.

    Returns
    -------
    :class:`~rfout.federation.Federation`
        At round 0.

    Raises
    ------
    ValueError
        If there are fewer people with enough samples, or a file is damaged.
    DatasetUnavailable
        If the data cannot be had.

    Examples
    --------
    >>> import numpy as np
    >>> natural_federation(dataset="mnist", rng=np.random.default_rng(0))
    Traceback (most recent call last):
    ValueError: unknown data set 'mnist'; with natural clients: femnist, celeba
    """
    data = load_natural(dataset, rng=rng, n_clients=n_clients)
    evaluate = Evaluation(data.x_test, data.y_test, trigger, target)
    return federation_of(data.clients, data.n_classes, rng=rng, evaluate=evaluate, **settings)
