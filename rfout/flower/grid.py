"""Flower's apps in this process: node after node, deterministic, without Ray or a SuperLink."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from logging import DEBUG, ERROR
from typing import Any

from flwr.app import Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.common import log
from flwr.common.constant import SUPERLINK_NODE_ID, ErrorCode
from flwr.serverapp import Grid
from flwr.supercore.run import Run
from flwr.supercore.task_identity import TaskIdentity

FIRST_NODE = 100  # number of the first node; 1 is the SuperLink's own


class InProcessGrid(Grid):
    """Nodes in this process that answer in the order of the messages.

    Parameters
    ----------
    client_app
        What every node runs.
    n_nodes
        How many nodes there are; node i has the number 100 + i.
    run_config
        The configuration of the run, as `flwr run` would pass it on.
    node_configs
        One for each node; None gives node i ``partition-id = i`` and ``num-partitions = n_nodes``,
        as Flower's simulation does.
    workers
        How many nodes answer at a time, each in a thread: for client apps that can.

    Raises
    ------
    ValueError
        If there is no node, or another number of configurations.

    Notes
    -----
    A client that raises answers with an error, and the others go on, as in Flower; the log shows
    its traceback, and not again where others fail in the same way. Messages can be made only inside
    a run, so this gives the process the identity of one, by an internal class of Flower's.

    Examples
    --------
    >>> import numpy as np
    >>> from flwr.app import Array, ArrayRecord, MetricRecord
    >>> from rfout.flower import InProcessGrid, RFOut1d
    >>> app = ClientApp()
    >>> @app.train()
    ... def train(message, context):
    ...     layer = message.content["arrays"]["w"].numpy() + context.node_config["partition-id"]
    ...     arrays, examples = ArrayRecord({"w": Array(layer)}), MetricRecord({"num-examples": 1})
    ...     return Message(RecordDict({"arrays": arrays, "metrics": examples}), reply_to=message)
    >>> first = ArrayRecord({"w": Array(np.zeros(4))})
    >>> strategy = RFOut1d(fraction_evaluate=0.0)
    >>> result = strategy.start(InProcessGrid(app, 20), first, num_rounds=1)
    >>> result.arrays["w"].numpy()
    array([9.5, 9.5, 9.5, 9.5])
    """

    def __init__(
        self,
        client_app: ClientApp,
        n_nodes: int,
        *,
        run_config: Mapping[str, Any] | None = None,
        node_configs: Sequence[Mapping[str, Any]] | None = None,
        workers: int = 1,
    ) -> None:
        if n_nodes < 1:
            raise ValueError(f"a grid needs nodes, at least one, not {n_nodes}")
        if node_configs is None:
            node_configs = [{"partition-id": i, "num-partitions": n_nodes} for i in range(n_nodes)]
        if len(node_configs) != n_nodes:
            raise ValueError(f"{len(node_configs)} node configurations for {n_nodes} nodes")
        self.client_app = client_app
        self.run_config = dict(run_config or {})
        self._run = Run.create_empty(run_id=1)
        self._contexts = {
            FIRST_NODE + i: Context(1, FIRST_NODE + i, dict(own), RecordDict(), self.run_config)
            for i, own in enumerate(node_configs)
        }
        self._answers: dict[str, Message] = {}
        self._said: set[str] = set()  # what failed before, and was shown
        self._names = map(str, itertools.count(1))
        self.workers = workers
        TaskIdentity.run_id, TaskIdentity.task_id = 1, 1
        TaskIdentity.node_id = SUPERLINK_NODE_ID

    def server_context(self) -> Context:
        """Make the context in which a ServerApp runs: ``server_app(grid, context)``."""
        return Context(1, SUPERLINK_NODE_ID, {}, RecordDict(), self.run_config)

    def set_run(self, run: Run) -> None:
        """Set what `run` gives."""
        self._run = run

    @property
    def run(self) -> Run:
        """The run that the apps are told they are in."""
        return self._run

    def create_message(
        self,
        content: RecordDict,
        message_type: str,
        dst_node_id: int,
        group_id: str,
        ttl: float | None = None,
    ) -> Message:
        """Make a message to a node."""
        return Message(content, dst_node_id, message_type, group_id=group_id, ttl=ttl)

    def get_node_ids(self) -> list[int]:
        """Give the numbers of all nodes."""
        return list(self._contexts)

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        """Let each node answer now; gives the messages' names for `pull_messages`."""
        sent = list(messages)
        names = [next(self._names) for _ in sent]
        for name, message in zip(names, sent, strict=True):
            message.metadata.__dict__["_message_id"] = name
        with ThreadPoolExecutor(self.workers) as pool:
            self._answers.update(zip(names, pool.map(self._answer, sent), strict=True))
        return names

    def _answer(self, message: Message) -> Message:
        node = message.metadata.dst_node_id
        try:
            reply = self.client_app(message, self._contexts[node])
        except Exception as error:  # whatever a client's own code raises is that client's loss
            reason = f"{type(error).__name__}: {error}"
            said, self._said = reason in self._said, self._said | {reason}
            level = DEBUG if said else ERROR
            log(level, "the client app of node %d failed: %s", node, reason, exc_info=not said)
            reply = Message(Error(ErrorCode.CLIENT_APP_RAISED_EXCEPTION, reason), reply_to=message)
        reply.metadata.__dict__["_message_id"] = f"reply to {message.metadata.message_id}"
        return reply

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        """Hand out the answers, each once."""
        return [self._answers.pop(name) for name in message_ids if name in self._answers]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> list[Message]:
        """Send, and give all answers; nobody is waited for, so no `timeout` is needed."""
        return self.pull_messages(self.push_messages(messages))
