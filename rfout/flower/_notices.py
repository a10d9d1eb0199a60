"""What the log says: a line a round, and a warning once."""

import math
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from logging import INFO, WARNING, getLogger

from flwr.common import log
from flwr.serverapp import Grid

from ..operator import Report, paths, walk
from ..operator.rule import Rule
from ._agreement import Layout
from ._round import Round

SLOW = 3.0  # seconds


class Notices:
    """What one run says of itself: a line a round, and once what holds for all of its rounds."""

    def __init__(self, rule: Rule) -> None:
        # So many replies the paper's rule needs before it can flag one of them.
        self.least = math.floor(rule.threshold**2) + 2 if rule.is_papers else 0
        self.threshold = rule.threshold
        self._said: set[str] = set()

    def of_few(self, n: int, grid: Grid | None = None) -> None:
        """Say that `n` replies are too few, if they are, and what to set."""
        if n >= self.least or "few" in self._said:
            return
        self._said.add("few")
        said = (
            f"{n} replies: a threshold of {self.threshold:g} flags nothing in fewer than "
            f"{self.least}, and the aggregate is the plain mean"
        )
        nodes = 0 if grid is None else len(list(grid.get_node_ids()))
        if nodes >= self.least:
            said += f". Of {nodes} nodes {n} are asked: set min_train_nodes={self.least}"
        elif nodes:
            said += f". Start more nodes, and set min_available_nodes={self.least}"
        if getLogger("flwr").isEnabledFor(WARNING):
            log(WARNING, said)
        else:  # Flower's log is off, as in a notebook: it has to be seen somewhere
            warnings.warn(said, stacklevel=_callers_level())

    def of_round(self, done: Round, layout: Layout, report: Report | None) -> None:
        """Say what became of the replies."""
        if layout.differs and layout.differs not in self._said:
            self._said.add(layout.differs)
            said = "most replies agree on other layers than the model's: %s. These are aggregated, "
            log(WARNING, said + "and the rest of the model stays", layout.differs)
        n = len(done.kept)
        if done.asked is None:
            self.of_few(n)
        few = n < self.least and "few" not in self._said
        level = WARNING if done.dropped or done.missing else INFO
        log(level, done.line(report, too_few=few))

    def of_evaluation(self, failed: Round, n_replies: int) -> None:
        """Say how many nodes failed to evaluate, and the commonest reason."""
        said = "round %d: %d of %d nodes failed in the evaluation: %s"
        n, why = len(failed.dropped), failed.reason(failed.dropped)
        log(WARNING, said, failed.number, n, n_replies, why)


def _callers_level() -> int:
    """Count the frames up to the first that is neither ours nor Flower's."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in ("flwr", "rfout"):
        level, frame = level + 1, frame.f_back
    return level


@contextmanager
def slow_compilation_is_told(rule: Rule, n_values: int) -> Iterator[None]:
    """Say that the operator is being compiled, if that takes more than a few seconds."""
    compiled = paths.kernels(rule.is_papers) if n_values >= walk.LARGE else None
    if compiled is None or compiled.aggregate.signatures:
        yield
        return
    said = "compiling RFOut-1d for large models, once in this process: up to half a minute"
    timer = threading.Timer(SLOW, log, (INFO, said))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
