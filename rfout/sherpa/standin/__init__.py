"""Not Sherpa.ai: this stands in for their framework `shfl` where that is not installed.

`shfl` is not on PyPI. What is here has the names of its last API, as far as the book's chapter on
it goes, and none of its code: labelled data, data nodes with access policies, a federation of
nodes, two distributions of data, transformations, rounds, federated averaging and an attack on
labels. `rfout.sherpa.framework` gives the real one where it can be imported, and this elsewhere;
the tests hold both to the same suite.

Like `shfl` it draws from the ambient generators of NumPy and Python, so that a seed makes the same
federation in both. Nothing else in this package does that.
"""

from . import (
    data_base,
    data_distribution,
    federated_aggregator,
    federated_government,
    model,
    private,
)

__all__ = [
    "data_base",
    "data_distribution",
    "federated_aggregator",
    "federated_government",
    "model",
    "private",
]
