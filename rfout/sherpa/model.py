"""The book's Keras model in the shape that the framework trains.

The framework's own wrapper for Keras needs Keras 2, and would build a model for each node. This is
a `TrainableModel` of one's own, as its authors provide for: twenty copies, one compiled step.
"""

from copy import copy
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..evaluation import main_task_accuracy

if TYPE_CHECKING:  # they load TensorFlow
    from collections.abc import Mapping

    from .. import clients
    from ..models import LocalTrainer

Params = NDArray[np.float32]


class LocalModel:
    """Parameters of one node, trained by a `LocalTrainer` that all nodes share.

    Has the methods of the framework's `TrainableModel`. The framework deep-copies the model for
    every node and for the server; a copy takes the parameters and shares the trainer. The copies
    are numbered in the order in which they first train: give each government a model of its own.

    Parameters
    ----------
    trainer
        The shared model and its compiled step.
    seed
        The rounds' randomness: node i in round t shuffles by ``default_rng([seed, t, i])``, as
        client i of a `rfout.federation.Federation` with that seed does.
    params
        (n_params,) where to start; None takes what the trainer's model came with.
    epochs
        Local epochs.
    roles
        By node: a `rfout.clients.Client` whose way of making an update the node takes, on the
        node's own data; a `rfout.attacks.Backdoor`, say. What it sends is in float64, which has
        the digits for a boosted update on top of the parameters.
    rounds_done
        The round that `params` are from; the first one trained is the next.

    Examples
    --------
    >>> import numpy as np
    >>> from rfout.models import LocalTrainer, small_cnn
    >>> rng = np.random.default_rng(0)
    >>> model = LocalModel(LocalTrainer(small_cnn((12, 12, 1), 3, rng=rng)), seed=7)
    >>> model.train(rng.uniform(size=(6, 12, 12, 1)).astype(np.float32), np.arange(6) % 3)
    >>> len(model.get_model_params())
    8
    """

    def __init__(
        self,
        trainer: "LocalTrainer",
        *,
        seed: int,
        params: Params | None = None,
        epochs: int = 1,
        roles: "Mapping[int, clients.Client] | None" = None,
        rounds_done: int = 0,
    ) -> None:
        self._trainer, self._seed, self._epochs, self._roles = trainer, seed, epochs, roles or {}
        self._params = (trainer.initial_params if params is None else params).copy()
        self._node, self._round, self._numbers = -1, rounds_done, count()

    def __deepcopy__(self, memo: dict[int, Any]) -> "LocalModel":
        copied = copy(self)
        copied._params = self._params.copy()
        return copied

    def train(self, data: Any, labels: Any, **kwargs: Any) -> None:
        """Train a round on (n, height, width, channels) images and their (n,) labels."""
        if self._node < 0:
            self._node = next(self._numbers)
        self._round += 1
        rng = np.random.default_rng([self._seed, self._round, self._node])
        params = self._params.astype(np.float32)
        if self._node not in self._roles:
            self._params = self._trainer.train(params, data, labels, epochs=self._epochs, rng=rng)
            return
        role = replace(self._roles[self._node], x=data, y=labels)
        from ..clients import Round

        now = Round(self._round, (self._node,), (self._node,), self._epochs)
        update = role.update(self._trainer, params, now, rng)
        self._params = params.astype(np.float64) + update

    def predict(self, data: Any) -> Any:
        """Label (n, height, width, channels) images; gives (n,) int64."""
        return self._trainer.predict(self._params.astype(np.float32), data)

    def evaluate(self, data: Any, labels: Any) -> list[float]:
        """Give the main-task accuracy, in a list of metrics as the framework has it."""
        return [main_task_accuracy(self.predict, data, labels)]

    def performance(self, data: Any, labels: Any) -> float:
        """Give the main-task accuracy."""
        return self.evaluate(data, labels)[0]

    def get_model_params(self) -> list[Params]:
        """Give the layers: views of the parameters, as the framework's own models do."""
        return list(self._trainer.unflatten(self._params).values())

    def set_model_params(self, params: list[Params]) -> None:
        """Take layers of the model's shapes."""
        self._params = np.concatenate([np.ravel(layer) for layer in params]).astype(np.float32)
