"""The mean, RFOut-1d and its rivals, under the names that the book prints and with its settings."""

from collections.abc import Callable
from functools import partial
from typing import Any

from ..operator import rfout1d
from .averages import mean, median, rlr, trimmed_mean
from .byzantine import bulyan, krum, multi_krum
from .centres import centred_clipping, geometric_median, mixed
from .clipping import clip_updates, norm_clipping, weak_dp
from .similarity import flame, foolsgold

FAMILY = ("RFOut-1d", "RFOut-1d, drop", "RFOut-1d, clip first", "RFOut-1d, median/MAD")
"""RFOut-1d as published, and three repairs of it."""

RIVALS = (
    "median",
    "trimmed mean",
    "Krum",
    "Multi-Krum",
    "Bulyan",
    "mixing, median",
    "geometric median",
    "centred clipping",
    "norm clipping",
    "weak DP",
    "RLR",
    "FoolsGold",
    "FLAME",
)

NAMES = ("mean", *FAMILY, *RIVALS)
"""The aggregators of `lineup`, in its order."""


def clip_first(updates: Any, aggregator: Callable[[Any], Any]) -> Any:
    """Clip the updates to the median of their norms, then aggregate them.

    Parameters
    ----------
    updates
        (n_clients, n_params): a norm needs the whole update.
    aggregator
        What comes after clipping.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.append(np.zeros((12, 1)), [[1e9]], axis=0)
    >>> clip_first(updates, mean)
    array([0.])
    """
    return aggregator(clip_updates(updates, "median"))


def lineup(
    n_clients: int,
    n_adversaries: int | None = None,
    *,
    seed: int = 0,
    report: bool = False,
) -> dict[str, Callable[[Any], Any]]:
    """Give the aggregators that the book compares, set as a defender would set them.

    A defender does not know how many adversaries there are, so none of the settings does:
    `n_adversaries` is what the defender assumes, whatever the true number.

    Parameters
    ----------
    n_clients
        How many updates are aggregated in a round (the sampled clients), at least 3.
    n_adversaries
        How many adversaries among them are assumed; None is the most that Bulyan can stand,
        (n_clients - 3) // 4: 4 of 20.
    seed
        Of the noise of weak DP and FLAME, a whole number and not a generator, so that the
        aggregators hold no state and a checkpoint can tell them apart.
    report
        Whether the forms of RFOut-1d also give their `Report`, as `Federation` takes it.

    Returns
    -------
    dict
        Name to aggregator, in the order of `NAMES`, every one a named function or a
        `functools.partial` of one:

        - trimmed mean cuts `n_adversaries` values at either end;
        - Krum, Multi-Krum, Bulyan and mixing are told `n_adversaries`; Multi-Krum keeps all others;
        - norm clipping, weak DP, clipping first and centred clipping take the median of the round
          as their length, since a fixed one would have to be tuned on rounds known to be honest;
        - RLR clips first, as its authors do;
        - the vote of RLR (a fifth of the clients) and the noise of weak DP and FLAME are the
          strongest that cost less than a point of main-task accuracy
          (`rfout.experiments.tuning`);
        - FoolsGold is told nothing.

    Raises
    ------
    ValueError
        If there are fewer than 4 n_adversaries + 3 clients, which Bulyan needs.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.random.default_rng(0).normal(size=(20, 5))
    >>> lineup(20)["trimmed mean"](updates).shape
    (5,)
    """
    f = (n_clients - 3) // 4 if n_adversaries is None else n_adversaries
    if f < 0 or n_clients < 4 * f + 3:
        raise ValueError(
            f"Bulyan needs 4 n_adversaries + 3 clients, which {n_clients} clients and "
            f"n_adversaries {f} do not give: take more clients, or assume fewer adversaries"
        )
    paper = partial(rfout1d, return_report=report)
    aggregators = (
        mean,
        paper,
        partial(paper, replacement="drop"),
        partial(clip_first, aggregator=paper),
        partial(paper, center="median", scale="mad"),
        median,
        partial(trimmed_mean, cut=f),
        partial(krum, n_adversaries=f),
        partial(multi_krum, n_adversaries=f, keep=n_clients - f),
        partial(bulyan, n_adversaries=f),
        partial(mixed, n_adversaries=f),
        geometric_median,
        centred_clipping,
        partial(norm_clipping, max_norm="median"),
        partial(weak_dp, max_norm="median", noise=0.4, rng=seed),
        partial(clip_first, aggregator=partial(rlr, threshold=n_clients / 5)),
        foolsgold,
        partial(flame, noise=0.01, rng=seed),
    )
    return dict(zip(NAMES, aggregators, strict=True))
