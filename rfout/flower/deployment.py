"""A federation of processes: one SuperLink, SuperNodes, runs; on this machine or as a part of many.

Chapter: flower-deployment.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from .keys import make_keys
from .processes import Program, Programs, free_ports, in_use

UP = 180.0  # seconds that a program is given to come up, on the busiest of machines
APP = "rfout.flower.server_app:app", "rfout.flower.client_app:app"


class DeploymentError(RuntimeError):
    """What did not come up, and what to do about it."""


def command(name: str) -> str:
    """Give the path of one of Flower's programs beside this Python."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def superlink_command(
    host: str, port: int, keys: Path | None = None, *, simulation: bool = False,
    database: Path | None = None,
) -> list[str]:  # fmt: skip
    """Say how to start a SuperLink; with `keys`, over TLS and for registered nodes only.

    What it keeps in `database`, registered nodes too, outlives it.
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
    superlink: str, config: Mapping[str, Any], ca: Path | None = None, key: Path | None = None,
    retries: int | None = None,
) -> list[str]:  # fmt: skip
    """Say how to start a SuperNode; without `ca` it talks in the clear."""
    made = [command("flower-supernode"), "--superlink", superlink]
    made += ["--host", "127.0.0.1", "--port", str(free_ports(1)[0])]
    made += ["--insecure"] if ca is None else ["--root-certificates", str(ca)]
    if key is not None:
        made += ["--auth-supernode-private-key", str(key)]
    if retries is not None:
        made += ["--max-retries", str(retries)]
    return [*made, "--node-config", toml_words(config)]


def toml_words(config: Mapping[str, Any]) -> str:
    """Write settings as Flower reads them from a command line."""
    return " ".join(f"{name}={json.dumps(value)}" for name, value in config.items())


def write_app(folder: Path, config: Mapping[str, Any], app: tuple[str, str] = APP) -> Path:
    """Write a Flower app that has nothing of its own: the nodes have the package installed."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = "\n".join(f"{name} = {json.dumps(value)}" for name, value in config.items())
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "rfout-run"\nversion = "0.1.0"\ndescription = "A run of rfout"\n'
        'license = "Apache-2.0"\ndependencies = []\n\n[tool.flwr.app]\npublisher = "rfout"\n\n'
        f'[tool.flwr.app.components]\nserverapp = "{app[0]}"\nclientapp = "{app[1]}"\n\n'
        f"[tool.flwr.app.config]\n{settings}\n",
        "utf-8",
    )
    return folder


def write_connection(home: Path, address: str, ca: Path | None = None) -> None:
    """Tell `flwr`, which looks into FLWR_HOME, where the SuperLink is."""
    how = "insecure = true" if ca is None else f"root-certificates = {json.dumps(str(ca))}"
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(
        f'[superlink]\ndefault = "rfout"\n\n[superlink.rfout]\naddress = "{address}"\n{how}\n',
        "utf-8",
    )


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

    Notes
    -----
    Chapter: flower-deployment.
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
        self.programs = Programs(self.home)
        try:
            self._enter()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _enter(self) -> None:
        self.port = self.port or free_ports(1)[0]
        self.address = f"{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{self.port}"
        self.keys = self.home / "keys" if self.n_keys else None
        if self.keys is not None:
            make_keys(self.keys, [], self.n_keys)
        write_connection(self.home, self.address, self.ca)
        self.start_superlink()
        if self.keys is not None:
            self._register(self.n_keys - 1)  # the last one stays a stranger's

    @property
    def ca(self) -> Path | None:
        """The authority's certificate, if there is TLS."""
        return None if self.keys is None else self.keys / "ca.crt"

    def start_superlink(self) -> None:
        """Start the SuperLink, and wait until it listens."""
        port = self.port or 0
        if in_use(port):
            raise DeploymentError(f"port {port} is in use: choose another one with --port")
        made = superlink_command(
            self.host, port, self.keys, simulation=self.simulation,
            database=self.home / "superlink.db" if self.keys else None,
        )  # fmt: skip
        self.superlink = self.programs.start(made, self._show("superlink"))
        end = time.monotonic() + UP
        while not in_use(port) and not self.superlink.ended and time.monotonic() < end:
            time.sleep(0.1)
        if self.superlink.ended or not in_use(port):
            last = self.superlink.lines[-1] if self.superlink.lines else "it printed nothing"
            raise DeploymentError(f"the SuperLink did not come up on port {port}: {last}")

    def _show(self, name: str) -> Callable[[str], Any] | None:
        show = self.show
        return None if show is None else lambda line: show(name, line)

    def _register(self, n: int) -> None:
        """Let the nodes with these keys take part."""
        public = [str(self.home / "keys" / f"node-{i}.pub") for i in range(n)]
        made = [[command("flwr"), "supernode", "register", one, "rfout"] for one in public]
        for done in [self.programs.start(one) for one in made]:
            if done.wait(UP) != 0:
                raise DeploymentError(f"a node was not registered: {done.text[-300:]}")

    def start_node(self, config: Mapping[str, Any], **how: Any) -> Program:
        """Start a SuperNode; `how` is for `supernode_command`, if not the right ones."""
        if self.keys is not None and not how:
            how = {"ca": self.ca, "key": self.keys / f"node-{len(self.nodes)}"}
        name = f"node {len(self.nodes)}"
        made = supernode_command(self.address, config, **how)
        self.nodes.append(self.programs.start(made, self._show(name)))
        return self.nodes[-1]

    def start_run(
        self, app: Path, config: Mapping[str, Any] | None = None, *options: str,
        show: Callable[[str], Any] | None = None,
    ) -> Program:  # fmt: skip
        """Hand the app in; the program prints the ServerApp's output until the run is over."""
        made = [command("flwr"), "run", str(app), "rfout", "--stream", *options]
        if config:
            made += ["--run-config", toml_words(config)]
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
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.programs.stop()
        self._temporary.cleanup()
