"""What became of every node in every round, as a table."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..operator import Report
from ._round import Round

if TYPE_CHECKING:  # the strategy needs no pandas
    import pandas as pd

COLUMNS = ("round", "node", "outcome", "flagged", "largest_z", "reason")


class History:
    """The rounds so far; kept small, since a long run of many nodes has millions of replies."""

    def __init__(self) -> None:
        self._rounds: list[dict[str, Any]] = []

    def add(self, done: Round, report: Report | None) -> None:
        """Take in a round that is over."""
        lost = [*done.dropped, *done.missing]
        n = len(done.kept)
        unknown = np.full(n, np.nan)
        numbers = (unknown, unknown) if report is None else (report.flagged, report.largest_z)
        self._rounds.append(
            {
                "round": done.number,
                "node": np.array([*done.nodes, *(one.node for one in lost)], np.uint64),
                "outcome": np.repeat(
                    ["aggregated", "dropped", "missing"],
                    [n, len(done.dropped), len(done.missing)],
                ),
                **{
                    name: np.concatenate([column, np.full(len(lost), np.nan)])
                    for name, column in zip(("flagged", "largest_z"), numbers, strict=True)
                },
                "reason": [*[""] * n, *(one.reason for one in lost)],
            }
        )

    def table(self) -> "pd.DataFrame":
        """Give a row for each node that was asked, round after round."""
        try:
            import pandas as pd
        except ImportError:
            raise ImportError("the history is a table of pandas: pip install pandas") from None
        if not self._rounds:
            return pd.DataFrame(columns=list(COLUMNS))
        return pd.concat([pd.DataFrame(one) for one in self._rounds], ignore_index=True)
