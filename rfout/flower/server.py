"""The server's terminal: wait for clients, run the rounds, print after each aggregation.

    python -m rfout.flower.server                 in one terminal
    python -m rfout.flower.client                 in as many others as one likes

On Flower's SuperLink, which this starts and ends.
"""

import argparse
import re
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..datasets import check_chosen
from ._addresses import can_be_host, read_port
from .commands import write_app
from .deployment import Deployment, DeploymentError
from .output import plain, reason
from .settings import Settings, read_settings

TELLS = re.compile(r"waiting for \d+ more|gave up|^round \d+|round \d+: |replies: a threshold")


class Screen:
    """Shows of a run's output what a person waits for, and remembers how it ended.

    Examples
    --------
    >>> from rfout.flower.server import Screen
    >>> screen = Screen()
    >>> screen("INFO :      round 1: main-task-accuracy 0.912")
    round 1: main-task-accuracy 0.912
    >>> screen.rounds
    1
    """

    def __init__(self) -> None:
        self.rounds, self.gave_up, self.error = 0, "", ""

    def __call__(self, line: str) -> None:
        """Take in a line."""
        line = plain(line)
        if "gave up" in line:
            self.gave_up = line[line.index("gave up") :]
        elif error := re.match(r"(?:\w+\.)*(\w*(?:Error|Exception|Unavailable)\b.*: .*)", line):
            self.error = error[1]
        elif TELLS.search(line):
            print(line, flush=True)
        if done := re.match(r"round (\d+): main-task", line):
            self.rounds = int(done[1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code.

    Examples
    --------
    >>> from rfout.flower.server import main
    >>> main(["--port", "99999"])  # and a line on standard error that says why
    2
    """
    given = _parser().parse_args(arguments)
    try:
        port = read_port(given.port)
        if not can_be_host(given.host):
            raise ValueError(f"--host must be an address of this machine, not {given.host!r}")
        check_chosen()
        settings = read_settings(
            {
                "num-server-rounds": given.rounds,
                "min-nodes": given.clients,
                "node-timeout": given.wait,
                "strategy": given.strategy,
                "seed": given.seed,
            }
        )
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: everything ends
    try:
        return _serve(given.host, port, settings)
    except DeploymentError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing is left running", flush=True)
        return 130


def _serve(host: str, port: int, settings: Settings) -> int:
    screen = Screen()
    with Deployment(host=host, port=port) as deployment:
        config = {name.replace("_", "-"): value for name, value in asdict(settings).items()}
        app = write_app(deployment.home / "app", config)
        print(
            f"server at {deployment.address}, waiting for {settings.min_nodes} clients, "
            f"{settings.node_timeout:g} s at most. In other terminals:\n"
            f"  python -m rfout.flower.client --server {deployment.address}",
            flush=True,
        )
        run = deployment.start_run(app, show=screen)
        while not run.ended:
            time.sleep(0.2)
            if deployment.superlink.ended:
                raise DeploymentError(
                    f"the SuperLink has ended: {reason(deployment.superlink.lines)}"
                )
        run.wait(5)
        if screen.rounds < settings.num_server_rounds:
            for line in deployment.full_log(run)[len(run.lines) :]:
                screen(line)
    if screen.gave_up:
        print(screen.gave_up, file=sys.stderr)
        return 1
    if screen.rounds < settings.num_server_rounds:
        said = screen.error or reason(run.lines)
        print(f"the run ended after {screen.rounds} rounds: {said}", file=sys.stderr)
        return 1
    print(f"done: {screen.rounds} rounds", flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    default: dict[str, Any] = asdict(Settings())
    parser = argparse.ArgumentParser("python -m rfout.flower.server", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", default="8000", help="port (default 8000)")
    parser.add_argument(
        "--clients", type=int, default=default["min_nodes"], help="nodes to start with"
    )
    parser.add_argument("--rounds", type=int, default=default["num_server_rounds"])
    parser.add_argument("--wait", type=float, default=120.0, help="seconds, then give up")
    parser.add_argument(
        "--strategy", default=default["strategy"], help="or fedavg, fedmedian, krum, ..."
    )
    parser.add_argument("--seed", type=int, default=default["seed"])
    return parser


if __name__ == "__main__":
    sys.exit(main())
