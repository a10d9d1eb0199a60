"""RFOut-1d as a strategy of Flower's message API.

A reply is read where it lies and checked before it counts: one bad reply costs itself and nothing
else.
"""

from collections.abc import Iterable
from dataclasses import asdict
from logging import INFO, WARNING
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord
from flwr.common import log
from flwr.serverapp import Grid
from flwr.serverapp.exception import AggregationError
from flwr.serverapp.strategy import Result

from ..operator.rule import read_rule
from . import _arguments, _composition, _privacy, _replies
from ._aggregation import aggregate
from ._agreement import agree
from ._evaluation import Evaluation
from ._history import History
from ._metrics import median_metrics
from ._notices import Notices
from ._replies import Layer
from ._round import Round

if TYPE_CHECKING:
    import pandas as pd


class RFOut1d(Evaluation):
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
        What to do about a reply with other layers or shapes than the rest, with values that are
        not finite, or with a weight that is no positive number: "drop", go on without it; or
        "raise", end the run, as Flower's own strategies do where they notice.
    weighted
        Only False. The weight of a reply is its client's own claim, and one claim of 10¹² makes
        the weighted mean that client's model; nor does the bound that n = 11 rests on hold for
        weighted values.
    node_timeout
        How long a round waits for `min_available_nodes`, in seconds, before it gives up; None
        waits for ever, as Flower does.
    max_empty_rounds
        How many rounds in a row may end without a valid reply, at least 1: the last of them ends
        the run with an error that says why.
    **fedavg
        What `flwr.serverapp.strategy.FedAvg` takes: fraction_train, min_train_nodes,
        min_available_nodes, arrayrecord_key and so on. Metrics of the clients are by default
        combined by their unweighted median, since those are claims too.

    Attributes
    ----------
    arrays
        The global model of the round that was begun last: what is left if `start` raises.

    Raises
    ------
    ValueError, TypeError
        If an argument is not one of those above.

    Notes
    -----
    The layers are the model's, or what more than half of the replies agree on: a part of them, or
    the same ones under a prefix such as "module."; what they leave out stays as it is. Numbers are
    cast: the aggregate has the model's dtypes, whole numbers are rounded. Replies are sorted by
    node before they are summed: the order of arrival changes nothing. If no reply is left, the
    global model stays.

    The metrics of a round's training are those of the clients, and

    - ``replies``, ``replies-dropped``, ``replies-missing``: how many were aggregated; were invalid
      or an error that the node reported; were asked for and did not come;
    - ``flagged-share-mean``, ``flagged-share-max``, ``largest-z-max``, and ``most-flagged-node``,
      0 if nobody was flagged;
    - lists, which are read by their names and not iterated over, so that loggers see numbers:
      ``node-ids``, ``flagged-share``, ``largest-z``, with an entry for each aggregated reply;
      ``dropped-node-ids``, ``dropped-layers``, with the place of the offending layer in the
      model, -1 if it is none of them; and ``missing-node-ids``.

    A server optimiser of Flower's takes its step from the filtered mean in
    ``class RobustAdam(FedAdam, RFOut1d): pass``, which has the settings of both.

    Source: doi:10.1016/j.knosys.2022.108588; clipping and noise: arXiv 1911.07963.

    Examples
    --------
    >>> from rfout.flower import RFOut1d
    >>> strategy = RFOut1d(fraction_train=0.5, min_train_nodes=11, fraction_evaluate=0.0)
    >>> strategy.rule.threshold
    3.0
    """

    def __init__(
        self,
        *,
        threshold: float = 3.0,
        center: Literal["mean", "median"] = "mean",
        scale: Literal["std", "mad"] = "std",
        replacement: Literal["center", "drop"] = "center",
        clip_norm: float | None = None,
        noise: float = 0.0,
        rng: np.random.Generator | None = None,
        sends: Literal["parameters", "updates"] = "parameters",
        on_invalid: Literal["drop", "raise"] = "drop",
        weighted: bool = False,
        node_timeout: float | None = None,
        max_empty_rounds: int = 1,
        **fedavg: Any,
    ) -> None:
        if given := self.__dict__.pop("_settings", None):  # of a class with an optimiser
            RFOut1d.__init__(self, **given, **fedavg)
            return
        self.rule = read_rule(threshold, center, scale, replacement)
        _arguments.check(sends, on_invalid, weighted, node_timeout, max_empty_rounds)
        _privacy.check(clip_norm, noise, rng)
        for name in ("train_metrics_aggr_fn", "evaluate_metrics_aggr_fn"):
            fedavg[name] = fedavg.get(name) or median_metrics
        super().__init__(**fedavg)
        self.clip_norm, self.noise, self.rng = clip_norm, noise, rng
        self.sends, self.on_invalid, self.node_timeout = sends, on_invalid, node_timeout
        self.max_empty_rounds = max_empty_rounds
        self._begin()

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        _composition.check_order(cls, RFOut1d)
        _composition.take_settings(cls, RFOut1d)

    initialize_parameters = configure_fit = _composition.older_api

    def _begin(self) -> None:
        self.arrays: ArrayRecord | None = None
        self._model: dict[str, Layer] = {}
        self._asked: set[int] | None = None  # the nodes that this round was sent to
        self._empty = 0  # rounds without a valid reply, in a row
        self._history, self._notices = History(), Notices(self.rule)

    @property
    def history(self) -> "pd.DataFrame":
        """What became of whom: a row for each node that was asked, round after round.

        Columns: round; node; outcome, "aggregated", "dropped" or "missing"; flagged, the share of
        its parameters in [0, 1]; largest_z, as in `rfout.Report`; reason, why it is dropped or
        missing. `rfout.plots.nodes` draws it.
        """
        return self._history.table()

    def summary(self) -> None:
        """Log the settings, as Flower's strategies do."""
        rule = ", ".join(f"{name} {value}" for name, value in asdict(self.rule).items())
        log(INFO, "\t├──> RFOut-1d: %s", rule)
        log(INFO, "\t│\t└── clip_norm %s, noise %s", self.clip_norm, self.noise)
        super().summary()

    def start(self, grid: Grid, initial_arrays: ArrayRecord, *args: Any, **more: Any) -> Result:
        """Run the rounds, as Flower's strategies do; the result always holds a model.

        Raises
        ------
        flwr.serverapp.exception.AggregationError
            If `max_empty_rounds` in a row had no valid reply, if too few nodes came within
            `node_timeout`, or if the model is none that can be averaged.
        """
        self._begin()
        result = super().start(grid, initial_arrays, *args, **more)
        if not result.arrays:
            result.arrays = initial_arrays
        return result

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Ask the nodes to train, and remember what was sent: replies must look like it.

        Raises
        ------
        flwr.serverapp.exception.AggregationError
            As for `start`.
        """
        if self._asked:
            self._empty_round(
                f"round {server_round - 1}: the replies did not reach RFOut1d. A strategy around "
                "it kept them, as Flower's differential privacy does if a client fails"
            )
        self.arrays, self._model = arrays, _replies.model_of(arrays)
        self._wait(grid, self.fraction_train, self.min_train_nodes)
        messages = list(super().configure_train(server_round, arrays, config, grid))
        self._asked = {message.metadata.dst_node_id for message in messages}
        if messages:
            self._notices.of_few(len(messages), grid)
        return messages

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Check, filter and average the replies; give the new model and the round's metrics.

        Raises
        ------
        flwr.serverapp.exception.InconsistentMessageReplies
            For an invalid reply, with ``on_invalid="raise"`` only.
        flwr.serverapp.exception.AggregationError
            If there was no valid reply for the last time that `max_empty_rounds` allows, or the
            aggregate is no model.
        """
        (asked, self._asked), replies = (self._asked, None), list(replies)
        if not asked and not replies:
            return None, None  # nobody was to train
        done = Round(server_round, asked, self._model, self.on_invalid)
        done.read(replies, self.weighted_by_key)
        layout = agree(done.sent, self._model)
        done.fit(layout)
        arrays, report = aggregate(self, done, layout, self._model)
        self._history.add(done, report)
        if not done.kept:
            self._empty_round(done.nothing())
            return None, done.metrics(None, {})
        self._empty = 0
        self._notices.of_round(done, layout, report)
        metrics = self._combine(self.train_metrics_aggr_fn, done.kept)
        return arrays, done.metrics(report, metrics or {})

    def _empty_round(self, said: str) -> None:
        self._empty += 1
        if self._empty >= self.max_empty_rounds:
            raise AggregationError(
                f"{said}. The run ends: max_empty_rounds={self.max_empty_rounds}"
            )
        log(WARNING, said)
