"""How runs are judged: outcomes, the round in which a backdoor is in, and how long it lasts."""

import numpy as np
import pandas as pd
import pytest

from rfout.experiments import ends, interval, outcomes

RUN = {"aggregator": "mean", "attack": "boosted", "partition": "IID", "seed": 1}


def run(backdoor, after=(), main=0.95, **about):
    """A table as `read_results` gives it: the attacked rounds, then those without an attack."""
    accuracies = [*backdoor, *after]
    return pd.DataFrame(accuracies, columns=["backdoor_accuracy"]).assign(
        **RUN | about,
        round=range(1, len(accuracies) + 1),
        phase=["attack"] * len(backdoor) + ["after"] * len(after),
        main_task_accuracy=main,
    )


def judged(*backdoor, **more):
    return outcomes(run(backdoor, **more)).iloc[0]


@pytest.mark.parametrize(
    ("backdoor", "main", "outcome"),
    [
        ([0.0, 0.09, 0.02], 0.95, "stopped"),
        ([0.0, 0.1, 0.0], 0.95, "between"),
        ([1.0, 0.6, 0.4, 0.4], 0.95, "between"),
        ([0.0, 0.0, 0.6, 0.4, 0.6], 0.95, "in"),
        ([1.0, 1.0, 1.0], 0.49, "collapsed"),
        ([0.0, 0.0, 0.0], 0.1, "collapsed"),
    ],
)
def test_the_outcome(backdoor, main, outcome):
    found = judged(*backdoor, main=main)
    assert found.outcome == outcome
    assert found.worst == max(backdoor)
    assert found.end == pytest.approx(np.mean(backdoor[-3:]))
    assert found.n_rounds == len(backdoor)


@pytest.mark.parametrize(
    ("backdoor", "first"), [([0.0, 0.5, 0.51, 0.0], 3), ([0.9], 1), ([0.5, 0.1], np.inf)]
)
def test_a_backdoor_is_in_from_the_first_round_above_one_half(backdoor, first):
    assert judged(*backdoor, after=[0.9]).first_in == first


@pytest.mark.parametrize(
    ("after", "half_life"), [((), np.nan), ((0.8, 0.4), 2), ((0.8, 0.41), np.inf)]
)
def test_a_backdoor_lasts_until_half_of_it_is_left(after, half_life):
    assert judged(0.9, 0.8, after=after).half_life == pytest.approx(half_life, nan_ok=True)


def test_each_run_is_judged_by_itself():
    table = pd.concat(
        [run([0.0]), run([1.0, 1.0], seed=2), run([0.3], aggregator="median")], ignore_index=True
    )
    found = outcomes(table)
    assert found.outcome.tolist() == ["stopped", "in", "between"]
    assert found.seed.tolist() == [1, 2, 1]
    assert ends(table).backdoor_accuracy.tolist() == [0.0, 1.0, 0.3]


def test_the_interval_covers_the_share_and_narrows_with_more_runs():
    wide, narrow = interval(2, 8), interval(20, 80)
    assert wide[0] < narrow[0] < 0.25 < narrow[1] < wide[1]
    assert interval(0, 10)[0] == 0
    assert interval(10, 10)[1] == 1
