"""What the strategy refuses to be set to."""

import math
from typing import Any

from ..operator.rule import check_choice


def check(
    sends: Any, on_invalid: Any, weighted: Any, node_timeout: Any, max_empty_rounds: Any
) -> None:
    """Raise a ValueError for settings that mean nothing, and for weights."""
    check_choice("sends", sends, ("parameters", "updates"))
    check_choice("on_invalid", on_invalid, ("drop", "raise"))
    if weighted:
        raise ValueError(
            "weighted=True is refused: a reply's weight is what its client claims, and a "
            "client that claims enough would own the aggregate. RFOut-1d counts clients alike"
        )
    if node_timeout is not None and not 0 <= node_timeout < math.inf:
        raise ValueError(f"node_timeout must be seconds, at least 0, not {node_timeout!r}")
    if isinstance(max_empty_rounds, bool) or not max_empty_rounds >= 1:
        raise ValueError(f"max_empty_rounds must be at least 1, not {max_empty_rounds!r}")
