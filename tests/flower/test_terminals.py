"""The authors' usage: a server in one terminal, clients in others."""

import os
import re
import signal
import sys
import time

import pytest

from rfout.flower import client, server
from rfout.flower.processes import Programs, _runs, descendants, free_ports

pytestmark = pytest.mark.slow
LONG = 240  # seconds that a busy machine may take


@pytest.fixture
def terminals(tmp_path):
    with Programs(tmp_path) as programs:
        yield lambda room, *arguments: programs.start(
            [sys.executable, "-m", f"rfout.flower.{room}", *map(str, arguments)]
        )


def test_a_server_and_its_clients(terminals):
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    first = terminals("client", "--server", address, "--partition", 3)  # before the server
    served = terminals("server", "--port", port, "--clients", 2, "--rounds", 2, "--wait", LONG)
    assert served.wait_for(f"server at {address}, waiting for 2 clients", LONG)
    assert served.wait_for("waiting for 1 more nodes: 1 of 2", LONG)
    late = terminals("client", "--server", address, "--partition", 5)
    assert served.wait(LONG) == 0, served.text
    rounds = re.findall(r"^round (\d): main-task-accuracy 0\.\d+", served.text, re.MULTILINE)
    assert rounds == ["0", "1", "2"]
    assert served.lines[-1] == "done: 2 rounds"
    for one, partition in ((first, 3), (late, 5)):
        trained = re.findall(r"^round (\d): client (\d) trained on 200 im", one.text, re.MULTILINE)
        assert trained == [("1", str(partition)), ("2", str(partition))]
        assert one.wait(LONG) == 0
        assert one.lines[-1] == f"the server at {address} has ended, and so does this client"


def test_control_c_leaves_nothing_and_a_port_in_use_is_one_line(terminals):
    (port,) = free_ports(1)
    served = terminals("server", "--port", port)
    assert served.wait_for("waiting for 2 clients", LONG)
    second = terminals("server", "--port", port)
    assert second.wait(LONG) == 1
    assert second.lines == [f"port {port} is in use: choose another one with --port"]
    children = descendants([served.process.pid])
    assert len(children) >= 2
    os.kill(served.process.pid, signal.SIGINT)
    assert served.wait(LONG) == 130
    assert served.lines[-1] == "stopped; nothing is left running"
    assert not any(map(_runs, children))


def test_a_server_gives_up(terminals):
    (port,) = free_ports(1)
    served = terminals("server", "--port", port, "--wait", 1)
    assert served.wait(LONG) == 1
    assert served.lines[-1].startswith("gave up: 0 of 2 nodes after 1 s. Start more nodes")


def test_a_client_without_a_server_says_so(capsys):
    (port,) = free_ports(1)
    begun = time.monotonic()
    assert client.main(["--server", f"127.0.0.1:{port}", "--wait", "0.2"]) == 1
    assert time.monotonic() - begun < 30
    assert capsys.readouterr().err.startswith(f"no server at 127.0.0.1:{port} after 0.2 s: start")


@pytest.mark.parametrize(
    ("main", "arguments", "says"),
    [
        (client.main, ["--server", "somewhere"], "--server must be an address and a port"),
        (client.main, ["--data", "nowhere.npz"], "data=nowhere.npz: not a .npz file"),
        (server.main, ["--strategy", "best"], "strategy must be one of"),
        (server.main, ["--clients", "0"], "min-nodes must be positive"),
    ],
)
def test_a_wrong_argument_is_one_line(capsys, main, arguments, says):
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
