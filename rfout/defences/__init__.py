"""Aggregators: the mean, and the rivals of RFOut-1d.

An aggregator takes (n_clients, n_params) updates and gives the (n_params,) aggregate. `lineup`
gives all of them under the names that the book prints.
"""

from .averages import mean, median, rlr, trimmed_mean
from .byzantine import bulyan, krum, multi_krum
from .centres import centred_clipping, geometric_median, mix_nearest, mixed
from .clipping import clip_updates, norm_clipping, weak_dp
from .lineup import FAMILY, NAMES, RIVALS, clip_first, lineup
from .similarity import flame, foolsgold

__all__ = [
    "FAMILY",
    "NAMES",
    "RIVALS",
    "bulyan",
    "centred_clipping",
    "clip_first",
    "clip_updates",
    "flame",
    "foolsgold",
    "geometric_median",
    "krum",
    "lineup",
    "mean",
    "median",
    "mix_nearest",
    "mixed",
    "multi_krum",
    "norm_clipping",
    "rlr",
    "trimmed_mean",
    "weak_dp",
]
