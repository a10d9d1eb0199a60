"""Experiments that take longer than a chapter: described as values, run once, kept with origin.

`Run` describes one experiment, `suites` lists those of the book, `execute` runs one, and
`read_results` reads what is kept. ``python -m rfout.experiments SUITE`` runs what is missing.
"""

from .description import Attack, Run, Setting
from .outcomes import ends, interval, outcomes
from .results import read_origins, read_results
from .run import execute, warm_up
from .suites import suites

__all__ = [
    "Attack",
    "Run",
    "Setting",
    "ends",
    "execute",
    "interval",
    "outcomes",
    "read_origins",
    "read_results",
    "suites",
    "warm_up",
]
