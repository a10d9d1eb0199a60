"""The long experiments: whole data sets, a hundred clients, thirty of them in a round."""

from itertools import product
from typing import Any

from ..defences import FAMILY
from .description import Attack, Run, Setting

COMPARED = ("median", "trimmed mean", "Krum", "Multi-Krum", "Bulyan", "norm clipping")


def at_scale(dataset: str) -> list[Run]:
    """Give the runs on images that are dealt to the clients, over three seeds.

    The adversaries are the first clients: the images are dealt at random, and so every client is
    as good a draw as any.

    Examples
    --------
    >>> {run.setting.clients_per_round for run in at_scale("fashion-mnist")}
    {30}
    """
    large: dict[str, Any] = {
        "dataset": dataset, "n_train": None, "n_test": None, "n_clients": 100,
        "clients_per_round": 30, "warm_up": 40, "batch_size": 60,
    }  # fmt: skip
    first: tuple[str, ...] = ("mean", "RFOut-1d", "RFOut-1d, median/MAD")
    plan: list[tuple[tuple[str, ...], Attack, float | None]] = [
        (names, boosted(k), alpha)
        for names, ks in ((first, (1, 4, 0)), (COMPARED, (1, 4)))
        for k in ks
        for alpha in (None, 0.5)
    ]
    return [
        Run(Setting(**large, alpha=alpha), attack, defence, seed)
        for seed in range(3)
        for names, attack, alpha in plan
        for defence in names
    ]


def boosted(n_adversaries: int) -> Attack:
    """Give the pattern key of some adversaries of the thirty, boosted and in every round.

    Examples
    --------
    >>> boosted(4).name
    '4 of 30'
    """
    name = f"{n_adversaries} of 30"
    return Attack(name, n_adversaries=n_adversaries, chosen="first", epochs=2)


def natural(dataset: str) -> list[Run]:
    """The authors' data with natural clients, and their two keys, in every round and once.

    The model and the attacks are the authors', as far as they are known. Numbers of clients and
    rounds, and the settings of training, are the book's: nobody has tuned them on these data. The
    rounds without an attack say what the model makes of the keys before it has a backdoor: of two
    classes, that is often the target.

    Examples
    --------
    >>> {run.setting.partition for run in natural("femnist")}
    {'by writer'}
    """
    sizes: dict[str, dict[str, Any]] = {
        "femnist": {"n_clients": 100, "warm_up": 40},
        "celeba": {"n_clients": 300, "warm_up": 200, "learning_rate": 0.05, "batch_size": 5},
    }
    setting = Setting(dataset, n_train=None, n_test=None, clients_per_round=30, **sizes[dataset])
    attacks = []
    for trigger in ("pattern", "instance"):
        key: dict[str, Any] = {"trigger": trigger, "key": 1 if dataset == "celeba" else 3}
        attacks += [
            Attack(f"{trigger} key", **key, n_rounds=10),
            Attack(f"{trigger} key, single shot", **key, n_rounds=1, after=20),
            Attack(f"{trigger} key, no attack", **key, n_adversaries=0, n_rounds=10),
        ]
    names = ("mean", *FAMILY, "median", "norm clipping", "Multi-Krum")
    return [
        Run(setting, attack, defence, seed)
        for seed, attack, defence in product(range(2022, 2025), attacks, names)
    ]
