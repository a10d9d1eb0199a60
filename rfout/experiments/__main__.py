"""Run what is missing of a suite: ``python -m rfout.experiments SUITE``."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from .origin import revision
from .results import RESULTS, missing, write_result
from .run import execute
from .suites import SUITES


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing of a suite."""
    parser = argparse.ArgumentParser(
        prog="python -m rfout.experiments", description="Run what is missing of a suite."
    )
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--defence", help="of this defence alone")
    parser.add_argument("--attack", help="of this attack alone")
    parser.add_argument("--results", type=Path, default=RESULTS, help="default: %(default)s")
    wanted = parser.parse_args(arguments)
    suite = SUITES[wanted.suite]()
    runs = [
        run
        for run in suite
        if wanted.defence in (None, run.defence) and wanted.attack in (None, run.attack.name)
    ]
    if not runs:
        names = sorted({run.defence for run in suite})
        attacks = sorted({run.attack.name for run in suite})
        parser.error(f"no such run; defences are {names}, attacks {attacks}")
    left = [run for run in missing(wanted.suite, wanted.results) if run in runs]
    print(f"{wanted.suite}: {len(runs)} runs, {len(runs) - len(left)} done before")
    revision()  # now: the files may be changed while this runs
    for run in tqdm(left, unit="run", smoothing=0.1):
        started = time.monotonic()
        write_result(wanted.suite, run, execute(run), time.monotonic() - started, wanted.results)


if __name__ == "__main__":
    main()
