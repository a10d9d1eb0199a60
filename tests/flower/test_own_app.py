"""The package installed elsewhere, and a Flower user's own app on it."""

import shutil
import subprocess
import sys
import sysconfig

import pytest

PYPROJECT = """
[project]
name = "my-app"
version = "1.0.0"
dependencies = ["rfout[flower]"]
[tool.flwr.app]
publisher = "me"
[tool.flwr.app.components]
serverapp = "my_app.server:app"
clientapp = "my_app.client:app"
[tool.flwr.app.config]
rounds = 2
"""
SERVER = """
import numpy as np
from flwr.app import Array, ArrayRecord, Context
from flwr.serverapp import Grid, ServerApp
from rfout.flower import RFOut1d

app = ServerApp()

@app.main()
def main(grid: Grid, context: Context) -> None:
    strategy = RFOut1d(fraction_evaluate=0.0, min_available_nodes=12)
    model = ArrayRecord({"w": Array(np.zeros(3, np.float32))})
    result = strategy.start(grid, model, num_rounds=context.run_config["rounds"])
    context.state["arrays"] = result.arrays
    context.state["metrics"] = result.train_metrics_clientapp[2]
"""
CLIENT = """
from flwr.app import Array, ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()

@app.train()
def train(message: Message, context: Context) -> Message:
    shout = 1e6 if context.node_config["partition-id"] == 7 else 1
    w = message.content["arrays"]["w"].numpy() + shout
    content = {"arrays": ArrayRecord({"w": Array(w)}), "metrics": MetricRecord({"num-examples": 1})}
    return Message(RecordDict(content), reply_to=message)
"""
RUN = """
import sys
from flwr.cli.config_utils import load_and_validate
from flwr.supercore.object_ref import load_app
from pathlib import Path

config, warnings = load_and_validate(Path("pyproject.toml"))
parts = config["tool"]["flwr"]["app"]["components"]
server, client = (load_app(parts[p], ValueError, ".") for p in ("serverapp", "clientapp"))

import rfout
from rfout.flower import InProcessGrid
assert Path(rfout.__file__).is_relative_to(Path(sys.prefix).resolve()), rfout.__file__
assert "tensorflow" not in sys.modules
grid = InProcessGrid(client, 12, run_config={"rounds": 2})
context = grid.server_context()
server(grid, context)
flagged = context.state["metrics"]["flagged-share"]
print("RESULT", context.state["arrays"]["w"].numpy().max() < 3e5, flagged.index(1.0), sum(flagged))
"""


@pytest.fixture(scope="module")
def python(root, tmp_path_factory):
    """An environment with this package as pip builds it; the rest it finds where it is."""
    made = tmp_path_factory.mktemp("elsewhere")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, made)
    quiet = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "rfout", made / "rfout", ignore=quiet)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-deps", "--no-index"]
    build = ["wheel", *offline, "--no-build-isolation", "--wheel-dir", made / "dist", made]
    subprocess.run([*pip, *build], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made / "env"], check=True)
    interpreter = made / "env" / "bin" / "python"
    (wheel,) = (made / "dist").glob("rfout-*.whl")
    subprocess.run([*pip, "--python", interpreter, "install", *offline, wheel], check=True)
    (packages,) = made.glob("env/lib/python*/site-packages")
    # A folder that is on the path by a .pth file has its own .pth files left alone.
    (packages / "more.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return interpreter


def test_a_project_of_ones_own(python, tmp_path):
    package = tmp_path / "my_app"
    package.mkdir()
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    (package / "__init__.py").touch()
    (package / "server.py").write_text(SERVER, "utf-8")
    (package / "client.py").write_text(CLIENT, "utf-8")
    (tmp_path / "run.py").write_text(RUN, "utf-8")
    done = subprocess.run(
        [python, "-I", "run.py"], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # The one that shouts is flagged everywhere and leaves 1e6 / 12² a round; nobody else is.
    assert "RESULT True 7 1.0" in done.stdout
