"""What the server runs: rounds, and after each an evaluation, as a Flower ServerApp."""

from logging import INFO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from flwr.app import ArrayRecord, Context, MetricRecord
from flwr.common import log
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp import strategy as flowers
from flwr.serverapp.strategy import FedAvg, Result

from ._nodes import wait_for_nodes
from .experiment import federation, to_params, to_record
from .settings import Settings, read_settings
from .strategy import RFOut1d

if TYPE_CHECKING:
    from ..vocabulary import Params

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Run the experiment that the run's configuration describes, and keep what came of it.

    In ``context.state``: the record ``"arrays"``, and for each round ``"train-1"``,
    ``"evaluate-1"`` and so on.

    Examples
    --------
    >>> from rfout.flower import InProcessGrid, client_app, server_app
    >>> grid = InProcessGrid(client_app.app, 2, run_config={"num-server-rounds": 1})
    >>> context = grid.server_context()
    >>> server_app.app(grid, context)
    >>> sorted(context.state)
    ['arrays', 'evaluate-0', 'evaluate-1', 'train-1']
    """
    settings = read_settings(context.run_config)
    result = run(grid, settings)
    context.state["arrays"] = result.arrays
    for number, metrics in result.train_metrics_clientapp.items():
        lists = getattr(metrics, "per_node", {})  # which a message would leave behind
        context.state[f"train-{number}"] = MetricRecord({**metrics, **lists})
    for number, metrics in result.evaluate_metrics_serverapp.items():
        context.state[f"evaluate-{number}"] = metrics
    log(INFO, "%s, %d rounds: %s", settings.strategy, number, _in_words(metrics))


def run(grid: Grid, settings: Settings, params: "Params | None" = None) -> Result:
    """Run the rounds on any grid of Flower's.

    Parameters
    ----------
    grid
        What the ServerApp is given, or `rfout.flower.InProcessGrid`.
    settings
        What to run.
    params
        (n_params,) the global model to start from; None takes a new one.

    Returns
    -------
    flwr.serverapp.strategy.Result
        The last model, and the metrics of every round.

    Raises
    ------
    flwr.serverapp.exception.AggregationError
        If too few nodes come in time.

    Examples
    --------
    >>> from rfout.flower import InProcessGrid, client_app
    >>> from rfout.flower.settings import Settings
    >>> from rfout.flower.server_app import run
    >>> result = run(InProcessGrid(client_app.app, 2), Settings(num_server_rounds=1))
    >>> result.train_metrics_clientapp[1]["replies"]
    2
    """
    made = federation(settings)
    strategy = make_strategy(settings)
    first = to_record(made.trainer, made.params if params is None else params)
    return strategy.start(
        grid=grid,
        initial_arrays=first,
        num_rounds=settings.num_server_rounds,
        timeout=settings.round_timeout,
        evaluate_fn=Measure(settings),
    )


class Measure:
    """Central evaluation after each round: both accuracies on the test images, and a log line.

    Examples
    --------
    >>> from rfout.flower.settings import Settings
    >>> from rfout.flower.server_app import Measure
    >>> made = federation(Settings())
    >>> sorted(Measure(Settings())(0, to_record(made.trainer, made.params)))
    ['backdoor-accuracy', 'main-task-accuracy']
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.params: list[Params] = []

    def __call__(self, server_round: int, arrays: ArrayRecord) -> MetricRecord:
        """Give ``main-task-accuracy`` and ``backdoor-accuracy``, in [0, 1]."""
        made = federation(self.settings)
        params = to_params(made.trainer, arrays)
        # The generator that `rfout.federation` evaluates the same round with.
        rng = np.random.default_rng([made.seed, server_round, len(made.clients)])
        found = made.evaluate(lambda x: made.trainer.predict(params, x), rng)
        metrics = MetricRecord({name.replace("_", "-"): v for name, v in found.items()})
        log(INFO, "round %d: %s", server_round, _in_words(metrics))
        self.params.append(params)
        if self.settings.result_file:
            _write(Path(self.settings.result_file), self.params)
        return metrics


def _in_words(metrics: MetricRecord) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())


def _write(path: Path, params: "list[Params]") -> None:
    """Beside, then over the old one: who reads meanwhile sees one or the other, whole."""
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        np.savez(file, params=np.stack(params))
    beside.replace(path)


def make_strategy(settings: Settings) -> FedAvg:
    """Make RFOut-1d or one of Flower's own strategies, told how many adversaries there are.

    Examples
    --------
    >>> from rfout.flower.settings import read_settings
    >>> from rfout.flower.server_app import make_strategy
    >>> make_strategy(read_settings({"strategy": "krum", "adversaries": "0 7"})).num_malicious_nodes
    2
    """
    common: dict[str, Any] = {
        "fraction_evaluate": 0.0,
        "min_train_nodes": settings.min_nodes,
        "min_available_nodes": settings.min_nodes,
    }
    if settings.strategy == "rfout1d":
        return RFOut1d(
            threshold=settings.threshold,
            center=settings.center,  # type: ignore[arg-type]
            scale=settings.scale,  # type: ignore[arg-type]
            sends=settings.sends,  # type: ignore[arg-type]
            clip_norm=settings.clip_norm or None,
            noise=settings.noise,
            rng=np.random.default_rng([settings.seed, 1]),
            node_timeout=settings.node_timeout,
            **common,
        )
    k = len(settings.attackers)
    if settings.strategy in ("krum", "multikrum", "bulyan"):
        common["num_malicious_nodes"] = k
    if settings.strategy == "multikrum":
        common["num_nodes_to_select"] = settings.num_clients - k
    if settings.strategy == "fedtrimmedavg":
        common["beta"] = k / settings.num_clients
    names = {
        "fedavg": "FedAvg",
        "fedmedian": "FedMedian",
        "fedtrimmedavg": "FedTrimmedAvg",
        "krum": "Krum",
        "multikrum": "MultiKrum",
        "bulyan": "Bulyan",
    }
    strategy: FedAvg = getattr(flowers, names[settings.strategy])(**common)
    configure = strategy.configure_train

    def configure_in_time(*args: Any) -> Any:
        """Flower's own would wait for ever."""
        wait_for_nodes(args[-1], settings.min_nodes, settings.node_timeout)
        return configure(*args)

    strategy.configure_train = configure_in_time  # type: ignore[assignment, method-assign]
    return strategy
