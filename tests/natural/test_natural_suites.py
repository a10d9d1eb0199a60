"""The suites on natural clients, run small and whole on a tiny folder of LEAF's."""

from dataclasses import replace

import pytest
from natural_data import write_leaf

from rfout.experiments import __main__ as command
from rfout.experiments import read_origins, read_results, suites
from rfout.experiments import results as kept
from rfout.experiments import run as running
from rfout.experiments.suites import SUITES


def shrunk(run):
    """Keep what a run is of, and make it short."""
    setting = replace(run.setting, n_clients=12, clients_per_round=None, warm_up=1)
    attack = replace(run.attack, n_rounds=1, after=min(run.attack.after, 1), epochs=1)
    return replace(run, setting=setting, attack=attack)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """`tiny(name)` makes the suite small, and a folder of LEAF's for it.

    Every defence meets the first attack, and RFOut-1d meets every attack.
    """
    monkeypatch.setenv("RFOUT_LEAF", str(tmp_path / "leaf"))
    monkeypatch.setenv("RFOUT_CACHE", str(tmp_path / "cache"))
    running._warm.cache_clear()

    def make(name):
        write_leaf(tmp_path / "leaf", name, n_people=12, n_train=8, n_test=9)
        all_runs = [shrunk(run) for run in suites()[name] if run.seed == 2022]
        first = all_runs[0].attack
        runs = [run for run in all_runs if run.attack == first or run.defence == "RFOut-1d"]
        monkeypatch.setitem(SUITES, name, lambda: runs)
        return runs

    return make


@pytest.mark.parametrize(("name", "by"), [("femnist", "writer"), ("celeba", "celebrity")])
def test_a_suite_runs_from_leaf_s_folder_to_its_results(tiny, name, by, tmp_path):
    runs = tiny(name)
    command.main([name, "--results", str(tmp_path)])
    assert kept.missing(name, tmp_path) == []
    table = read_results(name, tmp_path)
    assert set(table.aggregator) == {run.defence for run in runs}
    assert set(table.partition) == {f"by {by}"}
    assert table[["main_task_accuracy", "backdoor_accuracy"]].stack().between(0, 1).all()
    attacked = table[(table.phase == "attack") & (table.n_adversaries == 1)]
    assert attacked[attacked.aggregator == "RFOut-1d"].adversary_flagged.notna().all()
    assert len(read_origins(name, tmp_path)) == len(runs)
    origins, _ = kept._read(kept.file_of(name, "mean", tmp_path))
    assert {origin["source"] for origin in origins} == {"LEAF"}
