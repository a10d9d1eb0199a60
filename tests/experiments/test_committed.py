"""The committed results: whole, and made by code that is committed. Nothing is trained here."""

from pathlib import Path

import pytest

from rfout.experiments import read_origins
from rfout.experiments.results import RESULTS, missing

COMMITTED = sorted(path.name for path in RESULTS.iterdir() if path.is_dir())


def test_there_are_results():
    assert {"short", "comparison", "search"} <= set(COMMITTED)


@pytest.mark.parametrize("suite", COMMITTED)
def test_a_committed_suite_is_whole(suite):
    lacking = sorted({f"{run.defence}, {run.attack.name}" for run in missing(suite)})
    assert not lacking, f"run `make results SUITE={suite}`: it lacks {'; '.join(lacking)}"


FOLDERS = [*((suite, RESULTS) for suite in COMMITTED), ("short", Path(__file__).parent / "sse41")]


@pytest.mark.parametrize(("suite", "folder"), FOLDERS)
def test_committed_results_name_the_commit_that_made_them(suite, folder):
    origins = read_origins(suite, folder)
    bad = origins[origins.revision.str.contains("dirty|unknown")]
    assert bad.empty, f"commit the code first, then run `make results SUITE={suite}` again: {bad}"
