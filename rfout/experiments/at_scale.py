"""The long experiments: whole data sets, a hundred clients, thirty of them in a round."""

from itertools import product
from typing import Any

from ..defences import FAMILY
from .description import Attack, Run, Setting

FIRST = ("mean", "RFOut-1d", "RFOut-1d, median/MAD")
COMPARED = ("median", "trimmed mean", "Krum", "Multi-Krum", "Bulyan", "norm clipping")


def at_scale(dataset: str) -> list[Run]:
    """Give the runs on images that are dealt to the clients, over five seeds.

    An attack ends as in the suite `comparison`: when the backdoor is in, or when a boosted one got
    nowhere for ten rounds in a row; after sixty rounds at the latest. All defences meet the usual
    boost with both partitions. The mean and two forms of RFOut-1d also meet adversaries that do not
    boost, and those forms a boost of n², with IID clients. Rounds without an attack are as many as
    an attack has that gives up.

    Examples
    --------
    >>> {run.setting.clients_per_round for run in at_scale("fashion-mnist")}
    {30}
    """
    large: dict[str, Any] = {
        "dataset": dataset, "n_train": None, "n_test": None, "n_clients": 100,
        "clients_per_round": 30, "warm_up": 40, "batch_size": 60,
    }  # fmt: skip
    iid, skewed = Setting(**large), Setting(**large, alpha=0.5)
    end: dict[str, Any] = {"epochs": 2, "n_rounds": 60, "until": 0.9, "after": 20}
    boosted = end | {"gives_up": 10}
    usual = [Attack(f"{k} of 30", n_adversaries=k, **boosted) for k in (1, 4)]
    calm = Attack("0 of 30", n_adversaries=0, epochs=2, n_rounds=10)
    patient = Attack("4 of 30, not boosted", n_adversaries=4, boost=1.0, **end)
    square = Attack("1 of 30, boosted n²", boost=900.0, **boosted)
    return [
        Run(setting, attack, defence, seed)
        for seed in range(5)
        for settings, attacks, names in (
            ((iid, skewed), [*usual, calm], FIRST),
            ((iid,), [patient], FIRST),
            ((iid,), [square], FIRST[1:]),
            ((iid, skewed), usual, COMPARED),
        )
        for setting, attack, defence in product(settings, attacks, names)
    ]


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
