"""Long experiments: one value in, one tidy table out; and the files they are kept in."""

from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from rfout import results
from rfout.experiments import Run, execute, suites
from rfout.lineup import NAMES

TINY = Run(
    "tiny", "RFOut-1d", 3, n_train=480, n_test=100, n_clients=16, clients_per_round=12,
    warm_up=2, attacked=2, adversary_epochs=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return execute(TINY, scratch=tmp_path_factory.mktemp("scratch"))


def test_a_run_gives_a_row_a_round(table):
    assert table["round"].tolist() == [1, 2, 3, 4]
    assert table.main_task_accuracy.between(0, 1).all()
    assert table.backdoor_accuracy.isna().tolist() == [True, True, False, False]
    assert table.adversary_flagged.isna().tolist() == [True, True, False, False]
    attacked = table.iloc[2:]
    assert (attacked.adversary_flagged > 0.2).all()
    assert (attacked.honest_flagged < 0.05).all()


def test_the_same_run_gives_the_same_numbers(table, tmp_path):
    pd.testing.assert_frame_equal(execute(TINY, scratch=tmp_path), table)


def test_the_peace_is_the_same_whatever_follows_and_the_attack_is_not(table, tmp_path):
    other = execute(replace(TINY, defence="mean", n_adversaries=2), scratch=tmp_path)
    peace = ["round", "main_task_accuracy"]
    pd.testing.assert_frame_equal(other[peace].iloc[:2], table[peace].iloc[:2])
    assert other.honest_flagged.isna().all()  # the mean flags nobody, and says nothing
    assert other.main_task_accuracy.iloc[-1] != table.main_task_accuracy.iloc[-1]


def test_one_shot_is_over_after_a_round(tmp_path):
    shot = replace(TINY, defence="mean", one_shot=True, boost=12.0, attacked=3)
    every = replace(shot, one_shot=False)
    first, second = (execute(run, scratch=tmp_path) for run in (shot, every))
    assert first.main_task_accuracy.iloc[2] == second.main_task_accuracy.iloc[2]
    assert first.main_task_accuracy.iloc[4] > second.main_task_accuracy.iloc[4]


def test_without_adversaries_there_is_no_attack(tmp_path):
    quiet = execute(replace(TINY, n_adversaries=0), scratch=tmp_path)
    assert quiet.adversary_flagged.isna().all()
    assert (quiet.backdoor_accuracy.iloc[2:] < 0.5).all()


def test_a_killed_run_goes_on_from_its_checkpoint(table, tmp_path, monkeypatch):
    from rfout import experiments, federation

    step, left = federation.Federation.step, [3]

    def dies(self):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return step(self)

    experiments._warm.cache_clear()
    monkeypatch.setattr(federation.Federation, "step", dies)
    with pytest.raises(KeyboardInterrupt):
        execute(TINY, scratch=tmp_path)
    experiments._warm.cache_clear()
    left[0] = 1  # one round is missing: anything done twice dies
    pd.testing.assert_frame_equal(execute(TINY, scratch=tmp_path), table, check_dtype=False)


def test_every_suite_crosses_all_defences_and_repeats_nothing():
    for runs in suites().values():
        assert {run.defence for run in runs} == set(NAMES)
        assert len(set(runs)) == len(runs)
        files = [str(run.file(results.RESULTS)).lower() for run in runs]
        assert len(set(files)) == len(files)


def test_a_result_says_where_it_comes_from(table, tmp_path):
    path = results.write_result(TINY, table, 12.4, tmp_path)
    origin = results.read_origin(path)
    assert Run(**origin["run"]) == TINY
    assert origin["seconds"] == 12
    assert {"python", "numpy"} <= set(origin["versions"])
    assert not list(tmp_path.rglob("*.part"))
    read = results.read_results("tiny", tmp_path)
    np.testing.assert_allclose(read.main_task_accuracy, table.main_task_accuracy, atol=5e-5)
    assert read.aggregator.unique().tolist() == ["RFOut-1d"]
    assert read.n_adversaries.unique().tolist() == [1]
    row = results.read_origins("tiny", tmp_path).iloc[0]
    assert (row["file"], row.seconds) == (path.name, 12)
    assert row.tensorflow.split(".")[0] == "2"


def test_no_results_is_an_error_that_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"python -m rfout\.results cifar10"):
        results.read_results("cifar10", tmp_path)


def test_the_command_makes_what_is_missing_and_nothing_else(tmp_path, monkeypatch, capsys):
    runs = [TINY, replace(TINY, defence="mean")]
    monkeypatch.setattr(results, "suites", lambda: {"tiny": runs})
    done = []
    fake = pd.DataFrame({"round": [1], "main_task_accuracy": [0.5]})
    monkeypatch.setattr(results, "execute", lambda run: done.append(run) or fake)
    results.write_result(runs[0], fake, 1.0, tmp_path)
    for _ in range(2):
        results.main(["tiny", "--results", str(tmp_path)])
    assert done == runs[1:]
    assert "2 runs, 1 done before" in capsys.readouterr().out


def test_committed_results_are_of_the_runs_that_the_code_describes(root):
    known = {name: [asdict(run) for run in runs] for name, runs in suites().items()}
    files = sorted((root / results.RESULTS).glob("*/*.csv"))
    assert files
    for path in files:
        origin = results.read_origin(path)
        if path.parent.name in known:
            assert origin["run"] in known[path.parent.name], path
            assert Run(**origin["run"]).file(root / results.RESULTS) == path


@pytest.mark.parametrize("run", suites()["short"], ids=lambda run: run.defence)
def test_a_short_run_of_every_defence_reproduces_its_committed_file(run, root, tmp_path_factory):
    committed = pd.read_csv(run.file(root / results.RESULTS), comment="#")
    again = execute(run, scratch=tmp_path_factory.getbasetemp() / "short")
    # Other processors round otherwise, and five rounds of training make that a few images.
    np.testing.assert_allclose(again.main_task_accuracy, committed.main_task_accuracy, atol=0.06)
    np.testing.assert_allclose(
        again.adversary_flagged, committed.adversary_flagged, atol=0.1, equal_nan=True
    )
