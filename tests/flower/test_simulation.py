"""`flwr run .`, offline, on Ray: the rounds of rfout.federation, to float32 rounding."""

import os
import shutil
from functools import partial

import numpy as np
import pytest

from rfout import rfout1d
from rfout.flower.deployment import Deployment
from rfout.flower.experiment import federation, read_settings

pytestmark = pytest.mark.slow
N = 12
CONFIG = {
    "num-server-rounds": 2, "num-clients": N, "min-nodes": N, "adversaries": "0",
    "attack-epochs": 2, "sends": "updates",
}  # fmt: skip
RAY = f"num-supernodes={N} client-resources-num-cpus=1 init-args-num-cpus=2"


def test_ray_gives_the_federations_rounds(root, tmp_path):
    """Ray hands the nodes' replies in as they come; they are sorted before they are summed."""
    # Not the repository's own folder: what lies there besides would go along.
    app = tmp_path / "app"
    shutil.copytree(root / "rfout", app / "rfout", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", app)
    result = tmp_path / "result.npz"
    with Deployment(simulation=True) as deployment:
        config = {**CONFIG, "result-file": str(result)}
        run = deployment.start_run(app, config, "--federation-config", RAY)
        assert run.wait(400) == 0
    assert result.exists(), run.text[-3000:]
    with np.load(result) as file:
        found = file["params"]
    made = federation(read_settings(CONFIG)).fork(aggregator=partial(rfout1d, return_report=True))
    want = [made.params, *(made.params for _ in made.rounds(2))]
    np.testing.assert_allclose(found, np.stack(want), rtol=1e-5, atol=1e-6)
    assert not np.array_equal(found[0], found[2])
    assert os.environ.get("FLWR_TELEMETRY_ENABLED") == "0"
