"""What became of an attack, by definitions that were fixed before the runs."""

import numpy as np
import pandas as pd
from scipy import stats

RUN = ["aggregator", "attack", "partition", "seed"]
STOPPED, IN, COLLAPSED = 0.1, 0.5, 0.5


def ends(results: pd.DataFrame) -> pd.DataFrame:
    """Give the last attacked round of every run, one row for each.

    Parameters
    ----------
    results
        From `rfout.experiments.read_results`.

    Examples
    --------
    >>> import pandas as pd
    >>> run = {"aggregator": "mean", "attack": "boosted", "partition": "IID", "seed": 1}
    >>> table = pd.DataFrame([run | {"round": n, "phase": "attack"} for n in (1, 2)])
    >>> ends(table)["round"].tolist()
    [2]
    """
    attacked = results[results["phase"] == "attack"] if "phase" in results else results
    return attacked.loc[attacked.groupby(RUN, sort=False)["round"].idxmax()].reset_index(drop=True)


def outcomes(results: pd.DataFrame) -> pd.DataFrame:
    """Judge every run.

    Parameters
    ----------
    results
        From `rfout.experiments.read_results`.

    Returns
    -------
    pandas.DataFrame
        A row a run: the columns of `RUN`, and

        worst, end
            The highest backdoor accuracy of an attacked round, and the mean of the last three.
        main
            Main-task accuracy after the last attacked round.
        outcome
            "collapsed" if main-task accuracy ends below 0.5, whatever the backdoor does in such a
            model; else "stopped" if worst is below 0.1, "in" if backdoor accuracy ends above 0.5,
            "between" if neither.
        n_rounds
            Attacked rounds.
        first_in
            The first attacked round with backdoor accuracy above 0.5; infinite where there is none.
        half_life
            Rounds without an attack until backdoor accuracy was half of what it was; infinite
            where it did not get there in the rounds observed, NaN where none were.

    Examples
    --------
    >>> import pandas as pd
    >>> run = {"aggregator": "mean", "attack": "boosted", "partition": "IID", "seed": 1}
    >>> accuracies = {"main_task_accuracy": 0.96, "backdoor_accuracy": 0.98}
    >>> table = pd.DataFrame([run | accuracies | {"round": 1, "phase": "attack"}])
    >>> outcomes(table).outcome.tolist()
    ['in']
    """
    rows = []
    for run, table in results.groupby(RUN, sort=False):
        attacked = table[table["phase"] == "attack"]
        after = table[table["phase"] == "after"]["backdoor_accuracy"]
        backdoor, main = attacked["backdoor_accuracy"], attacked["main_task_accuracy"].iloc[-1]
        end, worst = backdoor.iloc[-3:].mean(), backdoor.max()
        if main < COLLAPSED:
            outcome = "collapsed"
        elif worst < STOPPED:
            outcome = "stopped"
        else:
            outcome = "in" if end > IN else "between"
        half_life = np.nan
        if len(after):
            half_life = len(after) if after.iloc[-1] <= backdoor.iloc[-1] / 2 else np.inf
        above = attacked["round"][backdoor > IN]
        first_in = above.iloc[0] if len(above) else np.inf
        measured = (worst, end, main, outcome, len(attacked), first_in, half_life)
        rows.append((*run, *measured))
    names = ["worst", "end", "main", "outcome", "n_rounds", "first_in", "half_life"]
    return pd.DataFrame(rows, columns=[*RUN, *names])


def interval(n_true: int, n: int) -> tuple[float, float]:
    """Give the 95 % interval of a share by Wilson's formula.

    Examples
    --------
    >>> tuple(round(end, 2) for end in interval(8, 24))
    (0.18, 0.53)
    """
    found = stats.binomtest(n_true, n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
