"""RFOut-1d as a strategy of Flower's message API.

A reply is read where it lies and checked before it counts: one bad reply costs itself and nothing
else. Chapters: flower, flower-deployment.
"""

import math
import time
import warnings
from collections.abc import Iterable
from dataclasses import asdict
from logging import INFO, WARNING
from typing import Any, Literal

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord
from flwr.common import log
from flwr.serverapp import Grid
from flwr.serverapp.exception import AggregationError
from flwr.serverapp.strategy import FedAvg

from ..operator import Report, inputs, rfout1d
from . import _privacy, _replies
from ._replies import Layer, Layout
from ._round import Round, median_metrics

__all__ = ["RFOut1d"]


class RFOut1d(FedAvg):
    """Federated averaging that filters outliers on every parameter, and survives bad replies.

    Parameters
    ----------
    threshold, center, scale, replacement
        As `rfout.rfout1d` takes them; the defaults are the paper's rule.
    clip_norm
        Shorten every update (the reply minus the global model) to this L2 norm before the rule,
        positive, in the model's units; None does not. Norm clipping.
    noise
        Standard deviation of Gaussian noise on the aggregate in units of ``clip_norm / replies``,
        at least 0; with `clip_norm`, weak differential privacy.
    rng
        Where the noise comes from; needed if there is any.
    sends
        What the nodes send: "parameters" after training, as for Flower's own strategies; or
        "updates", parameters minus the global ones, which keep digits that parameters round away.
    on_invalid
        What to do about a reply with other keys, shapes or dtypes than the global model, with
        values that are not finite, or with a weight that is no positive number: "drop", go on
        without it; or "raise", end the run, as Flower's own strategies do where they notice.
    weighted
        Only False. The weight of a reply is its client's own claim, and one claim of 10¹² makes
        the weighted mean that client's model; nor does the bound that n = 11 rests on hold for
        weighted values.
    node_timeout
        How long a round waits for `min_available_nodes`, in seconds, before it gives up; None
        waits for ever, as Flower does.
    **fedavg
        What `flwr.serverapp.strategy.FedAvg` takes: fraction_train, min_train_nodes,
        min_available_nodes, arrayrecord_key and so on. Metrics of the clients are by default
        combined by their unweighted median, since those are claims too.

    Raises
    ------
    ValueError, TypeError
        If an argument is not one of those above.

    Notes
    -----
    The metrics of a round's training are those of the clients, and

    - ``replies``, ``replies-dropped``, ``replies-missing``: how many were aggregated; were invalid
      or an error that the node reported; were asked for and did not come;
    - ``node-ids``, ``flagged-share``, ``largest-z``: lists, an entry for each aggregated reply;
    - ``dropped-node-ids``, ``dropped-layers``: the same for the dropped ones, with the place of
      the offending layer in the model, -1 if it is none of them; and ``missing-node-ids``.

    Replies are sorted by node before they are summed: the order of arrival changes nothing. The
    aggregate has the global model's dtypes; whole numbers are rounded. If no reply is left, the
    global model stays.

    Source: doi:10.1016/j.knosys.2022.108588; clipping and noise: arXiv 1911.07963.
    Chapters: flower, flower-deployment.
    """

    def __init__(
        self, *, threshold: float = 3.0, center: Literal["mean", "median"] = "mean",
        scale: Literal["std", "mad"] = "std",
        replacement: Literal["center", "drop"] = "center",
        clip_norm: float | None = None, noise: float = 0.0,
        rng: np.random.Generator | None = None,
        sends: Literal["parameters", "updates"] = "parameters",
        on_invalid: Literal["drop", "raise"] = "drop",
        weighted: bool = False, node_timeout: float | None = None, **fedavg: Any,
    ) -> None:  # fmt: skip
        self.rule = inputs.read_rule(threshold, center, scale, replacement)
        inputs.check_choice("sends", sends, ("parameters", "updates"))
        inputs.check_choice("on_invalid", on_invalid, ("drop", "raise"))
        if weighted:
            raise ValueError(
                "weighted=True is refused: a reply's weight is what its client claims, and a "
                "client that claims enough would own the aggregate. RFOut-1d counts clients alike"
            )
        _privacy.check(clip_norm, noise, rng)
        if node_timeout is not None and not 0 <= node_timeout < math.inf:
            raise ValueError(f"node_timeout must be seconds, at least 0, not {node_timeout!r}")
        for name in ("train_metrics_aggr_fn", "evaluate_metrics_aggr_fn"):
            fedavg[name] = fedavg.get(name) or median_metrics
        super().__init__(**fedavg)
        self.clip_norm, self.noise, self.rng = clip_norm, noise, rng
        self.sends, self.on_invalid, self.node_timeout = sends, on_invalid, node_timeout
        self._start: tuple[Layout, dict[str, Layer]] | None = None  # the global model
        self._asked: set[int] | None = None  # the nodes that this round was sent to

    def summary(self) -> None:
        """Log the settings, as Flower's strategies do."""
        rule = ", ".join(f"{name} {value}" for name, value in asdict(self.rule).items())
        log(INFO, "\t├──> RFOut-1d: %s", rule)
        log(INFO, "\t│\t└── clip_norm %s, noise %s", self.clip_norm, self.noise)
        super().summary()

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Ask the nodes to train, and remember what was sent: replies must look like it.

        Raises
        ------
        flwr.serverapp.exception.AggregationError
            If too few nodes are there when `node_timeout` is over.
        """
        model = _replies.view(arrays)
        self._start = _replies.layout(model), model
        if self.fraction_train > 0:
            self._wait(grid, max(self.min_available_nodes, self.min_train_nodes))
        messages = list(super().configure_train(server_round, arrays, config, grid))
        self._asked = {message.metadata.dst_node_id for message in messages}
        return messages

    def _wait(self, grid: Grid, wanted: int) -> None:
        """Until enough nodes are there, with a line whenever their number changes."""
        if self.node_timeout is None:
            return
        end, said = time.monotonic() + self.node_timeout, -1
        while (there := len(list(grid.get_node_ids()))) < wanted:
            if there != said:
                log(INFO, "waiting for %d more nodes: %d of %d", wanted - there, there, wanted)
                said = there
            if time.monotonic() >= end:
                raise AggregationError(
                    f"gave up: {there} of {wanted} nodes after {self.node_timeout:g} s. Start more "
                    "nodes, ask for fewer (min_available_nodes), or wait longer (node_timeout)"
                )
            time.sleep(0.5)

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Check, filter and average the replies; give the new model and the round's metrics.

        Raises
        ------
        flwr.serverapp.exception.InconsistentMessageReplies
            For an invalid reply, with ``on_invalid="raise"`` only.
        """
        asked, self._asked = self._asked, None
        round_ = Round(server_round, asked, sorted(replies, key=_node), self.on_invalid)
        valid, errors = self._check_and_log_replies(round_.replies, is_train=True, validate=False)
        round_.failed(errors)
        layout = _replies.usual_layout(valid) if self._start is None else self._start[0]
        for reply in valid:
            round_.read(reply, layout, self.weighted_by_key)
        arrays, report = self._aggregate(round_, layout)
        contents = [reply.content for reply in round_.kept]
        clients = self.train_metrics_aggr_fn(contents, self.weighted_by_key) if contents else {}
        return arrays, MetricRecord({**clients, **round_.metrics(report)})

    def _aggregate(self, round_: Round, layout: Layout) -> tuple[ArrayRecord | None, Report | None]:
        model = list(self._start[1].values()) if self._start is not None else []
        if not model and (self.clip_norm is not None or self.sends == "updates"):
            raise ValueError("updates need the global model, which configure_train is given")
        if self.clip_norm is not None:
            round_.drop_not_finite(layout)
            origin: list[Any] = model if self.sends == "parameters" else [0] * len(model)
            round_.layers = [_privacy.clip(x, origin, self.clip_norm) for x in round_.layers]
        while round_.layers and layout.shapes:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)  # said below, of replies
                    result, report = rfout1d(round_.layers, return_report=True, **asdict(self.rule))
                break
            except ValueError:
                if not round_.drop_not_finite(layout):
                    raise
        else:
            log(WARNING, "round %d: no valid reply, the global model stays", round_.number)
            return None, None
        self._warn(len(round_.kept))
        result = [
            _cast(layer, dtype) for layer, dtype in zip(result, layout.dtypes.values(), strict=True)
        ]
        if self.noise and self.clip_norm is not None and self.rng is not None:
            std = self.noise * self.clip_norm / len(round_.kept)
            result = _privacy.noisy(result, std, self.rng)
        if self.sends == "updates":
            result = [np.asarray(a + b) for a, b in zip(model, result, strict=True)]
        arrays = {name: Array(layer) for name, layer in zip(layout.dtypes, result, strict=True)}
        return ArrayRecord(arrays), report

    def _warn(self, n: int) -> None:
        threshold = self.rule.threshold
        if self.rule.is_papers and threshold**2 >= n - 1:
            said = (
                f"{n} replies: a threshold of {threshold:g} flags nothing in fewer than "
                f"{math.floor(threshold**2) + 2}, and the aggregate is the plain mean"
            )
            log(WARNING, said)
            warnings.warn(said, stacklevel=4)

    def aggregate_evaluate(
        self, server_round: int, replies: Iterable[Message]
    ) -> MetricRecord | None:
        """Combine what nodes measured by its median; claims that are no numbers do not count."""
        valid, _ = self._check_and_log_replies(list(replies), is_train=False, validate=False)
        contents = [reply.content for reply in valid]
        return self.evaluate_metrics_aggr_fn(contents, self.weighted_by_key) if contents else None


def _cast(layer: Layer, dtype: np.dtype[Any]) -> Layer:
    """To the global model's dtype: whole numbers are rounded, so that the model keeps its form."""
    return np.asarray(layer if dtype.kind == "f" else np.rint(layer)).astype(dtype)


def _node(reply: Message) -> int:
    return int(reply.metadata.src_node_id)
