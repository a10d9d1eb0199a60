"""One round's replies: who is kept, who is dropped and why, who never came."""

import statistics
from collections import defaultdict
from logging import WARNING
from typing import Any

from flwr.app import Message, MetricRecord, RecordDict
from flwr.common import log
from flwr.serverapp.exception import InconsistentMessageReplies

from ..operator import Report
from . import _replies
from ._replies import InvalidReplyError, Layer, Layout

LARGEST = 1e300  # of a metric that is taken for a number; NaN is not below it


class Round:
    """The replies to one round, sorted by node.

    `asked` are the nodes that were sent the model, None if that is not known.
    """

    def __init__(
        self, number: int, asked: set[int] | None, replies: list[Message], on_invalid: str
    ) -> None:
        self.number, self.asked, self.replies, self.on_invalid = number, asked, replies, on_invalid
        self.kept: list[Message] = []
        self.layers: list[list[Layer]] = []
        self.dropped: list[tuple[int, int]] = []  # node, layer
        came = {reply.metadata.src_node_id for reply in replies}
        self.missing = sorted(asked - came) if asked is not None else []
        for node in self.missing:
            log(WARNING, "round %d: node %d did not reply", number, node)

    def failed(self, errors: list[Message]) -> None:
        """Count the errors that nodes sent; one of the SuperLink's own is about a missing node."""
        nodes = [reply.metadata.src_node_id for reply in errors]
        self.dropped += [(n, -1) for n in nodes if self.asked is None or n in self.asked]

    def read(self, reply: Message, layout: Layout, weight_key: str) -> None:
        """Keep a valid reply, drop another."""
        node = reply.metadata.src_node_id
        try:
            if self.asked is not None and node not in self.asked:
                raise InvalidReplyError("it was not asked")
            if self.asked is not None and node in {r.metadata.src_node_id for r in self.kept}:
                raise InvalidReplyError("it has replied already")
            self.layers.append(_replies.read(reply, layout, weight_key))
            self.kept.append(reply)
        except InvalidReplyError as error:
            self._drop(reply, error)

    def drop_not_finite(self, layout: Layout) -> bool:
        """Drop replies with NaN or infinity; tell whether there was one."""
        pairs, found = list(zip(self.kept, self.layers, strict=True)), False
        self.kept, self.layers = [], []
        for reply, layers in pairs:
            error = _replies.not_finite(layers, layout.shapes)
            if error is None:
                self.kept.append(reply)
                self.layers.append(layers)
            else:
                self._drop(reply, error)
                found = True
        return found

    def _drop(self, reply: Message, error: InvalidReplyError) -> None:
        node = reply.metadata.src_node_id
        said = f"round {self.number}: the reply of node {node} is invalid: {error}"
        if self.on_invalid == "raise":
            raise InconsistentMessageReplies(said)
        log(WARNING, "%s. It is dropped", said)
        self.dropped.append((node, error.layer))

    def metrics(self, report: Report | None) -> dict[str, Any]:
        """Give what `RFOut1d` documents as the metrics of a round."""
        numbers: dict[str, Any] = {
            "replies": len(self.kept),
            "replies-dropped": len(self.dropped),
            "replies-missing": len(self.missing),
            "dropped-node-ids": [node for node, _ in self.dropped],
            "dropped-layers": [layer for _, layer in self.dropped],
            "missing-node-ids": self.missing,
        }
        if report is not None:
            numbers["node-ids"] = [reply.metadata.src_node_id for reply in self.kept]
            numbers["flagged-share"] = report.flagged.tolist()
            numbers["largest-z"] = report.largest_z.tolist()
        return numbers


def median_metrics(contents: list[RecordDict], weight_key: str) -> MetricRecord:
    """Combine the clients' metrics by their median, unweighted: they are claims.

    A metric counts if more than half of the clients give it as one finite number.
    """
    given: dict[str, list[float]] = defaultdict(list)
    for content in contents:
        for record in content.metric_records.values():
            for name, value in record.items():
                if name != weight_key and not isinstance(value, list) and abs(value) < LARGEST:
                    given[name].append(float(value))
    usual = {name: values for name, values in given.items() if 2 * len(values) > len(contents)}
    return MetricRecord({name: statistics.median(values) for name, values in usual.items()})
