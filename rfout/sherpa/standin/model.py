"""Not Sherpa.ai. What a model needs so that nodes can train it."""

from abc import ABC, abstractmethod
from typing import Any


class TrainableModel(ABC):
    """A model as the nodes see it; parameters are a list of arrays, one a layer."""

    @abstractmethod
    def train(self, data: Any, labels: Any, **kwargs: Any) -> None:
        """Train on one node's data."""

    @abstractmethod
    def predict(self, data: Any) -> Any:
        """Give a label for each item of `data`."""

    @abstractmethod
    def evaluate(self, data: Any, labels: Any) -> Any:
        """Give the metrics on `data`."""

    @abstractmethod
    def performance(self, data: Any, labels: Any) -> Any:
        """Give the one metric that says most."""

    @abstractmethod
    def get_model_params(self) -> Any:
        """Give the parameters: references, not copies."""

    @abstractmethod
    def set_model_params(self, params: Any) -> None:
        """Take parameters."""
