"""Not Sherpa.ai. Who does what in a round, in which order."""

from typing import Any

from .private.federated_operation import NodesFederation, ServerDataNode


class FederatedGovernment:
    """Run rounds: the nodes train, the server aggregates, the nodes get the new model.

    Parameters
    ----------
    model
        A `TrainableModel`; every node, and the server, gets a copy.
    nodes_federation
        The nodes.
    aggregator
        Makes one model's parameters out of the list of all nodes'.
    server_node
        Instead of an aggregator: a server that has one, with evaluation of its own.
    """

    def __init__(
        self,
        model: Any,
        nodes_federation: NodesFederation,
        aggregator: Any = None,
        server_node: ServerDataNode | None = None,
    ) -> None:
        if aggregator is None and server_node is None:
            raise AssertionError("a government needs an aggregator, or a server_node with one")
        self._nodes_federation = nodes_federation
        nodes_federation.set_model(model)
        if server_node is None:
            server_node = ServerDataNode(nodes_federation, model, aggregator)
        self._server = server_node

    def run_rounds(
        self, n_rounds: int, test_data: Any, test_label: Any, eval_freq: int = 1
    ) -> None:
        """Run rounds, and print how they go in every `eval_freq`-th one."""
        for number in range(n_rounds):
            shown = number % eval_freq == 0
            self._nodes_federation.train_model()
            if shown:
                print(f"Round {number} of the stand-in")
                self.evaluate_clients(test_data, test_label)
            self._server.aggregate_weights()
            self._server.deploy_collaborative_model()
            if shown:
                self._server.evaluate_collaborative_model(test_data, test_label)

    def evaluate_clients(self, data: Any, labels: Any) -> None:
        """Print what each node's own model achieves."""
        for node, (on_all, on_own) in enumerate(self._nodes_federation.evaluate(data, labels)):
            print(f"  node {node}: on the test data {on_all}, on its own {on_own}")
