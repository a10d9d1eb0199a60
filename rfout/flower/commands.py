"""How Flower's programs are called, and the files that they read."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from ._addresses import free_ports
from .processes import command

APP = "rfout.flower.server_app:app", "rfout.flower.client_app:app"


def superlink_command(
    host: str,
    port: int,
    keys: Path | None = None,
    *,
    simulation: bool = False,
    database: Path | None = None,
) -> list[str]:
    """Say how to start a SuperLink; with `keys`, over TLS and for registered nodes only.

    What it keeps in `database`, registered nodes too, outlives it.

    Examples
    --------
    >>> from rfout.flower.commands import superlink_command
    >>> superlink_command("127.0.0.1", 8000)[1:5]
    ['--host', '127.0.0.1', '--port', '8000']
    """
    # Flower also opens its older gRPC ports, on every address unless it is told otherwise.
    fleet, control = free_ports(2)
    older = ["--fleet-api-address", f"127.0.0.1:{fleet}"]
    older += ["--control-api-address", f"127.0.0.1:{control}"]
    made = [command("flower-superlink"), "--host", host, "--port", str(port), *older]
    made += ["--disable-runtime-dependency-installation"]
    if database is not None:
        made += ["--database", str(database)]
    if simulation:
        made.append("--simulation")
    if keys is None:
        return [*made, "--insecure"]
    made += ["--ssl-ca-certfile", str(keys / "ca.crt"), "--ssl-certfile", str(keys / "server.crt")]
    made += ["--ssl-keyfile", str(keys / "server.key")]
    return made if simulation else [*made, "--enable-supernode-auth"]


def supernode_command(
    superlink: str,
    config: Path,
    ca: Path | None = None,
    key: Path | None = None,
    retries: int | None = None,
) -> list[str]:
    """Say how to start a SuperNode; without `ca` it talks in the clear.

    `config` is a file that `write_config` has written: on a command line Flower takes no quotes
    and no emoji.

    Examples
    --------
    >>> from rfout.flower.commands import supernode_command
    >>> supernode_command("127.0.0.1:8000", Path("node.toml"), retries=2)[-4:]
    ['--max-retries', '2', '--node-config', 'node.toml']
    """
    made = [command("flower-supernode"), "--superlink", superlink]
    made += ["--host", "127.0.0.1", "--port", str(free_ports(1)[0])]
    made += ["--insecure"] if ca is None else ["--root-certificates", str(ca)]
    if key is not None:
        made += ["--auth-supernode-private-key", str(key)]
    if retries is not None:
        made += ["--max-retries", str(retries)]
    return [*made, "--node-config", str(config)]


def write_config(folder: Path, config: Mapping[str, Any]) -> Path:
    """Write settings into a file of their own, as Flower reads them.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     print(write_config(Path(folder), {"partition-id": 3}).read_text().strip())
    partition-id = 3
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("wb", dir=folder, suffix=".toml", delete=False) as file:
        tomli_w.dump(dict(config), file)
    return Path(file.name)


def write_app(folder: Path, config: Mapping[str, Any], app: tuple[str, str] = APP) -> Path:
    """Write a Flower app that has nothing of its own: the nodes have the package installed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from rfout.flower.commands import write_app
    >>> with TemporaryDirectory() as folder:
    ...     app = write_app(Path(folder), {"num-server-rounds": 3})
    ...     print((app / "pyproject.toml").read_text().splitlines()[-1])
    num-server-rounds = 3
    """
    project = {
        "name": "rfout-run",
        "version": "0.1.0",
        "description": "A run of rfout",
        "license": "Apache-2.0",
        "dependencies": [],
    }
    components = {"serverapp": app[0], "clientapp": app[1]}
    flower = {"publisher": "rfout", "components": components, "config": dict(config)}
    _write_toml(folder / "pyproject.toml", {"project": project, "tool": {"flwr": {"app": flower}}})
    return folder


def write_connection(home: Path, address: str, ca: Path | None = None) -> None:
    """Tell `flwr`, which looks into FLWR_HOME, where the SuperLink is.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from rfout.flower.commands import write_connection
    >>> with TemporaryDirectory() as home:
    ...     write_connection(Path(home), "127.0.0.1:8000")
    ...     print((Path(home) / "config.toml").read_text().splitlines()[-2])
    address = "127.0.0.1:8000"
    """
    where: dict[str, Any] = {"address": address}
    where |= {"insecure": True} if ca is None else {"root-certificates": str(ca)}
    _write_toml(home / "config.toml", {"superlink": {"default": "rfout", "rfout": where}})


def _write_toml(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tomli_w.dumps(dict(content)).encode())


def database(home: Path) -> Path | None:
    """Where a SuperLink may keep its state; None where Flower cannot.

    It joins the folders of its own migrations with blanks, and lets "%" mean something.

    Examples
    --------
    >>> from rfout.flower.commands import database
    >>> database(Path("a folder")) in (Path("a folder/superlink.db"), None)
    True
    """
    import flwr

    return None if re.search(r"[\s,%]", flwr.__file__) else home / "superlink.db"
