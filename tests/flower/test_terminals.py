"""The authors' usage: a server in one terminal, clients in others."""

import errno
import os
import re
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from rfout.flower import client, server
from rfout.flower._family import family, runs
from rfout.flower.experiment import federation
from rfout.flower.processes import Programs, free_ports, in_use
from rfout.flower.settings import read_settings

pytestmark = pytest.mark.slow
LONG = 240  # seconds that a busy machine may take


@pytest.fixture
def terminals(tmp_path):
    with Programs(tmp_path) as programs:
        yield lambda room, *arguments: programs.start(
            [sys.executable, "-m", f"rfout.flower.{room}", *map(str, arguments)]
        )


@pytest.fixture
def container(tmp_path):
    """Terminals without `ps` or a home, with proxies, and with a strange folder for their files.

    The programs find nothing on the PATH; the proxy is a port where nobody listens.
    """
    strange = tmp_path / "a blank, \N{MICROSCOPE}, an 'apostrophe' and a \"quote\""
    strange.mkdir()
    nowhere = str(tmp_path / "file" / "home")  # below what is no folder
    (tmp_path / "file").touch()
    own = {"PATH": "", "HOME": nowhere, "XDG_CACHE_HOME": nowhere, "TMPDIR": str(strange)}
    (proxy,) = free_ports(1)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        own |= {name: f"http://127.0.0.1:{proxy}", name.upper(): f"http://127.0.0.1:{proxy}"}
    outer = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    with Programs(tmp_path) as programs:
        programs.env = {**outer, **own, "PYTHONUNBUFFERED": "1"}
        yield (
            strange,
            lambda room, *arguments: programs.start(
                [sys.executable, "-m", f"rfout.flower.{room}", *map(str, arguments)]
            ),
        )


def test_a_server_and_its_clients_in_a_container(container):
    """Over IPv6 where there is any; one client is there before the server, one has its own data."""
    folder, start = container
    made = federation(read_settings({})).clients[3]
    np.savez(folder / "mine.npz", x=made.x[:40], y=made.y[:40])
    (port,) = free_ports(1)
    with socket.socket(socket.AF_INET6) as one:
        host = "::1" if one.connect_ex(("::1", port)) != errno.EADDRNOTAVAIL else "127.0.0.1"
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    first = start("client", "--server", address, "--partition", 5)
    to_serve = ("--port", port, "--clients", 2, "--rounds", 2, "--wait", LONG)
    served = start("server", "--host", host, *to_serve)
    assert served.wait_for(f"server at {address}, waiting for 2 clients", LONG)
    assert served.wait_for("waiting for 1 more nodes: 1 of 2", LONG)
    own = ("--data", folder / "mine.npz", "--partition", 3)
    late = start("client", "--server", address, *own)
    assert served.wait(LONG) == 0, served.text
    rounds = re.findall(r"^round (\d): main-task-accuracy 0\.\d+", served.text, re.MULTILINE)
    assert rounds == ["0", "1", "2"]
    assert served.lines[-1] == "done: 2 rounds"
    for one, number, images in ((first, 5, 200), (late, 3, 40)):
        assert one.wait(LONG) == 0, one.text
        said = rf"^round (\d): client {number} trained on {images} images"
        assert re.findall(said, one.text, re.MULTILINE) == ["1", "2"]
        assert one.lines[-1] == f"the server at {address} has ended, and so does this client"
    assert not in_use(port, host)


def test_control_c_leaves_nothing_and_a_port_in_use_is_one_line(terminals):
    (port,) = free_ports(1)
    served = terminals("server", "--port", port)
    assert served.wait_for("waiting for 2 clients", LONG)
    second = terminals("server", "--port", port)
    assert second.wait(LONG) == 1
    assert second.lines == [f"port {port} is in use: choose another one with --port"]
    _, *children = family([served.process])
    assert len(children) >= 2
    os.kill(served.process.pid, signal.SIGINT)
    assert served.wait(LONG) == 130, served.lines
    assert served.lines[-1] == "stopped; nothing is left running"
    assert not any(map(runs, children))


def test_a_server_gives_up(terminals):
    (port,) = free_ports(1)
    served = terminals("server", "--port", port, "--wait", 1)
    assert served.wait(LONG) == 1
    assert served.lines[-1].startswith("gave up: 0 of 2 nodes after 1 s. Start more nodes")


