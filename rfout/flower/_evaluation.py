"""The half of the strategy that measures: federated evaluation, and metrics that are claims."""

from collections.abc import Iterable
from typing import Any

from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg

from ._metrics import alike, median_metrics
from ._nodes import wait_for_nodes
from ._notices import Notices
from ._round import Round


class Evaluation(FedAvg):
    """Federated averaging that waits for nodes with an end, and distrusts what they measured."""

    node_timeout: float | None
    _notices: Notices

    def _wait(self, grid: Grid, fraction: float, least: int) -> None:
        """Wait for the nodes that a round asks, if it asks any."""
        if fraction > 0 and self.node_timeout is not None:
            wait_for_nodes(grid, max(self.min_available_nodes, least), self.node_timeout)

    def configure_evaluate(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Ask the nodes to evaluate.

        Raises
        ------
        flwr.serverapp.exception.AggregationError
            If too few nodes are there within `node_timeout`.
        """
        self._wait(grid, self.fraction_evaluate, self.min_evaluate_nodes)
        return super().configure_evaluate(server_round, arrays, config, grid)

    def aggregate_evaluate(
        self, server_round: int, replies: Iterable[Message]
    ) -> MetricRecord | None:
        """Combine what nodes measured by its median; claims that are no numbers do not count."""
        replies = list(replies)
        valid = [reply for reply in replies if not reply.has_error()]
        if failed := [reply for reply in replies if reply.has_error()]:
            done = Round(server_round, None, {}, "drop")
            done.read(failed, self.weighted_by_key)
            self._notices.of_evaluation(done, len(replies))
        return self._combine(self.evaluate_metrics_aggr_fn, valid) if valid else None

    def _combine(self, combine: Any, replies: list[Message]) -> MetricRecord | None:
        contents = [reply.content for reply in replies]
        found: MetricRecord | None = combine(
            contents if combine is median_metrics else alike(contents), self.weighted_by_key
        )
        return found
