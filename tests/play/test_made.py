"""What is committed beside its source is made again and compared; lint and types hold."""

import re
import shutil
import subprocess
import sys
import zlib

import pytest
from play_support import ROOT, missing

sys.path.append(str(ROOT / "tools"))
import play_digits

STATIC = ROOT / "book" / "_static"
MODULES = ROOT / "node_modules"


def test_the_digits_are_made_again():
    committed = play_digits.FILE.read_bytes()
    assert zlib.decompress(committed) == play_digits.packed()
    assert len(committed) < 250_000


def test_the_still_figures_are_made_again(node, tmp_path):
    subprocess.run([node, ROOT / "tools" / "play_figures.mjs", tmp_path], check=True)
    made = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    figures = STATIC / "play" / "figures"
    committed = {path.name: path.read_text("utf-8") for path in figures.iterdir()}
    assert made == committed


def test_every_module_is_reached_and_nothing_else_is_loaded():
    """Imports lead to files of the book, with an ending, as a browser without a bundler needs."""
    modules = sorted((STATIC / "play").rglob("*.js"))
    imported = set()
    for path in modules:
        text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
        for name in re.findall(r'(?:from |import\(|URL\()"(\.[^"]+)"', text):
            assert (path.parent / name).is_file(), f"{path.name} imports {name}"
            imported.add((path.parent / name).resolve())
    assert {path for path in modules if path not in imported} == {STATIC / "play" / "widgets.js"}
    assert all(len(path.read_text("utf-8").splitlines()) <= 460 for path in modules)


def test_elementary_functions_are_exact(script):
    xs = [0.0, -1e-9, -0.3, -0.6931471805599453, -1.0, -17.3, -600.0]
    ys = [1e-9, 0.3, 0.5, 0.7071067811865476, 1.0, 2.0, 12345.6]
    calls = [["core/elementary.js", "expOfNegative", x] for x in xs]
    calls += [["core/elementary.js", "log", y] for y in ys]
    import numpy as np

    expected = [*np.exp(xs), *np.log(ys)]
    np.testing.assert_allclose(script(calls), expected, rtol=4e-15, atol=1e-16)


@pytest.fixture
def modules():
    if not shutil.which("node") or not (MODULES / ".bin" / "tsc").exists():
        missing("the tools of the scripts are not here: run npm ci, with Node")
    return MODULES


@pytest.mark.parametrize("command", [("tsc",), ("biome", "check", "--error-on-warnings")])
def test_scripts_have_types_and_no_lint(modules, command):
    name, *options = command
    done = subprocess.run(
        [modules / ".bin" / name, *options], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_vendored_library_is_that_of_the_lock(modules):
    for name in ("dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE"):
        vendored = STATIC / "vendor" / "uplot" / name.rpartition("/")[2]
        assert vendored.read_bytes() == (modules / "uplot" / name).read_bytes()


def test_the_lock_names_no_registry():
    text = (ROOT / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in text
    assert text.count('"integrity"') == text.count('"node_modules/')
