"""A federation of processes: a SuperLink, SuperNodes and runs, on this machine or on many."""

import re
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import tomli_w

from ._addresses import free_ports, in_use, resolves, write_address
from .keys import make_keys
from .processes import Program, Programs, command, reason

UP = 180.0  # seconds that a program is given to come up, on the busiest of machines
APP = "rfout.flower.server_app:app", "rfout.flower.client_app:app"


class DeploymentError(RuntimeError):
    """What did not come up, and what to do about it.

    Examples
    --------
    >>> from rfout.flower.deployment import Deployment
    >>> with Deployment(host="nowhere.invalid"):
    ...     pass
    Traceback (most recent call last):
    rfout.flower.deployment.DeploymentError: no address of this machine is called 'nowhere.invalid'
    """


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
    >>> from rfout.flower.deployment import superlink_command
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
    >>> from rfout.flower.deployment import supernode_command
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
    >>> from rfout.flower.deployment import write_app
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
    >>> from rfout.flower.deployment import write_connection
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
    >>> from rfout.flower.deployment import database
    >>> database(Path("a folder")) in (Path("a folder/superlink.db"), None)
    True
    """
    import flwr

    return None if re.search(r"[\s,%]", flwr.__file__) else home / "superlink.db"


@dataclass
class Deployment:
    """A SuperLink and SuperNodes of this machine; all of them end with the ``with`` block.

    Attributes
    ----------
    folder
        Flower's files; None makes a temporary one that goes with the rest.
    n_keys
        With TLS and authentication, so many keys, of which all but the last are registered; 0
        talks in the clear.
    simulation
        The SuperLink runs the nodes itself, on Ray.
    show
        Called with each line of each program, ``show("superlink", line)``.

    Raises
    ------
    DeploymentError
        If the port is taken, or the SuperLink does not come up.

    Examples
    --------
    >>> from rfout.flower.deployment import Deployment
    >>> with Deployment() as deployment:
    ...     deployment.superlink.ended
    False
    """

    folder: Path | None = None
    n_keys: int = 0
    simulation: bool = False
    host: str = "127.0.0.1"
    port: int | None = None
    show: Callable[[str, str], Any] | None = None
    nodes: list[Program] = field(default_factory=list)

    def __enter__(self) -> "Deployment":
        self._temporary = tempfile.TemporaryDirectory(prefix="rfout-", ignore_cleanup_errors=True)
        self.home = Path(self._temporary.name) if self.folder is None else self.folder
        self.programs = Programs(self.home, self.host)
        try:
            self._enter()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _enter(self) -> None:
        self.port = self.port or free_ports(1)[0]
        self.address = write_address(self.host, self.port)
        self.keys = self.home / "keys" if self.n_keys else None
        self.database = database(self.home) if self.keys else None
        if self.keys is not None:
            make_keys(self.keys, [], self.n_keys)
        write_connection(self.home, self.address, self.ca)
        self.start_superlink()

    @property
    def ca(self) -> Path | None:
        """The authority's certificate, if there is TLS."""
        return None if self.keys is None else self.keys / "ca.crt"

    def start_superlink(self) -> None:
        """Start the SuperLink, wait until it listens, and let the nodes with keys take part."""
        port = self.port or 0
        if not resolves(self.host):
            raise DeploymentError(f"no address of this machine is called {self.host!r}")
        if in_use(port, self.host):
            raise DeploymentError(f"port {port} is in use: choose another one with --port")
        known = self.database is not None and self.database.exists()
        made = superlink_command(
            self.host, port, self.keys, simulation=self.simulation, database=self.database
        )
        self.superlink = self.programs.start(made, self._show("superlink"))
        end = time.monotonic() + UP
        while time.monotonic() < end and not self.superlink.ended:
            if in_use(port, self.host):
                break
            time.sleep(0.1)
        else:
            why = reason(self.superlink.lines)
            raise DeploymentError(f"the SuperLink did not come up at {self.address}: {why}")
        if self.keys is not None and not known:
            self._register(self.n_keys - 1)  # the last one stays a stranger's

    def _show(self, name: str) -> Callable[[str], Any] | None:
        show = self.show
        return None if show is None else lambda line: show(name, line)

    def _register(self, n: int) -> None:
        """Let the nodes with these keys take part."""
        public = [str(self.home / "keys" / f"node-{i}.pub") for i in range(n)]
        made = [[command("flwr"), "supernode", "register", one, "rfout"] for one in public]
        for done in [self.programs.start(one) for one in made]:
            if done.wait(UP) != 0:
                raise DeploymentError(f"a node was not registered: {reason(done.lines)}")

    def start_node(self, config: Mapping[str, Any], **how: Any) -> Program:
        """Start a SuperNode; `how` is for `supernode_command`, if not the right ones."""
        if self.keys is not None and not how:
            how = {"ca": self.ca, "key": self.keys / f"node-{len(self.nodes)}"}
        name = f"node {len(self.nodes)}"
        made = supernode_command(self.address, write_config(self.home / "nodes", config), **how)
        self.nodes.append(self.programs.start(made, self._show(name)))
        return self.nodes[-1]

    def start_run(
        self,
        app: Path,
        config: Mapping[str, Any] | None = None,
        *options: str,
        show: Callable[[str], Any] | None = None,
    ) -> Program:
        """Hand the app in; the program prints the ServerApp's output until the run is over."""
        made = [command("flwr"), "run", str(app), "rfout", "--stream", *options]
        if config:
            made += ["--run-config", str(write_config(self.home / "runs", config))]
        return self.programs.start(made, show)

    def full_log(self, run: Program) -> list[str]:
        """Fetch a run's log again once it is over: Flower's stream may lose the last lines."""
        number = re.search(r"Successfully started run (\d+)", run.text)
        if number is None:
            return run.lines
        again = self.programs.start([command("flwr"), "log", number[1], "rfout", "--show"])
        again.wait(UP)
        return [*run.lines, *(line for line in again.lines if line not in run.lines)]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.programs.stop()
        self._temporary.cleanup()
