"""Not Sherpa.ai. Nodes that act together, and the server among them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .node import DataNode, Policy


@dataclass
class LabeledData:
    """Data and their labels; both may be replaced."""

    data: Any
    label: Any


class FederatedDataNode(DataNode):
    """A node of a federation: its one piece of data needs no name."""

    def __init__(self, nodes_federation_identifier: str) -> None:
        super().__init__()
        self._name = nodes_federation_identifier

    def set_private_data(self, data: Any) -> None:  # type: ignore[override]
        """As of a `DataNode`."""
        super().set_private_data(self._name, data)

    def configure_data_access(self, data_access_definition: Policy) -> None:  # type: ignore[override]
        """As of a `DataNode`."""
        super().configure_data_access(self._name, data_access_definition)

    def apply_data_transformation(  # type: ignore[override]
        self, federated_transformation: Policy, **kwargs: Any
    ) -> None:
        """As of a `DataNode`."""
        super().apply_data_transformation(self._name, federated_transformation, **kwargs)

    def query(self, private_property: str | None = None, **kwargs: Any) -> Any:
        """As of a `DataNode`."""
        return super().query(private_property or self._name, **kwargs)

    def train_model(self, **kwargs: Any) -> None:  # type: ignore[override]
        """As of a `DataNode`."""
        super().train_model(self._name, **kwargs)

    def evaluate(self, data: Any, labels: Any) -> tuple[Any, Any]:
        """Give the metrics on `data`, and on test data of the node's own, which it has not."""
        return super().evaluate(data, labels), None


class NodesFederation:
    """The nodes, in order. A node's method called on all of them gives the list of results."""

    def __init__(self, federated_data_nodes: list[FederatedDataNode] | None = None) -> None:
        self._nodes = [] if federated_data_nodes is None else federated_data_nodes

    def __getitem__(self, item: int) -> FederatedDataNode:
        return self._nodes[item]

    def __iter__(self) -> Iterator[FederatedDataNode]:
        return iter(self._nodes)

    def __getattr__(self, name: str) -> Callable[..., list[Any]]:
        if name.startswith("_") or not callable(getattr(FederatedDataNode, name, None)):
            raise AttributeError(f"neither a federation nor its nodes have {name!r}")
        return lambda *args, **kwargs: [getattr(node, name)(*args, **kwargs) for node in self]

    def num_nodes(self) -> int:
        """How many nodes there are."""
        return len(self._nodes)

    def append_data_node(self, data: Any) -> None:
        """Add a node with a copy of `data`."""
        node = FederatedDataNode(str(id(self)))
        node.set_private_data(data)
        self._nodes.append(node)


class ServerDataNode(FederatedDataNode):
    """The node that holds the global model and asks all others for theirs."""

    def __init__(
        self, nodes_federation: NodesFederation, model: Any, aggregator: Any, data: Any = None
    ) -> None:
        super().__init__(str(id(nodes_federation)))
        self._nodes_federation, self._aggregator = nodes_federation, aggregator
        self.set_model(model)
        self.set_private_data(data)

    def aggregate_weights(self) -> None:
        """Ask every node for its parameters, and take their aggregate for the global model."""
        params = self._nodes_federation.query_model_params()
        self._model.set_model_params(self._aggregator(params))

    def deploy_collaborative_model(self) -> None:
        """Send the global model to every node."""
        self._nodes_federation.set_model_params(self.query_model_params())

    def evaluate_collaborative_model(self, data: Any, labels: Any) -> None:
        """Print how good the global model is."""
        print(f"  the global model: {self.evaluate(data, labels)[0]}")


def federate_list(data: Sequence[Any], labels: Sequence[Any] | None = None) -> NodesFederation:
    """Make a node of each item of a list, labelled by the items of another."""
    federation = NodesFederation()
    for own, own_labels in zip(data, labels or [None] * len(data), strict=True):
        federation.append_data_node(LabeledData(own, own_labels))
    return federation
