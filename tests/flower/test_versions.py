"""The strategy on the oldest and on the newest Flower that the package allows.

Flower alone is fetched, a megabyte; what it needs is in this environment.
"""

import json
import os
import re
import subprocess
import sys
import tomllib

import pytest

pytestmark = pytest.mark.slow
RUN = """
import sys, flwr, pytest
print("FLOWER", flwr.__file__)
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning",
                      *sys.argv[1:]]))
"""
OFFLINE = r"NewConnectionError|name resolution|Network is unreachable|[Cc]onnection (refused|timed)"


@pytest.fixture(scope="module")
def allowed(root):
    """The range that a Flower project is asked for."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    (flower,) = [e for e in project["optional-dependencies"]["flower"] if e.startswith("flwr")]
    return re.fullmatch(r"flwr>=(\d+)\.(\d+),<2", flower)


def suite(root, folder, wanted, *files):
    """Install Flower in `folder`, and run these files on it."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    pip += ["--retries", "1", "--timeout", "20", "install", "--no-deps", "--target", folder, wanted]
    fetched = subprocess.run(pip, capture_output=True, text=True, timeout=120)
    if fetched.returncode and re.search(OFFLINE, fetched.stderr) and "CI" not in os.environ:
        pytest.skip("there is no network to fetch another Flower from")
    assert fetched.returncode == 0, fetched.stderr
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(root)])}
    return subprocess.run(
        [sys.executable, "-c", RUN, *[str(root / "tests" / "flower" / file) for file in files]],
        env=env,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_the_oldest(root, tmp_path, allowed):
    """Whose insides are others: the strategy asks for none of them."""
    major, minor = map(int, allowed.groups())
    wanted = f"flwr>={major}.{minor},<{major}.{minor + 1}"
    done = suite(root, tmp_path, wanted, "test_conformance_mocks.py")
    assert f"FLOWER {tmp_path}" in done.stdout
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    grid = [sys.executable, "-c", "from rfout.flower import InProcessGrid"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(root)])}
    said = subprocess.run(grid, env=env, capture_output=True, text=True, timeout=60).stderr
    assert "ImportError: InProcessGrid needs flwr 1.41 or newer" in said


def test_the_newest(root, tmp_path, allowed):
    wanted = allowed[0]
    files = ("test_conformance_mocks.py", "test_conformance_messages.py")
    done = suite(root, tmp_path, wanted, *files)
    assert f"FLOWER {tmp_path}" in done.stdout
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


def test_the_import_takes_what_the_strategy_needs_and_no_more():
    program = "import rfout.flower, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = set(json.loads(done.stdout))
    for name in ("pandas", "psutil", "numba", "matplotlib", "tensorflow", "ray", "scipy"):
        assert name not in loaded
    assert "rfout.flower.grid" not in loaded
