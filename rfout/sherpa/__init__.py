"""RFOut-1d for Sherpa.ai's federated learning framework, `shfl`, and what stands in for it.

`RFOut1d` is an aggregator for both of the framework's APIs, `LocalModel` hands the book's Keras
model to it, and `framework` gives the framework itself, or `rfout.sherpa.standin` where it is not
installed. Nothing here needs `shfl` to be imported; where it can be, importing this room imports
it, since `RFOut1d` is then a kind of its `FedAvgAggregator`.
"""

from .aggregator import RFOut1d
from .backend import describe, framework
from .model import LocalModel

__all__ = ["LocalModel", "RFOut1d", "describe", "framework"]
