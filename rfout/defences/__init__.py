"""Aggregators: the mean, and the rivals of RFOut-1d.

An aggregator takes (n_clients, n_params) updates and gives the (n_params,) aggregate. `lineup`
gives all of them under the names that the book prints.
"""

from .averages import clip_updates, mean, norm_clipping, rlr, weak_dp
from .byzantine import bulyan, krum, median, multi_krum, trimmed_mean
from .lineup import FAMILY, NAMES, clip_first, lineup

__all__ = [
    "FAMILY",
    "NAMES",
    "bulyan",
    "clip_first",
    "clip_updates",
    "krum",
    "lineup",
    "mean",
    "median",
    "multi_krum",
    "norm_clipping",
    "rlr",
    "trimmed_mean",
    "weak_dp",
]
