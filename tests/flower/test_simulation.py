"""Ray and `flwr run .`: the same apps, and the rounds of rfout.federation to float32 rounding."""

import re
import shlex
import shutil
import tomllib
from functools import partial

import numpy as np
import pytest

from rfout import rfout1d
from rfout.flower.deployment import Deployment
from rfout.flower.experiment import federation
from rfout.flower.output import plain
from rfout.flower.settings import read_settings

pytestmark = pytest.mark.slow
CONFIG = {"num-server-rounds": 2, "sends": "updates"}


@pytest.fixture(scope="module")
def simulated(root, tmp_path_factory):
    """Run the README's command for two rounds; gives its log, and the model after every round."""
    readme = (root / "README.md").read_text("utf-8")
    _, _, _, stream, *options = shlex.split(re.search(r"^flwr run \. .*$", readme, re.MULTILINE)[0])
    assert stream == "--stream"
    folder = tmp_path_factory.mktemp("simulated")
    # Not the repository's own folder: what lies there besides would go along.
    app = folder / "app"
    shutil.copytree(root / "rfout", app / "rfout", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", app)
    with Deployment(simulation=True) as deployment:
        config = {**CONFIG, "result-file": str(folder / "result.npz")}
        run = deployment.start_run(app, config, *options)
        assert run.wait(400) == 0, run.text[-3000:]
        log = [plain(line) for line in deployment.full_log(run)]
    with np.load(folder / "result.npz") as file:
        return log, file["params"]


def test_the_command_of_the_readme_runs_the_experiment(simulated):
    """As copied: all clients, attacked and defended; it ends with the two accuracies."""
    log, _ = simulated
    assert "configure_train: Sampled 20 nodes (out of 20)" in log, "\n".join(log)[-3000:]
    told = [line for line in log if line.startswith("round 1: 20 replies, most flagged: node ")]
    assert told, "\n".join(log)[-3000:]
    assert float(re.search(r"([\d.]+) % of the parameters$", told[0])[1]) > 50
    end = r"rfout1d, 2 rounds: main-task-accuracy 0\.\d+, backdoor-accuracy 0\.\d+"
    assert [line for line in log if re.fullmatch(end, line)]


def test_ray_gives_the_federations_rounds(root, simulated):
    """Ray hands the nodes' replies in as they come; they are sorted before they are summed."""
    _, found = simulated
    app = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["flwr"]["app"]
    settings = read_settings({**app["config"], **CONFIG})
    made = federation(settings).fork(aggregator=partial(rfout1d, return_report=True))
    want = [made.params, *(made.params for _ in made.rounds(2))]
    np.testing.assert_allclose(found, np.stack(want), rtol=1e-6, atol=1e-8)
    assert not np.array_equal(found[0], found[2])


def test_the_install_line_of_the_readme_names_an_extra(root):
    """From a clone: the package is on no index."""
    readme = (root / "README.md").read_text("utf-8")
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    (extra,) = re.findall(r"^pip install \"\.\[(\w+)\]\"$", readme, re.MULTILINE)
    assert extra in project["optional-dependencies"]
    (line,) = re.findall(r"The extras of the package are (.*)\.", readme)
    assert set(re.findall(r"`(\w+)`", line)) == set(project["optional-dependencies"])
