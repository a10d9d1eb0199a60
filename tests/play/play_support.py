"""What the tests of the page share beside fixtures."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def missing(what):
    """Say that a part of the tests is left out here; where CI runs nothing may be."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


def rounds(page):
    return int(page.inner_text(".counter").split()[1])


def at_round(page, number):
    """Wait until the page is at a round or beyond."""
    page.wait_for_function(
        "n => Number(document.querySelector('.counter')?.textContent.slice(6)) >= n",
        arg=number,
        timeout=60_000,
    )


def run_to(page, number):
    """Run as fast as it goes, and pause at a round or soon after."""
    page.select_option(".toolbar select", "fast")
    page.click(".toolbar .primary")
    at_round(page, number)
    page.click(".toolbar .primary")
    page.wait_for_function(
        "() => document.querySelector('.toolbar .primary').innerText === 'Start'"
    )
