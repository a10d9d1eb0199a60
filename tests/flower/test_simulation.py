"""Ray and `flwr run .`: the same apps, and the rounds of rfout.federation to float32 rounding."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from functools import partial

import numpy as np
import pytest

from rfout import rfout1d
from rfout.flower.deployment import Deployment
from rfout.flower.experiment import federation, read_settings
from rfout.flower.processes import environment, plain

pytestmark = pytest.mark.slow
N = 12
CONFIG = {
    "num-server-rounds": 2,
    "num-clients": N,
    "min-nodes": N,
    "adversaries": "0",
    "attack-epochs": 2,
    "sends": "updates",
}
# Flower's call for a script passes no configuration on to the apps: these two add it.
ON_RAY = """
import json
import sys
from flwr.app import Context
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp
from flwr.simulation import run_simulation

CONFIG = json.loads(sys.argv[1])
client, server = ClientApp(), ServerApp()

@client.train()
def train(message, context):
    from rfout.flower import client_app
    own = Context(context.run_id, context.node_id, context.node_config, context.state, CONFIG)
    return client_app.app(message, own)

@server.main()
def main(grid, context):
    from rfout.flower import server_app
    context.run_config = CONFIG
    server_app.app(grid, context)

backend = {
    "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
    "init_args": {"num_cpus": 2, "include_dashboard": False},
}
run_simulation(server, client, CONFIG["num-clients"], backend_config=backend)
"""


def test_ray_gives_the_federations_rounds(root, tmp_path):
    """Ray hands the nodes' replies in as they come; they are sorted before they are summed."""
    (tmp_path / "on_ray.py").write_text(ON_RAY, "utf-8")
    config = {**CONFIG, "result-file": str(tmp_path / "result.npz")}
    env = {**environment(tmp_path), "PYTHONPATH": str(root)}  # for Ray's own processes
    command = [sys.executable, str(tmp_path / "on_ray.py"), json.dumps(config)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(tmp_path / "result.npz") as file:
        found = file["params"]
    made = federation(read_settings(CONFIG)).fork(aggregator=partial(rfout1d, return_report=True))
    want = [made.params, *(made.params for _ in made.rounds(2))]
    np.testing.assert_allclose(found, np.stack(want), rtol=1e-6, atol=1e-8)
    assert not np.array_equal(found[0], found[2])


def test_the_command_of_the_readme_runs_the_experiment(root, tmp_path):
    """As copied: all clients, attacked and defended; it ends with the two accuracies."""
    readme = (root / "README.md").read_text("utf-8")
    _, _, _, stream, *options = shlex.split(re.search(r"^flwr run \. .*$", readme, re.MULTILINE)[0])
    assert stream == "--stream"
    # Not the repository's own folder: what lies there besides would go along.
    app = tmp_path / "app"
    shutil.copytree(root / "rfout", app / "rfout", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", app)
    config = {"num-server-rounds": 1, "result-file": str(tmp_path / "result.npz")}
    with Deployment(simulation=True) as deployment:
        run = deployment.start_run(app, config, *options)
        assert run.wait(400) == 0
        log = [plain(line) for line in deployment.full_log(run)]
    assert "configure_train: Sampled 20 nodes (out of 20)" in log, "\n".join(log)[-3000:]
    told = [line for line in log if line.startswith("round 1: 20 replies, most flagged: node ")]
    assert told, "\n".join(log)[-3000:]
    assert float(re.search(r"([\d.]+) % of the parameters$", told[0])[1]) > 50
    end = r"rfout1d, 1 rounds: main-task-accuracy 0\.\d+, backdoor-accuracy 0\.\d+"
    assert [line for line in log if re.fullmatch(end, line)]
    with np.load(tmp_path / "result.npz") as file:
        assert file["params"].shape[0] == 2
        assert not np.array_equal(*file["params"])


def test_the_install_line_of_the_readme_names_an_extra(root):
    """From a clone: the package is on no index."""
    readme = (root / "README.md").read_text("utf-8")
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    (extra,) = re.findall(r"^pip install \"\.\[(\w+)\]\"$", readme, re.MULTILINE)
    assert extra in project["optional-dependencies"]
    (line,) = re.findall(r"The extras of the package are (.*)\.", readme)
    assert set(re.findall(r"`(\w+)`", line)) == set(project["optional-dependencies"])
