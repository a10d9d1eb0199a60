"""The settings of rivals that have one to choose, by one rule on rounds without an attack.

The rule: the strongest setting that costs less than a point of main-task accuracy. A defender can
follow it, since it needs no attack. ``python -m rfout.experiments.tuning`` makes the table.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
from tqdm import tqdm

from ..defences import clip_first, flame, mean, rlr, weak_dp
from ..operator.inputs import NotFiniteError
from .origin import origin_now
from .results import RESULTS, write_file
from .run import warm_up
from .search import DIGITS
from .suites import NON_IID

FILE = RESULTS / "tuning.csv"
SEEDS = range(1, 6)  # none of them is used for a comparison
N_ROUNDS, LAST = 20, 5
MOST = 0.01

GRIDS: dict[str, tuple[Callable[..., Any], str, tuple[float, ...]]] = {
    "weak DP": (partial(weak_dp, max_norm="median", rng=0), "noise", (0.05, 0.1, 0.2, 0.4, 0.8)),
    "RLR": (rlr, "threshold", (4, 6, 8, 10)),
    "FLAME": (partial(flame, rng=0), "noise", (0.003, 0.01, 0.03, 0.1)),
}


def _costs() -> pd.DataFrame:
    """Measure what each setting costs.

    Returns
    -------
    pandas.DataFrame
        A row a defence, value, partition and seed, with `cost`: main-task accuracy lost against the
        mean, averaged over the last five of twenty rounds: noise adds up.
    """
    rows = []
    for setting in (DIGITS, NON_IID):
        for seed in tqdm(SEEDS, desc=setting.partition):
            warm = warm_up(setting, seed)

            def accuracy(aggregator: Callable[[Any], Any], warm: Any = warm) -> float:
                try:
                    history = warm.fork(aggregator=aggregator).run(N_ROUNDS)
                except NotFiniteError:  # the updates of a model that has diverged
                    return 0.0
                return float(history["main_task_accuracy"].iloc[-LAST:].mean())

            reached = accuracy(mean)
            for defence, (rule, name, values) in GRIDS.items():
                for value in values:
                    one = partial(rule, **{name: value})
                    if defence == "RLR":  # its authors clip first
                        one = partial(clip_first, aggregator=one)
                    cost = reached - accuracy(one)
                    rows.append((defence, name, value, setting.partition, seed, cost))
    return pd.DataFrame(rows, columns=["defence", "setting", "value", "partition", "seed", "cost"])


def chosen(table: pd.DataFrame) -> dict[str, float]:
    """Follow the rule: the largest value whose mean cost stays below a point on either partition.

    Examples
    --------
    >>> rows = [("RLR", 6, "IID", 0.001), ("RLR", 8, "IID", 0.02)]
    >>> chosen(pd.DataFrame(rows, columns=["defence", "value", "partition", "cost"]))
    {'RLR': 6.0}
    """
    mean_cost = table.groupby(["defence", "value", "partition"], sort=False)["cost"].mean()
    worst = mean_cost.groupby(["defence", "value"], sort=False).max()
    cheap = worst[worst < MOST].reset_index()
    return {
        str(name): float(best) for name, best in cheap.groupby("defence")["value"].max().items()
    }


def read_tuning() -> pd.DataFrame:
    """Read the committed table: what each setting cost, a row a value, partition and seed.

    Examples
    --------
    >>> sorted(read_tuning().defence.unique())
    ['FLAME', 'RLR', 'weak DP']
    """
    return pd.read_csv(FILE, skiprows=1).drop(columns="run")  # the first line says how it was made


if __name__ == "__main__":
    about = origin_now()
    write_file(FILE, [about], _costs().round(4).assign(run=0))
