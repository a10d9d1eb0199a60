"""What chapters say of their runs: claims that are held, and numbers for the prose."""

import subprocess
import sys

import myst_nb
import numpy as np
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from rfout.standard import claim, record, shared


@pytest.fixture
def displayed(monkeypatch, tmp_path):
    """Return a function that gives what a call displays in a notebook."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a shell replaces it
    without_history = Config({"HistoryManager": {"enabled": False}})
    shell = InteractiveShell.instance(config=without_history)
    publisher = CapturingDisplayPublisher(shell=shell)
    monkeypatch.setattr(shell, "display_pub", publisher)

    def displayed(call):
        publisher.outputs.clear()
        call()
        return [(output["data"], output["metadata"]) for output in publisher.outputs]

    yield displayed
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    ("value", "plain"),
    [(0.25, 0.25), (np.float64(1 / 3), 1 / 3), (np.float32(0.5), 0.5), (7, 7.0), ("two", "two")],
)
def test_what_is_recorded_is_what_myst_nb_glues(displayed, value, plain):
    ours = displayed(lambda: record(name=value))
    assert ours == displayed(lambda: myst_nb.glue("name", plain, display=False))
    assert len(ours) == 1


def test_several_at_once_keep_their_names(displayed):
    found = displayed(lambda: record(one=1.5, other=2.5))
    assert [about["scrapbook"]["name"] for _, about in found] == ["one", "other"]


def test_a_page_that_only_records_loads_no_tensorflow():
    code = "import sys, rfout.standard as s; s.record(a=1.0); sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_claim_that_holds_is_printed(capsys):
    claim(True, "it holds")
    assert capsys.readouterr().out == "it holds\n"


def test_a_claim_that_fails_is_an_error_on_the_default_data_alone(capsys, monkeypatch):
    monkeypatch.delenv("RFOUT_DATASET", raising=False)
    with pytest.raises(AssertionError, match="does not show it: it holds"):
        claim(False, "it holds")
    monkeypatch.setenv("RFOUT_DATASET", "fashion-mnist")
    claim(False, "it holds")
    assert capsys.readouterr().out == "NOT on fashion-mnist: it holds\n"


def test_rounds_are_shared_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.delenv("RFOUT_ROUNDS", raising=False)
    assert shared() is None
    monkeypatch.setenv("RFOUT_ROUNDS", str(tmp_path / "some" / "rounds"))
    assert shared() == tmp_path / "some" / "rounds"
    assert shared().is_dir()
