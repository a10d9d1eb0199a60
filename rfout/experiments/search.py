"""The search for the strongest attack on each defence, and what confirms its result."""

from itertools import product
from typing import Any

from ..defences import NAMES
from .description import Attack, Run, Setting
from .outcomes import outcomes

DIGITS = Setting(n_train=2000, warm_up=30)
SEED = 11  # which is used for nothing else, and so are those that confirm
CONFIRM = range(12, 17)


def candidates() -> list[Attack]:
    """Give the attacks that the search tries on every defence: the adaptive attacker's budget.

    They vary boost, share poisoned, epochs, constraint and number of adversaries, up to a fifth of
    the clients, around what got furthest in the suite `adaptive`: the key of one rare image. Those
    near the mean are aimed at Krum.

    Examples
    --------
    >>> len(candidates()), max(attack.n_adversaries for attack in candidates())
    (17, 4)
    """
    rare: dict[str, Any] = {"trigger": "rare instance", "target": 1, "n_rounds": 15, "until": 0.9}
    four = rare | {"n_adversaries": 4}
    return [
        Attack("boosted", **four),
        Attack("boosted, few poisoned", rate=0.1, **four),
        Attack("boosted by two", boost=2.0, **four),
        Attack("not boosted", boost=1.0, **four),
        Attack("not boosted, few poisoned", boost=1.0, rate=0.1, **four | {"n_rounds": 60}),
        Attack("not boosted, few, two epochs", boost=1.0, rate=0.1, epochs=2, **four),
        Attack("not boosted, one epoch", boost=1.0, epochs=1, **four),
        Attack("inside half s", kind="inside band", reach=0.5, **four),
        Attack("inside one s", kind="inside band", reach=1.0, **four),
        Attack("inside two s", kind="inside band", reach=2.0, **four),
        Attack("inside three s", kind="inside band", reach=3.0, **four),
        Attack("small colluders", kind="small colluders", reach=2.0, **four),
        Attack("near the mean", kind="inside ball", reach=0.5, boost=1.0, **four),
        Attack("near the mean, few", kind="inside ball", reach=0.5, boost=1.0, rate=0.1, **four),
        Attack("nearer the mean, few", kind="inside ball", reach=0.3, boost=1.0, rate=0.1, **four),
        Attack("2, inside two s", kind="inside band", reach=2.0, **rare | {"n_adversaries": 2}),
        Attack("1, boosted n²", boost=400.0, **rare),
    ]


def search() -> list[Run]:
    """The same candidates against every defence, on one seed that is used for nothing else.

    Examples
    --------
    >>> len({run.seed for run in search()})
    1
    """
    return [Run(DIGITS, attack, defence, SEED) for attack, defence in product(candidates(), NAMES)]


def strongest() -> list[Run]:
    """The two attacks that got furthest against each defence, over five other seeds.

    Furthest is the highest backdoor accuracy at the end, then in any round, then the soonest in.
    The suite depends on the results of the search; where there are none, it is empty.

    Examples
    --------
    >>> len({(run.defence, run.attack) for run in strongest()}) == 2 * len(NAMES)
    True
    """
    from .results import read_results  # which reads the search by the list of suites

    try:
        judged = outcomes(read_results("search"))
    except FileNotFoundError:
        return []
    judged = judged[judged.outcome != "collapsed"]  # such a model has no backdoor
    order = judged.assign(end=-judged.end.round(2), worst=-judged.worst.round(2)).sort_values(
        ["end", "worst", "first_in"], kind="stable"
    )
    furthest = order.groupby("aggregator").head(2)
    attacks = {attack.name: attack for attack in candidates()}
    return [
        Run(DIGITS, attacks[name], defence, seed)
        for seed, defence in product(CONFIRM, NAMES)
        for name in furthest.attack[furthest.aggregator == defence]
    ]