def test_a_run_that_ends_early_says_why(capsys):
    """What Flower prints of it is a traceback and a sentence that says nothing."""
    screen = server.Screen()
    for line in (
        "\x1b[92mINFO \x1b[0m:      round 0: main-task-accuracy 0.1",
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in start',
        "flwr.serverapp.exception.AggregationError: round 1: no valid reply: TypeError: no",
        "ERROR :     Exit Code: 202",
        "",
        "The strategy encountered an error during aggregation.",
    ):
        screen(line)
    assert screen.error == "AggregationError: round 1: no valid reply: TypeError: no"
    assert capsys.readouterr().out == "round 0: main-task-accuracy 0.1\n"


def test_a_client_without_a_server_says_so(capsys):
    (port,) = free_ports(1)
    begun = time.monotonic()
    assert client.main(["--server", f"127.0.0.1:{port}", "--wait", "0.2"]) == 1
    assert time.monotonic() - begun < 30
    assert capsys.readouterr().err.startswith(f"no server at 127.0.0.1:{port} after 0.2 s: start")


def test_a_name_that_nobody_knows_is_said_so(capsys):
    assert client.main(["--server", "no-such-host.invalid:8000", "--wait", "0.2"]) == 1
    said = capsys.readouterr()
    assert "no machine called 'no-such-host.invalid' is known" in said.err
    assert said.err.count("\n") == 1


def test_another_server_at_the_port_is_said_so(terminals):
    """One that answers, but not as Flower."""
    (port,) = free_ports(1)
    quiet = type("Quiet", (BaseHTTPRequestHandler,), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", port), quiet) as server_:
        threading.Thread(target=server_.serve_forever, daemon=True).start()
        asked = terminals("client", "--server", f"127.0.0.1:{port}")
        assert asked.wait(LONG) == 1
        server_.shutdown()
    assert f"what listens at 127.0.0.1:{port} is no Flower server" in asked.lines[-1]
    assert "501" in asked.lines[-1]


ADDRESS = "is no address with a port, as 127.0.0.1:8000"


@pytest.mark.parametrize(
    ("main", "arguments", "says"),
    [
        (client.main, ["--server", "somewhere"], ADDRESS),
        (client.main, ["--server", "http://127.0.0.1:8000"], ADDRESS),
        (client.main, ["--server", "::1:8000"], ADDRESS),
        (client.main, ["--server", ":8000"], ADDRESS),
        (client.main, ["--server", "127.0.0.1:99999"], "a port is a number from 1 to 65535"),
        (client.main, ["--server", "127.0.0.1:http"], "a port is a number from 1 to 65535"),
        (client.main, ["--data", "nowhere.npz"], "data=nowhere.npz: not a .npz file"),
        (server.main, ["--port", "99999"], "a port is a number from 1 to 65535, not '99999'"),
        (server.main, ["--port", "0"], "a port is a number"),
        (server.main, ["--host", "http://me"], "--host must be an address of this machine"),
        (server.main, ["--strategy", "best"], "strategy must be one of"),
        (server.main, ["--clients", "0"], "min-nodes must be positive"),
        (server.main, ["--wait", "nan"], "node-timeout must"),
        (server.main, ["--seed", "-1"], "seed must"),
    ],
)
def test_a_wrong_argument_is_one_line(capsys, main, arguments, says):
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("main", [client.main, server.main])
def test_a_data_set_that_is_none_is_one_line(capsys, monkeypatch, main):
    monkeypatch.setenv("RFOUT_DATASET", "mnist")
    assert main([]) == 2
    said = capsys.readouterr().err
    assert said.startswith("RFOUT_DATASET: unknown data set 'mnist'; known: digits, ")
    assert said.count("\n") == 1


def test_a_host_that_is_not_this_machines_is_one_line(capsys):
    for host, says in (("no-such-host.invalid", "is called"), ("192.0.2.1", "did not come up at")):
        assert server.main(["--host", host, "--port", str(free_ports(1)[0])]) == 1
        said = capsys.readouterr().err
        assert says in said
        assert host in said
        assert said.count("\n") == 1
