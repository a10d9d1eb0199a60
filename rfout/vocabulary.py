"""Words that are types, each defined once."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]
"""(n, height, width, channels) images in [0, 1]."""

Labels = NDArray[np.int64]
"""(n,) class labels."""

Params = NDArray[np.float32]
"""(n_params,) parameters of a model, or an update of them."""

Updates = NDArray[np.float32]
"""(n_clients, n_params) updates, a row for each client."""

Array = NDArray[np.floating]
"""Floating numbers of any shape."""

Trigger = Callable[[Images, np.random.Generator], Images]
"""Makes triggered images of clean ones; changes no input."""

Predict = Callable[[Images], Labels]
"""Images to predicted labels."""

Aggregator = Callable[[Updates], Any]
"""Updates to the (n_params,) aggregate, or to it and a `rfout.Report`."""
