"""Starting and stopping processes, and writing down what Flower is told, on any machine."""

import os
import re
import socket
import subprocess
import sys
import tomllib
import urllib.request

import flwr
import psutil
import pytest
from flwr.cli.config_utils import load_and_validate
from flwr.cli.flower_config import parse_superlink_connection
from flwr.common.config import parse_config_args

from rfout.flower import commands
from rfout.flower._addresses import can_be_host, in_use, read_address, write_address
from rfout.flower._family import runs
from rfout.flower.commands import write_app, write_config, write_connection
from rfout.flower.deployment import Deployment
from rfout.flower.output import reason
from rfout.flower.processes import Programs, command, environment

# A child, and a child of its own in another session; neither listens to a polite word.
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); "
STUBBORN = f"""{DEAF}
import subprocess, sys
own = [sys.executable, "-c", {DEAF + "time.sleep(300)"!r}]
child = subprocess.Popen(own, start_new_session=True, stdout=subprocess.PIPE)
child.stdout.readline()
print("child", child.pid, flush=True)
time.sleep(300)
"""


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_children_end_without_ps(tmp_path, monkeypatch, how):
    """As on slim images."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("rfout.flower._family.GRACE", 1.0)
    with Programs(tmp_path) as programs:
        program = programs.start([sys.executable, "-c", STUBBORN])
        assert program.wait_for("child", 60)
        both = [
            psutil.Process(program.process.pid),
            psutil.Process(int(program.lines[-1].split()[1])),
        ]
        assert all(map(runs, both))
        if how == "kill":
            program.kill()
    assert not any(map(runs, both))


def test_no_signal_is_used_that_windows_lacks(root):
    for path in (root / "rfout" / "flower").glob("*.py"):
        used = set(re.findall(r"signal\.(SIG\w+)", path.read_text("utf-8")))
        assert used <= {"SIGTERM", "SIGINT"}, path


def test_one_that_has_ended_is_left_alone(tmp_path):
    """Its number may be another process's by now."""
    with Programs(tmp_path) as programs:
        program = programs.start([sys.executable, "-c", "pass"])
        program.wait(60)
        bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        program.process.pid = bystander.pid
    assert bystander.poll() is None
    bystander.communicate(b"\n", 30)


def test_a_program_is_the_one_beside_this_python(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert os.path.dirname(command("flower-superlink")) == os.path.dirname(sys.executable)
    assert command("no-such-program") == "no-such-program"


@pytest.mark.parametrize(("given", "kept"), [({}, ""), ({"NO_PROXY": "inside.example"}, "inside.")])
def test_this_machine_is_talked_to_without_a_proxy(monkeypatch, tmp_path, given, kept):
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"http_proxy": "http://proxy.invalid:1", **given}.items():
        monkeypatch.setenv(name, value)
    env = environment(tmp_path, "10.1.2.3")
    monkeypatch.setattr(os, "environ", env)
    assert env["http_proxy"] == "http://proxy.invalid:1"
    for host in ("127.0.0.1", "localhost", "10.1.2.3"):
        assert urllib.request.proxy_bypass_environment(host)
    assert not urllib.request.proxy_bypass_environment("elsewhere.example")
    assert kept in env["NO_PROXY"] == env["no_proxy"]


def test_without_a_home_keras_is_given_one(monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    assert "KERAS_HOME" not in environment(tmp_path)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert environment(tmp_path)["KERAS_HOME"] == str(tmp_path / "keras")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            ["\x1b[91mERROR \x1b[0m:     Exit Code: 305", "", "no such node", "", "See: x"],
            "no such node",
        ),
        (
            ["File x", "httpx.ConnectError: refused", "╭──╮", "╰────╯"],
            "httpx.ConnectError: refused",
        ),
        (["INFO :      starting", "│ it is over │", "╰──╯"], "it is over"),
        ([], "it printed nothing"),
    ],
)
def test_why_a_program_ended(lines, says):
    assert reason(lines) == says


# Addresses


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8000", "127.0.0.1", 8000),
        ("my.server:1", "my.server", 1),
        ("[::1]:8000", "::1", 8000),
    ],
)
def test_an_address(text, host, port):
    assert read_address(text) == (host, port)
    assert write_address(host, port) == text


def test_where_everybody_is_listened_to_loopback_is_asked():
    assert write_address("0.0.0.0", 80) == "127.0.0.1:80"
    assert write_address("::", 80) == "[::1]:80"


def test_the_host_that_listens_is_asked():
    """Another address than 127.0.0.1, on loopback as well."""
    with socket.create_server(("127.0.0.2", 0)) as server:
        port = server.getsockname()[1]
        assert in_use(port, "127.0.0.2")
        assert not in_use(port, "127.0.0.1")
    assert not in_use(port, "no-such-host.invalid")


@pytest.mark.parametrize(
    "host", ["a", "my.server", "10.1.2.3", "::1", "xn--bcher-kva.example", "*.a"]
)
def test_a_host(host):
    assert can_be_host(host)


@pytest.mark.parametrize("host", ["", "https://x", "a b", "x:80", "a/b", "a..b", "-" * 64, "[::1]"])
def test_no_host(host):
    assert not can_be_host(host)


# What Flower is told

STRANGE = {
    "data": "/a blank/\N{MICROSCOPE}/an 'apostrophe'/\"quotes\"/back\\slash/x=1",
    "partition-id": 3,
    "share": 0.5,
    "on": True,
}


def test_flower_reads_a_nodes_configuration_as_it_was_meant(tmp_path):
    folder = tmp_path / "a blank, \N{MICROSCOPE} and 'more'"
    path = write_config(folder, STRANGE)
    assert parse_config_args([str(path)]) == STRANGE
    assert write_config(folder, {}) != path


def test_flower_reads_an_app_and_a_connection_as_they_were_meant(tmp_path):
    app = write_app(tmp_path / "app", STRANGE)
    config, _ = load_and_validate(app / "pyproject.toml", check_module=False)
    assert config["tool"]["flwr"]["app"]["config"] == STRANGE
    write_connection(tmp_path, "[::1]:8000", tmp_path / "a 'certificate'")
    told = tomllib.loads((tmp_path / "config.toml").read_text("utf-8"))["superlink"]["rfout"]
    found = parse_superlink_connection(told, "rfout")
    assert (found.address, found.insecure) == ("[::1]:8000", False)
    assert found.root_certificates == str(tmp_path / "a 'certificate'")


@pytest.mark.parametrize("folder", ["/with a blank", "/with,comma", "/with%percent"])
def test_a_database_is_kept_where_flower_can(tmp_path, monkeypatch, folder):
    assert commands.database(tmp_path) == tmp_path / "superlink.db"
    monkeypatch.setattr(flwr, "__file__", f"{folder}/flwr/__init__.py")
    assert commands.database(tmp_path) is None


@pytest.mark.slow
def test_keys_work_without_a_database(monkeypatch):
    """Where Flower's own folder has a blank in its path; the nodes are registered all the same."""
    monkeypatch.setattr("rfout.flower.deployment.database", lambda home: None)
    with Deployment(n_keys=2) as made:
        node = made.start_node({"partition-id": 0, "data": "a 'b' \N{MICROSCOPE}"})
        assert node.wait_for("SuperNode ID", 120), node.text
        made.superlink.kill()
        made.start_superlink()
        again = made.start_node({"partition-id": 0}, ca=made.ca, key=made.keys / "node-0")
        assert again.wait_for("SuperNode ID", 120) or node.text.count("SuperNode ID") > 1, (
            again.text
        )
