"""The mean, RFOut-1d and its rivals, under the names that the book prints and with its settings."""

from collections.abc import Callable
from functools import partial
from typing import Any

from ..rfout1d import rfout1d
from .averages import clip_updates, mean, norm_clipping, rlr, weak_dp
from .byzantine import bulyan, krum, median, multi_krum, trimmed_mean

NAMES = (
    "mean", "RFOut-1d", "RFOut-1d, median/MAD", "median", "trimmed mean", "Krum", "Multi-Krum",
    "Bulyan", "norm clipping", "weak DP", "RLR",
)  # fmt: skip
"""The mean, RFOut-1d in two forms, and its rivals."""

FAMILY = ("RFOut-1d, drop", "RFOut-1d, clip first")
"""Two more forms of RFOut-1d: flagged values left out, and updates clipped before the rule."""


def clip_first(updates: Any, *, return_report: bool = False) -> Any:
    """Clip the updates to the median of their norms, then filter them by RFOut-1d.

    Parameters
    ----------
    updates, return_report
        As for `rfout.rfout1d`; (n_clients, n_params), since a norm needs the whole update.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.append(np.zeros((12, 1)), [[1e9]], axis=0)
    >>> float(clip_first(updates)[0])
    0.0
    """
    clipped = clip_updates(updates, "median")
    return rfout1d(clipped, return_report=True) if return_report else rfout1d(clipped)


def lineup(
    n_clients: int,
    n_adversaries: int | None = None,
    *,
    noise: float = 0.05,
    seed: int = 0,
    report: bool = False,
) -> dict[str, Callable[[Any], Any]]:
    """Give the aggregators that the book compares, set as a defender would set them.

    A defender does not know how many adversaries there are, so none of the settings does:
    `n_adversaries` is what the defender provides for, whoever attacks.

    Parameters
    ----------
    n_clients
        How many updates are aggregated in a round (the sampled clients), at least 3.
    n_adversaries
        How many adversaries among them are provided for; None is the most that Bulyan can,
        (n_clients - 3) // 4: 4 of 20.
    noise
        Of weak DP, in units of clipping norm / n_clients: little enough to keep the main task.
    seed
        Of weak DP's noise, a whole number and not a generator, so that the aggregators hold no
        state and a checkpoint can tell them apart.
    report
        Whether the two forms of RFOut-1d also give their `Report`, as `Federation` takes it.

    Returns
    -------
    dict
        Name to aggregator, in the order of `NAMES` and then of `FAMILY`, every one a named
        function or a `functools.partial` of one:

        - trimmed mean cuts `n_adversaries` values at either end, just enough to cut them all;
        - Krum, Multi-Krum and Bulyan are told `n_adversaries`; Multi-Krum keeps all others;
        - norm clipping and weak DP clip to the median norm of the round: a fixed norm would have
          to be tuned on rounds known to be honest;
        - RLR asks for an agreement of twice `n_adversaries`, which they cannot make alone: 8 of
          20 clients, the share that the authors' published example asks for (4 of 10).

    Raises
    ------
    ValueError
        If there are fewer than 4 n_adversaries + 3 clients, which Bulyan needs.

    Notes
    -----
    Chapter: defences-compared.
    """
    f = (n_clients - 3) // 4 if n_adversaries is None else n_adversaries
    if f < 0 or n_clients < 4 * f + 3:
        raise ValueError(
            f"Bulyan needs 4 n_adversaries + 3 clients, which {n_clients} clients and "
            f"n_adversaries {f} do not give: take more clients, or provide for fewer adversaries"
        )
    robust = {"center": "median", "scale": "mad"}
    aggregators = (
        mean,
        partial(rfout1d, return_report=report),
        partial(rfout1d, return_report=report, **robust),
        median,
        partial(trimmed_mean, cut=f),
        partial(krum, n_adversaries=f),
        partial(multi_krum, n_adversaries=f, keep=n_clients - f),
        partial(bulyan, n_adversaries=f),
        partial(norm_clipping, max_norm="median"),
        partial(weak_dp, max_norm="median", noise=noise, rng=seed),
        partial(rlr, threshold=2 * f),
        partial(rfout1d, return_report=report, replacement="drop"),
        partial(clip_first, return_report=report),
    )
    return dict(zip((*NAMES, *FAMILY), aggregators, strict=True))
