"""Long experiments: one value in, one tidy table out; and the files they are kept in."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rfout.defences import NAMES
from rfout.experiments import (
    Attack,
    Run,
    Setting,
    execute,
    outcomes,
    read_origins,
    read_results,
    suites,
)
from rfout.experiments import __main__ as command
from rfout.experiments import results as kept
from rfout.experiments import run as running
from rfout.experiments.description import described, restored
from rfout.experiments.recruiting import under_attack
from rfout.experiments.search import CONFIRM, SEED, candidates
from rfout.experiments.suites import SUITES

SETTING = Setting(n_train=480, n_test=100, n_clients=16, clients_per_round=12, warm_up=2)
ATTACK = Attack("tiny", n_rounds=2, epochs=1)
TINY = Run(SETTING, ATTACK, "RFOut-1d", 3)


def changed(**attack):
    return replace(TINY, attack=replace(ATTACK, **attack))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return execute(TINY, scratch=tmp_path_factory.mktemp("scratch"))


def test_a_run_gives_a_row_for_each_attacked_round(table):
    assert table["round"].tolist() == [1, 2]
    assert table.phase.unique().tolist() == ["attack"]
    assert table[["main_task_accuracy", "backdoor_accuracy"]].stack().between(0, 1).all()
    assert (table.adversary_flagged > 0.2).all()
    assert (table.honest_flagged < 0.05).all()
    assert (table.lowest_class_accuracy <= table.main_task_accuracy).all()


def test_the_norm_of_the_adversaries_grows_with_their_boost(tmp_path):
    one, ten = (execute(changed(boost=b), scratch=tmp_path).adversary_norm for b in (1.0, 10.0))
    assert one[0] > 0.5
    assert ten[0] == pytest.approx(10 * one[0], rel=1e-5)


def test_the_same_run_gives_the_same_numbers(table, tmp_path):
    pd.testing.assert_frame_equal(execute(TINY, scratch=tmp_path), table)


def test_the_mean_flags_nobody_and_reports_nothing(tmp_path):
    other = execute(replace(TINY, defence="mean"), scratch=tmp_path)
    assert other[["honest_flagged", "adversary_flagged"]].isna().all(axis=None)
    quiet = changed(n_adversaries=0)
    shift = execute(replace(quiet, defence="mean"), scratch=tmp_path)["shift"]
    np.testing.assert_allclose(shift, 0, atol=1e-6)
    assert (execute(quiet, scratch=tmp_path)["shift"] > 0.01).all()


def test_after_an_attack_the_clients_are_honest_until_the_backdoor_has_halved(tmp_path):
    loud = replace(changed(n_rounds=2, epochs=5, after=4), defence="mean")
    table = execute(loud, scratch=tmp_path)
    attacked, after = (table[table.phase == phase] for phase in ("attack", "after"))
    assert attacked.backdoor_accuracy.iloc[-1] > 0.5
    assert after["round"].iloc[0] == 3
    assert after.adversary_flagged.isna().all()
    half = attacked.backdoor_accuracy.iloc[-1] / 2
    assert (after.backdoor_accuracy[:-1] > half).all()
    assert len(after) == 4 or after.backdoor_accuracy.iloc[-1] <= half


def test_after_an_attack_that_did_not_get_in_nothing_is_observed(tmp_path):
    assert len(execute(changed(after=4), scratch=tmp_path)) == 2


def test_an_attack_that_is_through_ends_early(tmp_path):
    run = replace(changed(n_rounds=8, until=0.0), defence="mean")
    assert len(execute(run, scratch=tmp_path)) == 3


@pytest.mark.parametrize(
    ("backdoor", "n_rounds"),
    [([0.0, 0.09, 0.5], 2), ([0.0, 0.1, 0.09, 0.09, 0.5], 4), ([0.0, 0.1, 0.0, 0.1, 0.0], 5)],
)
def test_an_attack_that_gets_nowhere_gives_up(backdoor, n_rounds, tmp_path, monkeypatch):
    measured = iter(backdoor)
    monkeypatch.setattr(running, "measure", lambda _: {"backdoor_accuracy": next(measured)})
    table = execute(changed(n_rounds=len(backdoor), gives_up=2), scratch=tmp_path)
    assert table.backdoor_accuracy.tolist() == backdoor[:n_rounds]


@pytest.mark.filterwarnings("ignore:(overflow|invalid value):RuntimeWarning")
def test_a_model_that_diverged_has_collapsed(tmp_path):
    fast = replace(SETTING, warm_up=0, learning_rate=1e12)
    table = execute(Run(fast, replace(ATTACK, n_rounds=4), "FoolsGold", 3), scratch=tmp_path)
    assert table.main_task_accuracy.iloc[-1] == 0
    one = {"aggregator": "FoolsGold", "attack": "tiny", "partition": "IID", "seed": 3}
    assert outcomes(table.assign(**one)).outcome.tolist() == ["collapsed"]


def test_without_adversaries_there_is_no_attack(tmp_path):
    quiet = execute(changed(n_adversaries=0), scratch=tmp_path)
    assert quiet.adversary_flagged.isna().all()
    assert quiet.adversary_norm.isna().all()
    assert (quiet.backdoor_accuracy < 0.5).all()


def adversaries_of(attack, seed=3):
    warm = running.warm_up(replace(SETTING, warm_up=0), seed)
    return under_attack(warm, attack, "mean", seed).always


def test_adversaries_are_drawn_by_the_seed_or_are_the_first():
    drawn = replace(ATTACK, n_adversaries=3)
    sets = {adversaries_of(drawn, seed) for seed in range(5)}
    assert len(sets) > 1
    assert adversaries_of(drawn) == adversaries_of(drawn)
    assert adversaries_of(replace(drawn, chosen="first")) == (0, 1, 2)


KINDS = {run.attack.name: run.attack for run in suites()["adaptive"] + suites()["search"]}


@pytest.mark.parametrize("name", KINDS)
def test_every_adaptive_attack_runs(name, tmp_path):
    attack = replace(KINDS[name], n_adversaries=2, n_rounds=1, epochs=1, reach=2.0)
    setting = replace(SETTING, n_test=500)  # enough sevens for a tail
    table = execute(Run(setting, attack, "RFOut-1d", 3), scratch=tmp_path)
    assert table.adversary_flagged.notna().all()


@pytest.mark.parametrize("attack", [{"kind": "magic"}, {"trigger": "magic"}])
def test_an_unknown_attack_is_named(attack, tmp_path):
    with pytest.raises(ValueError, match="magic"):
        execute(changed(**attack), scratch=tmp_path)


def test_a_key_of_a_class_that_the_test_set_lacks_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no test image is of class 10"):
        execute(changed(trigger="instance", key=10), scratch=tmp_path)


def test_a_killed_run_finds_its_warm_up_again(table, tmp_path, monkeypatch):
    from rfout import federation

    step, left = federation.Federation.step, [3]

    def dies(self):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return step(self)

    running._warm.cache_clear()
    monkeypatch.setattr(federation.Federation, "step", dies)
    with pytest.raises(KeyboardInterrupt):
        execute(TINY, scratch=tmp_path)
    running._warm.cache_clear()
    left[0] = 2  # the attacked rounds: a warm-up round that is run again dies
    pd.testing.assert_frame_equal(execute(TINY, scratch=tmp_path), table, check_dtype=False)


def test_suites_repeat_nothing_and_know_every_defence():
    for name, runs in suites().items():
        assert {run.defence for run in runs} <= set(NAMES)
        assert len(set(runs)) == len(runs)
        assert {restored(described(run)) for run in runs} == set(runs), name
    assert {run.defence for run in suites()["short"]} == set(NAMES)


def test_the_strongest_attacks_are_confirmed_on_seeds_that_the_search_did_not_see():
    found = outcomes(read_results("search"))
    confirming = suites()["strongest"]
    assert {run.seed for run in confirming} == set(CONFIRM)
    assert SEED not in CONFIRM
    assert len(confirming) == 2 * len(NAMES) * len(CONFIRM)
    for run in confirming:
        ends = found[found.aggregator == run.defence].set_index("attack").end
        assert (ends > ends[run.attack.name] + 0.01).sum() < 2
        assert run.attack in candidates()


@pytest.fixture
def tiny(monkeypatch):
    """Make a suite of two runs, whose execution is faked and noted."""
    runs, done = [TINY, replace(TINY, seed=4)], []
    fake = pd.DataFrame({"round": [1, 2], "main_task_accuracy": [0.25, 0.123456]})
    monkeypatch.setitem(SUITES, "tiny", lambda: runs)
    monkeypatch.setattr(command, "execute", lambda run: done.append(run) or fake)
    return runs, done


def test_the_command_runs_what_is_missing_and_nothing_else(tiny, tmp_path, capsys):
    runs, done = tiny
    command.main(["tiny", "--results", str(tmp_path)])
    command.main(["tiny", "--results", str(tmp_path)])
    assert done == runs
    assert "2 runs, 2 done before" in capsys.readouterr().out
    runs[0] = changed(boost=2.0)  # another description: what is kept of the old one is stale
    command.main(["tiny", "--results", str(tmp_path)])
    assert done[2:] == runs[:1]
    assert len(read_results("tiny", tmp_path)) == 4


def test_the_command_runs_one_defence_or_attack(tiny, tmp_path, capsys):
    runs, done = tiny
    runs.append(replace(TINY, defence="median"))
    command.main(["tiny", "--results", str(tmp_path), "--defence", "median"])
    assert done == runs[2:]
    with pytest.raises(SystemExit):
        command.main(["tiny", "--results", str(tmp_path), "--attack", "none such"])
    assert "attacks ['tiny']" in capsys.readouterr().err


def test_a_result_says_where_it_comes_from(tiny, table, tmp_path):
    path = kept.write_result("tiny", TINY, table, 12.4, tmp_path)
    assert path.name == "rfout-1d.csv"
    assert not list(tmp_path.rglob("*.part"))
    read = read_results("tiny", tmp_path)
    np.testing.assert_allclose(read.main_task_accuracy, table.main_task_accuracy, atol=5e-5)
    first = read.iloc[0]
    assert (first.aggregator, first.attack, first.partition, first.seed) == (
        "RFOut-1d", "tiny", "IID", 3
    )  # fmt: skip
    row = read_origins("tiny", tmp_path).iloc[0]
    assert row.seconds == 12
    assert row.tensorflow.split(".")[0] == "2"


def test_no_results_is_an_error_that_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"python -m rfout\.experiments cifar10"):
        read_results("cifar10", tmp_path)


# Of the same seeds: `ONEDNN_MAX_CPU_ISA=SSE41 RFOUT_CACHE=... python -m rfout.experiments short
# --results tests/experiments/sse41`, with an empty cache, which would hold the other warm-up.
SSE41 = Path(__file__).parent / "sse41"


@pytest.mark.parametrize("defence", NAMES)
def test_a_short_run_of_every_defence_reproduces_its_committed_results(defence, tmp_path_factory):
    """Within the committed seeds' spread on two arithmetics, widened on both sides by its width."""
    committed = pd.concat([read_results("short"), read_results("short", SSE41)])
    committed = committed[committed.aggregator == defence]
    run = next(one for one in suites()["short"] if one.defence == defence)
    again = execute(run, scratch=tmp_path_factory.getbasetemp() / "short")
    again = again.drop(columns="phase").set_index("round")
    spread = committed.groupby("round")[list(again.columns)].agg(["min", "max"])
    n_compared = 0
    for column in again.columns[again.notna().all()]:
        low, high = spread[column, "min"], spread[column, "max"]
        width = (high - low).clip(lower=0.006)  # three images of 500
        assert again[column].between(low - width, high + width).all(), column
        n_compared += ((low > width) | (high + width < 1)).sum()
    assert n_compared >= 1
