"""A federation of processes: a SuperLink, SuperNodes and runs, on this machine or on many."""

import re
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from ._addresses import free_ports, in_use, resolves, write_address
from .commands import (
    database,
    superlink_command,
    supernode_command,
    write_config,
    write_connection,
)
from .keys import make_keys
from .output import reason
from .processes import Program, Programs, command

UP = 180.0  # seconds that a program is given to come up, on the busiest of machines


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
