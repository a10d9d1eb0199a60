"""The experiments of the book, by suite. The runs that say most come first in each."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

from ..defences import FAMILY, NAMES
from .at_scale import at_scale, natural
from .description import Attack, Run, Setting
from .search import DIGITS, search, strongest

SEEDS = range(2022, 2032)
FEWER = SEEDS[:5]
NON_IID = Setting(n_train=2000, warm_up=30, alpha=0.5)


def comparison() -> list[Run]:
    """Every defence against the same attacks, over five seeds, until they have ended.

    An attack has ended when the backdoor is in, or when it got nowhere for fifteen rounds in a row;
    after sixty rounds at the latest. Adversaries that do not boost are patient: they never give up.
    Two runs without an attack say what a defence costs: of a trained model, and from the first
    round on. The two attacks that tell most, and what costs, meet both partitions.

    Examples
    --------
    >>> comparison()[0].attack.name
    'no attack'
    """
    end: dict[str, Any] = {"n_rounds": 60, "until": 0.9, "after": 20}
    boosted = end | {"gives_up": 15}
    both = [
        Attack("no attack", n_adversaries=0, n_rounds=8),
        Attack("1 boosted", **boosted),
        Attack("4 boosted", n_adversaries=4, **boosted),
    ]
    iid = [
        Attack("2 boosted", n_adversaries=2, **boosted),
        Attack("1 boosted n²", boost=400.0, **boosted),
        Attack("single shot", n_rounds=1, after=20),
        Attack("4 not boosted", n_adversaries=4, boost=1.0, **end),
    ]
    lone = [Attack("1 not boosted", boost=1.0, **end)]
    scratch = [Attack("from scratch", n_adversaries=0, n_rounds=15)]
    each = ("mean", *FAMILY, "median", "Multi-Krum", "norm clipping", "RLR", "FLAME")
    new = tuple(replace(setting, warm_up=0) for setting in (DIGITS, NON_IID))
    return [
        Run(setting, attack, defence, seed)
        for seed in FEWER
        for settings, attacks, names in (
            ((DIGITS, NON_IID), both, NAMES),
            ((DIGITS,), iid, NAMES),
            ((DIGITS,), lone, ("mean", *FAMILY)),
            (new, scratch, each),
        )
        for setting, attack, defence in product(settings, attacks, names)
    ]


def instance_keys() -> list[Run]:
    """One boosted adversary with a key of each class but the target's.

    Examples
    --------
    >>> {run.attack.trigger for run in instance_keys()}
    {'instance'}
    """
    names = ("mean", "RFOut-1d", "RFOut-1d, drop", "RFOut-1d, median/MAD")
    attacks = [
        Attack(f"key {label}", trigger="instance", key=label, n_rounds=6) for label in range(1, 10)
    ]
    return [
        Run(setting, attack, defence, seed)
        for seed, setting, attack, defence in product(FEWER, (DIGITS, NON_IID), attacks, names)
    ]


def boosts() -> list[Run]:
    """A lone adversary that boosts more and more, up to n².

    Examples
    --------
    >>> max(run.attack.boost for run in boosts())
    400.0
    """
    attacks = [
        Attack(f"boost {boost}", boost=float(boost), n_rounds=8)
        for boost in (20, 40, 80, 120, 200, 400)
    ]
    names = ("RFOut-1d", "mean", *FAMILY[1:], "norm clipping")
    return [
        Run(DIGITS, attack, defence, seed)
        for seed, attack, defence in product(FEWER, attacks, names)
    ]


def adaptive() -> list[Run]:
    """Attacks that know the rule: three of forty colluders, and ten of forty.

    Examples
    --------
    >>> {run.setting.n_clients for run in adaptive()}
    {40}
    """
    setting = Setting(n_train=1600, n_clients=40, warm_up=24)
    three: dict[str, Any] = {"n_adversaries": 3, "trigger": "rare instance", "target": 1}
    ten = three | {"n_adversaries": 10}
    attacks = [
        Attack("boosted key", **three, n_rounds=8),
        Attack("small colluders", kind="small colluders", **three, n_rounds=16),
        Attack("distributed trigger", kind="distributed", n_adversaries=3, n_rounds=8),
        Attack("slow poisoning", **three, boost=1.0, n_rounds=16),
        Attack("a little is enough", kind="little is enough", **three, n_rounds=8),
        Attack("boosted key, ten", **ten, n_rounds=8),
        Attack("inside the band, ten", kind="inside band", **ten, reach=2.0, n_rounds=16),
    ]
    return [
        Run(setting, attack, defence, seed)
        for seed, attack, defence in product(SEEDS, attacks, ("mean", *FAMILY))
    ]


def edge_cases() -> list[Run]:
    """Rare sevens labelled as ones: nobody honest has such images, or half of the clients do.

    Rounds without an attack tell what the model says of such images by itself.

    Examples
    --------
    >>> sorted({run.setting.honest_tail for run in edge_cases()})
    [0.0, 0.5]
    """
    edge: dict[str, Any] = {"trigger": "edge cases", "target": 1, "rate": 0.15}
    attacks = [
        Attack("no attack", **edge, n_adversaries=0, n_rounds=3),
        Attack("1 boosted", **edge, n_rounds=8),
    ]
    settings = [Setting(honest_tail=honest_tail) for honest_tail in (0.0, 0.5)]
    names = ("mean", *FAMILY, "median", "norm clipping")
    return [
        Run(setting, attack, defence, seed)
        for seed, setting, attack, defence in product(FEWER, settings, attacks, names)
    ]


def short() -> list[Run]:
    """Small runs of every defence: a chapter and the tests repeat those of the first seed.

    The others say how far such a run may come out differently.

    Examples
    --------
    >>> {run.attack.n_rounds for run in short()}
    {2}
    """
    setting = Setting(n_train=1200, n_test=500, n_clients=24, clients_per_round=20, warm_up=12)
    attack = Attack("1 of 20", n_rounds=2)
    return [Run(setting, attack, defence, seed) for seed, defence in product(SEEDS, NAMES)]


SUITES: dict[str, Callable[[], list[Run]]] = {
    "short": short,
    "adaptive": adaptive,
    "boosts": boosts,
    "comparison": comparison,
    "edge-cases": edge_cases,
    "instance-keys": instance_keys,
    "search": search,
    "strongest": strongest,
    **{name: partial(natural, name) for name in ("femnist", "celeba")},
    **{name: partial(at_scale, name) for name in ("fashion-mnist", "emnist-digits", "cifar10")},
}


def suites() -> dict[str, list[Run]]:
    """Give the runs of each suite, in the order in which they are run.

    Examples
    --------
    >>> sorted(suites())[:3]
    ['adaptive', 'boosts', 'celeba']
    """
    return {name: make() for name, make in SUITES.items()}
