"""RFOut-1d as an aggregator of Sherpa.ai's framework, in both of its APIs.

The framework hands an aggregator the full parameters of every node, as live references, and takes
what it gives for the new global model. The rule does not mind: it moves with a shift. What is said
of updates, such as their norm, needs the global parameters that the nodes started from.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..defences import clip_updates
from ..operator import Center, Replacement, Report, Scale, rfout1d
from ..operator.rule import check_choice, read_rule
from ..operator.sent import as_array
from ._params import flatten, nest, usual_outline
from .backend import load

Layers = list[NDArray[Any]]


def _base() -> type:
    shfl = load()
    return object if shfl is None else shfl.federated_aggregator.FedAvgAggregator


_Base: Any = _base()


class RFOut1d(_Base):
    """RFOut-1d for `shfl`: give one to its `FederatedGovernment`.

    A kind of the framework's `FedAvgAggregator` where that can be imported. The API of January
    2021 calls `aggregate_weights`, the last one calls the object itself; both do the same.

    Parameters
    ----------
    start
        The global parameters that the nodes start from, as ``model.get_model_params()`` gives
        them. With them the rule works on updates, and from then on follows the global model by
        what it has given itself: one aggregator serves one federation. None: it works on the full
        parameters, with the same result but for the last digits.
    max_norm
        Clip every node's update, over all its layers, to this L2 norm before the rule, as
        `rfout.defences.clip_updates` does. Needs `start`.
    noise
        Standard deviation of Gaussian noise on the aggregate, in units of ``max_norm`` over the
        number of clients that counted: weak differential privacy. Needs `max_norm` and `rng`.
    rng
        Where the noise comes from.
    threshold, center, scale, replacement, on_invalid
        As for `rfout.rfout1d`.

    Attributes
    ----------
    reports
        A `rfout.Report` for each round.

    Raises
    ------
    ValueError, TypeError
        If an argument is not one of those above.

    Notes
    -----
    Source: doi:10.1016/j.knosys.2022.108588.

    Examples
    --------
    >>> import numpy as np
    >>> nodes = [[np.full(2, value), np.zeros(1)] for value in [0.0] * 11 + [12.0]]
    >>> RFOut1d()(nodes)[0].round(3)
    array([0.083, 0.083])
    """

    def __init__(
        self,
        *,
        start: Any = None,
        max_norm: float | None = None,
        noise: float = 0.0,
        rng: np.random.Generator | None = None,
        threshold: float = 3.0,
        center: Center = "mean",
        scale: Scale = "std",
        replacement: Replacement = "center",
        on_invalid: Literal["raise", "drop"] = "raise",
    ) -> None:
        super().__init__()
        read_rule(threshold, center, scale, replacement)
        check_choice("on_invalid", on_invalid, ("raise", "drop"))
        if max_norm is not None:
            clip_updates([], max_norm)  # says what is wrong with it
        if max_norm is not None and start is None:
            raise ValueError(
                "max_norm clips updates, which are parameters minus the global ones: give those "
                "as start=model.get_model_params()"
            )
        if not 0 <= noise < math.inf:
            raise ValueError(f"noise must be a number that is not negative, not {noise!r}")
        if noise > 0 and (max_norm is None or rng is None):
            raise ValueError("noise is measured in max_norm and drawn from rng: give both")
        self.reports: list[Report] = []
        self._rule: dict[str, Any] = {
            "threshold": threshold,
            "center": center,
            "scale": scale,
            "replacement": replacement,
            "on_invalid": on_invalid,
        }
        self._max_norm, self._noise, self._rng = max_norm, noise, rng
        # Copies: the framework trains what it was given in place.
        self._received = None if start is None else [np.array(one) for one in flatten(start)]

    def __call__(self, clients_params: Sequence[Any]) -> Any:
        """Aggregate one round.

        Parameters
        ----------
        clients_params
            Each node's parameters: a list of layers, as nested as the framework allows, or one
            array. Never changed.

        Returns
        -------
        list, tuple or array
            The new global parameters, nested and of the dtypes as most nodes sent them; new arrays.

        Raises
        ------
        ValueError, TypeError
            As `rfout.rfout1d`, which names the client and the layer; and if fewer than
            half of the clients sent layers of the shapes of `start`.

        Warns
        -----
        UserWarning
            As `rfout.rfout1d`.
        """
        if not isinstance(clients_params, (list, tuple)):
            raise TypeError(
                "clients_params must be a list with the parameters of each client, not "
                f"{type(clients_params).__name__}"
            )
        sent = [flatten(params) for params in clients_params]
        updates = sent if self._received is None else self._updates(sent, self._received)
        aggregate, report = rfout1d(updates, return_report=True, **self._rule)
        layers: Layers = list(aggregate)
        if self._noise > 0:
            layers = self._noisy(layers, len(sent) - len(report.left_out))
        if self._received is not None:
            layers = [_moved(old, by) for old, by in zip(self._received, layers, strict=True)]
            self._received = [layer.copy() for layer in layers]
        self.reports.append(report)
        return nest(iter(layers), usual_outline(clients_params))

    def aggregate_weights(self, clients_params: Sequence[Any]) -> Any:
        """Aggregate one round, under the name that the API of January 2021 calls."""
        return self(clients_params)

    def _updates(self, sent: list[list[Any]], received: Layers) -> list[list[Any]]:
        """Each client's update, clipped; what is none stays as sent: the rule says why."""
        updates, n_fit = [], 0
        for layers in sent:
            arrays = [as_array(layer) for layer in layers]
            shapes = [array.shape for array, _ in arrays]
            fits = shapes == [layer.shape for layer in received]
            n_fit += fits
            if fits and not any(problem for _, problem in arrays):
                layers = [
                    _minus(array, old) for (array, _), old in zip(arrays, received, strict=True)
                ]
                if self._max_norm is not None:
                    layers = _clip(layers, self._max_norm)
            updates.append(layers)
        if 2 * n_fit <= len(sent) and sent:
            raise ValueError(
                f"start has layers of shapes {[layer.shape for layer in received]}, and only "
                f"{n_fit} of {len(sent)} clients sent these: give the model's own parameters"
            )
        return updates

    def _noisy(self, layers: Layers, n_clients: int) -> Layers:
        assert self._max_norm is not None  # checked together with the noise
        assert self._rng is not None
        std = self._noise * self._max_norm / n_clients
        return [
            np.asarray(layer + self._rng.normal(0.0, std, layer.shape), layer.dtype)
            for layer in layers
        ]


def _minus(sent: NDArray[Any], received: NDArray[Any]) -> NDArray[Any]:
    kind = np.result_type(sent, received)
    kind = kind if kind.kind == "f" else np.dtype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # it is found not finite, and reported
        return np.asarray(np.subtract(sent, received, dtype=kind))


def _moved(old: NDArray[Any], by: NDArray[Any]) -> NDArray[Any]:
    """The sum, in the dtype of the global model, whatever one node may have sent."""
    return np.asarray(old + (by.astype(old.dtype) if old.dtype.kind == "f" else by))


def _clip(update: Layers, max_norm: float) -> Layers:
    try:
        return [np.asarray(layer) for layer in clip_updates([update], max_norm)[0]]
    except ValueError:  # not finite
        return update
