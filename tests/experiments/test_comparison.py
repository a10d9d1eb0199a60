"""The comparison: shared first rounds change nothing, and the committed file is the code's."""

import dataclasses
import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rfout.attacks import InstanceKey, PatternKey, Window, recruit
from rfout.comparison import (
    ATTACKS,
    EPOCHS,
    PARTITIONS,
    RATE,
    SEEDS,
    TARGET,
    Attack,
    compare,
    configuration,
    trigger_of,
)
from rfout.defences import NAMES, lineup
from rfout.standard import standard_federation

RESULT = Path(__file__).parents[2] / "book" / "results" / "defences-compared.csv"
MEASURED = ["main_task_accuracy", "backdoor_accuracy"]


@pytest.fixture(scope="module")
def warm():
    federation = standard_federation(rng=np.random.default_rng(0), trigger=PatternKey())
    federation.run(1)
    return federation


def test_it_is_what_the_federation_does_on_its_own(warm):
    attack = Attack(n_adversaries=2, one_shot=True)
    got = compare(warm, attack, ["mean", "RFOut-1d"], n_rounds=2)
    assert warm.round_number == 1
    clients = recruit(
        warm.clients, {0, 1}, trigger=PatternKey(), target=TARGET, rate=RATE, epochs=EPOCHS,
        window=Window(2, 2),
    )  # fmt: skip
    for name in ("mean", "RFOut-1d"):
        history = warm.fork(clients=clients, aggregator=lineup(20, report=True)[name]).run(2)
        rows = got[got["aggregator"] == name]
        assert rows["round"].tolist() == [1, 2]
        np.testing.assert_array_equal(rows[MEASURED], history[MEASURED].iloc[1:])
        if name == "RFOut-1d":
            flagged = np.array(history["flagged"].tolist()[1:])
            np.testing.assert_allclose(rows["adversary_flagged"], flagged[:, :2].mean(axis=1))
            np.testing.assert_allclose(rows["honest_flagged"], flagged[:, 2:].mean(axis=1))
    silent = got[got["aggregator"] == "mean"]
    assert silent[["honest_flagged", "adversary_flagged"]].isna().all(axis=None)


def test_without_adversaries_it_is_peace(warm):
    got = compare(warm, Attack(n_adversaries=0), ["mean"], n_rounds=1)
    np.testing.assert_array_equal(got[MEASURED], warm.fork().run(1)[MEASURED].iloc[1:])


def test_a_boost_is_what_the_attack_says(warm):
    boosted, plain = (
        compare(warm, Attack(boosted=boosted), ["RFOut-1d"], n_rounds=1)["adversary_flagged"][0]
        for boosted in (True, False)
    )
    assert boosted > 2 * plain


def test_the_triggers_are_two(warm):
    assert trigger_of(Attack(), warm.evaluate) == PatternKey()
    instance = trigger_of(Attack("instance"), warm.evaluate)
    assert isinstance(instance, InstanceKey)
    key = np.flatnonzero((warm.evaluate.x == instance.key).all(axis=(1, 2, 3)))
    assert warm.evaluate.y[key].tolist() == [3]


def test_the_attacks_cross_what_the_chapter_says_they_do():
    values = {
        field.name: {getattr(attack, field.name) for attack in ATTACKS.values()}
        for field in dataclasses.fields(Attack)
    }
    assert values["trigger"] == {"pattern", "instance"}
    assert values["n_adversaries"] == {0, 1, 2, 4}
    assert values["boosted"] == values["one_shot"] == {True, False}
    assert len(SEEDS) >= 3
    assert len(NAMES) == 11


def test_the_committed_result_is_of_this_configuration():
    about = json.loads(RESULT.with_suffix(".json").read_text("utf-8"))
    assert about["configuration"] == json.loads(json.dumps(configuration()))
    assert about["dataset"] == "digits"
    for key in ("command", "revision", "date", "machine", "versions"):
        assert about[key].strip(), key
    assert "with changes" not in about["revision"]
    assert 0 < about["minutes"] < 24 * 60


def test_the_committed_result_is_whole():
    table = pd.read_csv(RESULT)
    runs = product(ATTACKS, PARTITIONS, SEEDS, NAMES)
    want = [(*run, number) for run in runs for number in range(1, ATTACKS[run[0]].n_rounds + 1)]
    keys = table[["attack", "partition", "seed", "aggregator", "round"]]
    assert list(keys.itertuples(index=False, name=None)) == want
    assert table[MEASURED].notna().all(axis=None)
    assert ((table[MEASURED] >= 0) & (table[MEASURED] <= 1)).all(axis=None)
    reports = table["aggregator"].str.startswith("RFOut-1d")
    assert (table["honest_flagged"].notna() == reports).all()
    attacked = table["attack"] != "no attack"
    assert (table["adversary_flagged"].notna() == (reports & attacked)).all()
