"""The files that take it to real machines: whole, and in words that Flower understands."""

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from flwr.superlink.cli.flower_superlink import _parse_args_run_superlink
from flwr.supernode.cli.flower_supernode import _parse_args_run_supernode

from rfout.flower import keys
from rfout.flower.commands import superlink_command, supernode_command
from rfout.flower.processes import QUIET, environment

PARSERS = {
    "flower-superlink": _parse_args_run_superlink,
    "flower-supernode": _parse_args_run_supernode,
}
# What a service may hold by the Compose specification, as far as it is used here.
SERVICE = {
    "build": dict,
    "restart": str,
    "depends_on": list,
    "networks": list,
    "ports": list,
    "volumes": list,
    "secrets": list,
    "command": list,
}


def understood(command):
    """Parse a command by Flower's own parser, which ends the process at what it does not know."""
    program, *arguments = command
    return PARSERS[Path(program).name]().parse_args(arguments)


@pytest.fixture(scope="module")
def compose(root):
    return yaml.safe_load((root / "deploy" / "compose.yaml").read_text("utf-8"))


def test_compose_is_of_known_parts(compose, root):
    assert set(compose) == {"x-node", "services", "networks", "volumes", "secrets"}
    for service in compose["services"].values():
        for key, value in service.items():
            assert isinstance(value, SERVICE[key]), key
        build = service["build"]
        assert (root / "deploy" / build["context"] / build["dockerfile"]).is_file()
        assert set(service["networks"]) <= set(compose["networks"])
        assert set(service["secrets"]) <= set(compose["secrets"])
        assert set(service.get("depends_on", [])) <= set(compose["services"])
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"]


def test_compose_starts_what_flower_knows(compose):
    commands = {name: service["command"] for name, service in compose["services"].items()}
    link = understood(commands.pop("superlink"))
    assert link.enable_supernode_auth
    assert not link.insecure
    partitions = set()
    for name, command in commands.items():
        node = understood(command)
        assert node.superlink == f"superlink:{link.port}"
        assert not node.insecure
        assert Path(node.auth_supernode_private_key).name == name
        partitions.add(node.node_config)
    assert len(partitions) == len(commands) == 3


def test_compose_uses_the_keys_that_the_script_makes(compose, tmp_path):
    keys.make_keys(tmp_path / "keys", ["superlink"], 3)
    for secret in compose["secrets"].values():
        assert (tmp_path / secret["file"]).is_file()


def unit(root, name):
    text = (root / "deploy" / "systemd" / name).read_text("utf-8")
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(text)
    command = re.search(r"^ExecStart=([^\\\n]*(?:\\\n[^\\\n]*)*)", text, re.MULTILINE)[1]
    return parser, shlex.split(command.replace("\\\n", " ")), text


@pytest.mark.parametrize("name", ["rfout-superlink.service", "rfout-supernode@.service"])
def test_a_unit_starts_what_flower_knows(root, name):
    parser, command, text = unit(root, name)
    assert {"Unit", "Service", "Install"} == set(parser.sections())
    assert not understood(command).insecure
    for variable in ("FLWR_TELEMETRY_ENABLED=0", "FLWR_DISABLE_UPDATE_CHECK=1"):
        assert variable in text
    for credential in re.findall(r"%d/(\S+)", " ".join(command)):
        assert f"LoadCredential={credential}:" in text


@pytest.mark.parametrize("name", ["rfout-superlink.service", "rfout-supernode@.service"])
def test_systemd_takes_the_units(root, name, tmp_path):
    """Where there is systemd; the other test reads them everywhere."""
    verify = shutil.which("systemd-analyze")
    text = (root / "deploy" / "systemd" / name).read_text("utf-8")
    assert "ExecStart=/opt/rfout/.venv/bin/flower-" in text
    # The program has to be there for systemd: the one of this environment is.
    here = text.replace("/opt/rfout/.venv/bin/flower-", f"{Path(sys.executable).parent}/flower-")
    (tmp_path / name).write_text(here, "utf-8")
    if verify:
        done = subprocess.run([verify, "verify", tmp_path / name], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_image_holds_what_it_copies_and_is_quiet(root):
    text = (root / "deploy" / "Dockerfile").read_text("utf-8")
    for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
        assert all((root / part).exists() for part in line.split())
    for name in QUIET:
        assert name == "PYTHONUNBUFFERED" or f"{name}=" in text
    assert re.search(r"^USER rfout$", text, re.MULTILINE)


def test_our_own_commands_are_understood_and_stay_on_loopback(tmp_path):
    link = understood(superlink_command("127.0.0.1", 8000, tmp_path))
    assert link.enable_supernode_auth
    for address in (link.host, link.fleet_api_address, link.control_api_address):
        assert address.split(":")[0] == "127.0.0.1"
    node = understood(supernode_command("somewhere:8000", tmp_path / "n.toml", tmp_path / "ca"))
    assert (node.superlink, node.host, node.insecure) == ("somewhere:8000", "127.0.0.1", False)


def test_telemetry_is_off_unless_it_is_asked_for(tmp_path, monkeypatch):
    for name in QUIET:
        monkeypatch.delenv(name, raising=False)
    made = environment(tmp_path)
    assert (made["FLWR_TELEMETRY_ENABLED"], made["FLWR_DISABLE_UPDATE_CHECK"]) == ("0", "1")
    monkeypatch.setenv("FLWR_TELEMETRY_ENABLED", "1")
    assert environment(tmp_path)["FLWR_TELEMETRY_ENABLED"] == "1"
