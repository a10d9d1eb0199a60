"""Not Sherpa.ai. A node: data that stay where they are, and a model that comes to them."""

import copy
from collections.abc import Callable
from typing import Any

from .utils import unprotected_query

Policy = Callable[..., Any]


class DataNode:
    """One holder of private data, each piece under a name, and of its own copy of the model.

    What leaves a node goes through an access policy, a function of what is asked for. Data have
    none at first and cannot be queried; the model's parameters have one that hides nothing.
    """

    def __init__(self) -> None:
        self._private_data: dict[str, Any] = {}
        self._policies: dict[str, Policy] = {}
        self._model: Any = None
        self._params_policy: Policy = unprotected_query

    def set_private_data(self, name: str, data: Any) -> None:
        """Keep a copy of `data`."""
        self._private_data[name] = copy.deepcopy(data)

    def configure_data_access(self, name: str, data_access_definition: Policy) -> None:
        """Say what a query for this piece of data gives."""
        self._policies[name] = copy.deepcopy(data_access_definition)

    def configure_model_params_access(self, data_access_definition: Policy) -> None:
        """Say what a query for the model's parameters gives: the hook of an adversary, too."""
        self._params_policy = copy.deepcopy(data_access_definition)

    def apply_data_transformation(
        self, private_property: str, federated_transformation: Policy, **kwargs: Any
    ) -> None:
        """Let a function change the data in their place."""
        federated_transformation(self._private_data[private_property], **kwargs)

    def query(self, private_property: str, **kwargs: Any) -> Any:
        """Ask for data; a ValueError where no policy says what to give."""
        if private_property not in self._policies:
            raise ValueError("these data have no access policy: call configure_data_access first")
        return self._policies[private_property](self._private_data[private_property], **kwargs)

    def query_model_params(self) -> Any:
        """Ask for the parameters of the node's model."""
        return self._params_policy(self._model.get_model_params())

    def set_model(self, model: Any) -> None:
        """Keep a copy of a model."""
        self._model = copy.deepcopy(model)

    def set_model_params(self, model_params: Any) -> None:
        """Give the node's model a copy of these parameters."""
        self._model.set_model_params(copy.deepcopy(model_params))

    def train_model(self, training_data_key: str, **kwargs: Any) -> None:
        """Train the node's model on one piece of its labelled data."""
        own: Any = self._private_data.get(training_data_key)
        if not hasattr(own, "data") or not hasattr(own, "label"):
            raise ValueError("a node trains on labelled data: set_private_data(LabeledData(...))")
        self._model.train(own.data, own.label, **kwargs)

    def predict(self, data: Any) -> Any:
        """Label `data` by the node's model."""
        return self._model.predict(data)

    def evaluate(self, data: Any, labels: Any) -> Any:
        """Give the metrics of the node's model."""
        return self._model.evaluate(data, labels)

    def performance(self, data: Any, labels: Any) -> Any:
        """Give the main metric of the node's model."""
        return self._model.performance(data, labels)
