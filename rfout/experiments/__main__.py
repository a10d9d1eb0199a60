"""Run what is missing of a suite: ``python -m rfout.experiments SUITE``."""

from .results import main

main()
