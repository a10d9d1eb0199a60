"""The experiments of the book, by suite."""

from itertools import product
from typing import Any

from ..defences import FAMILY, NAMES
from .run import Attack, Run, Setting

SEEDS = range(2022, 2032)

REPAIRS = ("mean", "RFOut-1d", "RFOut-1d, drop", "RFOut-1d, clip first", "RFOut-1d, median/MAD")


def adaptive() -> list[Run]:
    """Attacks that know the rule: three of forty colluders, and ten of forty."""
    setting = Setting(n_train=1600, n_clients=40, warm_up=24)
    three: dict[str, Any] = {"n_adversaries": 3, "trigger": "rare instance", "target": 1}
    ten = three | {"n_adversaries": 10}
    attacks = [
        Attack("boosted key", **three, n_rounds=8),
        Attack("small colluders", kind="small colluders", **three, n_rounds=16),
        Attack("distributed trigger", kind="distributed", n_adversaries=3, n_rounds=8),
        Attack("edge cases", **three | {"trigger": "edge cases"}, rate=0.3, n_rounds=8),
        Attack("slow poisoning", **three, boost=1.0, n_rounds=16),
        Attack("a little is enough", kind="little is enough", **three, n_rounds=8),
        Attack("boosted key, ten", **ten, n_rounds=8),
        Attack("inside the band, ten", kind="inside band", **ten, reach=2.0, n_rounds=16),
    ]
    return [
        Run(setting, attack, defence, seed)
        for seed, attack, defence in product(SEEDS, attacks, REPAIRS)
    ]


def at_scale(dataset: str) -> list[Run]:
    """A hundred clients, thirty of them a round; the defences that differ most come first."""
    large: dict[str, Any] = {
        "dataset": dataset, "n_train": None, "n_test": None, "n_clients": 100,
        "clients_per_round": 30, "warm_up": 40, "batch_size": 60,
    }  # fmt: skip
    first = ("mean", "RFOut-1d", "RFOut-1d, median/MAD")
    others = tuple(name for name in NAMES if name not in first)
    return [
        Run(Setting(**large, alpha=alpha), boosted(k), defence, seed)
        for seed in range(3)
        for defences, ks in ((first, (1, 4, 0)), (others, (1, 4)))
        for k in ks
        for alpha in (None, 0.5)
        for defence in defences
    ]


def boosted(n_adversaries: int) -> Attack:
    """The attack at full scale: the boosted pattern key, in every round."""
    return Attack(f"{n_adversaries} of 30", n_adversaries=n_adversaries, chosen="first", epochs=2)


def short() -> list[Run]:
    """Small runs of every defence: a chapter and the tests repeat those of the first seed.

    The others say how far such a run may come out differently.
    """
    setting = Setting(n_train=1200, n_test=500, n_clients=24, clients_per_round=20, warm_up=12)
    attack = Attack("1 of 20", n_rounds=2)
    return [Run(setting, attack, *one) for one in product((*NAMES, *FAMILY), SEEDS)]


def suites() -> dict[str, list[Run]]:
    """Give the runs of each suite, in the order in which they are run.

    Examples
    --------
    >>> sorted(suites())
    ['adaptive', 'cifar10', 'emnist-digits', 'fashion-mnist', 'short']
    """
    names = ("fashion-mnist", "emnist-digits", "cifar10")
    return {"short": short(), "adaptive": adaptive()} | {name: at_scale(name) for name in names}
