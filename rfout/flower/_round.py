"""One round's replies: who is kept, who is dropped and why, who never came."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from logging import DEBUG
from typing import Any

import numpy as np
from flwr.app import Message
from flwr.common import log
from flwr.serverapp.exception import InconsistentMessageReplies

from ..operator import Report
from . import _replies
from ._agreement import Layout
from ._metrics import MetricRecord
from ._replies import InvalidReplyError, Layer, brief

LATE = "no reply in time"


@dataclass(frozen=True)
class Lost:
    """A node whose reply does not count, and why; `layer` names one of the model's, if one is."""

    node: int
    reason: str
    layer: str | None = None


class Round:
    """The replies to one round.

    `asked` are the nodes that were sent the model, None if that is not known; `model` is what
    they were sent.
    """

    def __init__(
        self, number: int, asked: set[int] | None, model: Mapping[str, Layer], on_invalid: str
    ) -> None:
        self.number, self.asked, self.model, self.on_invalid = number, asked, model, on_invalid
        self.kept: list[Message] = []
        self.sent: list[Mapping[str, Layer]] = []  # the kept nodes' layers, as they came
        self.layers: list[list[Layer]] = []  # and as they are aggregated
        self.dropped: list[Lost] = []
        self.missing: list[Lost] = []

    def read(self, replies: list[Message], weight_key: str) -> None:
        """Take in the replies, sorted by node."""
        if self.asked is not None:
            came = {_node(reply) for reply in replies}
            self.missing = [Lost(node, LATE) for node in sorted(self.asked - came)]
        seen: set[int] = set()
        for reply in sorted(replies, key=_node):
            node = _node(reply)
            if not reply.has_error():
                try:
                    self._read(reply, node in seen, weight_key)
                    seen.add(node)
                except InvalidReplyError as error:
                    self._drop(node, error)
            # One of the SuperLink's own is about a missing node.
            elif self.asked is None or node in self.asked:
                self._drop(node, InvalidReplyError(client_error(reply.error.reason)), fails=False)
        for lost in self.missing:
            log(DEBUG, "round %d: node %d: %s", self.number, lost.node, lost.reason)

    def _read(self, reply: Message, again: bool, weight_key: str) -> None:
        if self.asked is not None and _node(reply) not in self.asked:
            raise InvalidReplyError("it was not asked")
        if self.asked is not None and again:
            raise InvalidReplyError("it has replied already")
        layers = _replies.read(reply, weight_key)
        if self.model and not layers:
            raise InvalidReplyError("no layers")
        self.kept.append(reply)
        self.sent.append(layers)

    def fit(self, layout: Layout) -> None:
        """Keep the replies that have the layout."""

        def check(sent: Mapping[str, Layer]) -> InvalidReplyError | None:
            try:
                self.layers.append(layout.fit(sent))
            except InvalidReplyError as error:
                return error
            return None

        self._keep([check(sent) for sent in self.sent])

    def drop_not_finite(self, layout: Layout) -> bool:
        """Drop replies with NaN or infinity; tell whether there was one."""
        found = [_replies.not_finite(layers, layout.names) for layers in self.layers]
        self.layers = [a for a, error in zip(self.layers, found, strict=True) if error is None]
        return self._keep(found)

    def _keep(self, found: list[InvalidReplyError | None]) -> bool:
        kept, self.kept, self.sent = self.kept, [], []
        for reply, error in zip(kept, found, strict=True):
            if error is None:
                self.kept.append(reply)
            else:
                self._drop(_node(reply), error)
        return len(self.kept) < len(kept)

    def _drop(self, node: int, error: InvalidReplyError, *, fails: bool = True) -> None:
        said = f"round {self.number}: the reply of node {node} is invalid: {error}"
        if fails and self.on_invalid == "raise":
            raise InconsistentMessageReplies(said)
        log(DEBUG, said)
        self.dropped.append(Lost(node, str(error), error.layer))

    @property
    def nodes(self) -> list[int]:
        """The nodes that are kept."""
        return [_node(reply) for reply in self.kept]

    @staticmethod
    def reason(lost: list[Lost]) -> str:
        """Say why replies do not count: the reason that most have, and how many that are."""
        kinds: dict[str, list[str]] = {}
        for one in lost:  # NaN at different places is one reason
            kinds.setdefault(re.sub(r"-?\d[\d.e+-]*", "#", one.reason), []).append(one.reason)
        usual = max(kinds.values(), key=len)
        return usual[0] if len(usual) == len(lost) else f"{len(usual)} of them: {usual[0]}"

    def line(self, report: Report | None, too_few: bool) -> str:
        """Say in a line what happened, however many nodes there are."""
        said = [f"{len(self.kept)} replies"]
        for what, lost in (("dropped", self.dropped), ("missing", self.missing)):
            if lost:
                why = "" if lost is self.missing else f" ({self.reason(lost)})"
                said.append(f"{len(lost)} {what}{why}")
        if too_few:
            said.append("too few to flag anything")
        elif report is not None and np.max(report.flagged) > 0:
            most = int(np.argmax(report.flagged))
            share = f"{100 * report.flagged[most]:.3g} % of the parameters"
            said.append(f"most flagged: node {self.nodes[most]}, {share}")
        return f"round {self.number}: {', '.join(said)}"

    def nothing(self) -> str:
        """Say why no reply is left."""
        lost = [*self.dropped, *self.missing]
        why = self.reason(lost) if lost else "nobody replied"
        said = f"round {self.number}: no valid reply, the global model stays; of {len(lost)}: {why}"
        if "secaggplus" in why:
            said += ". Secure aggregation hides the replies, which the rule has to see: leave "
            said += "secaggplus_mod away"
        return said

    def metrics(self, report: Report | None, clients: Mapping[str, Any]) -> MetricRecord:
        """Give what `RFOut1d` documents as the metrics of a round."""
        places = {name: place for place, name in enumerate(self.model)}
        dropped = sorted(self.dropped, key=lambda lost: lost.node)
        numbers: dict[str, Any] = {
            "replies": len(self.kept),
            "replies-dropped": len(self.dropped),
            "replies-missing": len(self.missing),
        }
        lists: dict[str, list[Any]] = {
            "dropped-node-ids": [lost.node for lost in dropped],
            "dropped-layers": [places.get(lost.layer or "", -1) for lost in dropped],
            "missing-node-ids": [lost.node for lost in self.missing],
        }
        if report is not None:
            most = int(np.argmax(report.flagged))
            numbers["flagged-share-mean"] = float(report.flagged.mean())
            numbers["flagged-share-max"] = float(report.flagged[most])
            numbers["most-flagged-node"] = self.nodes[most] if report.flagged[most] else 0
            numbers["largest-z-max"] = float(np.max(report.largest_z))
            lists["node-ids"] = self.nodes
            lists["flagged-share"] = report.flagged.tolist()
            lists["largest-z"] = report.largest_z.tolist()
        return MetricRecord({**clients, **numbers}, per_node=lists)


def client_error(reason: str | None) -> str:
    """Find the client's own exception in what Flower reports of it, on Ray with a traceback."""
    text = re.sub(r"\x1b\[\d+m", "", (reason or "")[-20_000:])
    text = re.sub(r"^<class '(?:\w+\.)*(\w+)'>:<'(.*)'>$", r"\1: \2", text, flags=re.DOTALL)
    if "Traceback" in text or "The above exception was" in text:
        text = (re.findall(r"^(?:\w+\.)*(\w+: .+)$", text, re.MULTILINE) or [text])[-1]
    return brief(text or "an error without a reason", 200)


def _node(reply: Message) -> int:
    return int(reply.metadata.src_node_id)
