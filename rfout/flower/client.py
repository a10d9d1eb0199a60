"""A client's terminal: train when the server asks, and print each round's training.

    python -m rfout.flower.client --server 127.0.0.1:8000

On Flower's SuperNode, which this starts and ends.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..datasets import check_chosen
from ._addresses import in_use, read_address, resolves, write_address
from .commands import supernode_command, write_config
from .experiment import own_samples
from .output import plain, reason
from .processes import Programs

TELLS = re.compile(r"^round \d+: client|\w*Error: |partition-id must be")
LOST = 10  # seconds without a server, then a client ends


def show(line: str) -> None:
    """Print what a person waits for.

    Examples
    --------
    >>> from rfout.flower.client import show
    >>> show("INFO :      round 1: client 3 trained on 200 images in 0.4 s")
    round 1: client 3 trained on 200 images in 0.4 s
    """
    if TELLS.search(plain(line)):
        print(plain(line), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code.

    Examples
    --------
    >>> from rfout.flower.client import main
    >>> main(["--server", "somewhere"])  # and a line on standard error that says why
    2
    """
    given = _parser().parse_args(arguments)
    config: dict[str, Any] = {}
    if given.partition is not None:
        config["partition-id"] = given.partition
    try:
        host, port = read_address(given.server)
        if given.data:
            own_samples(given.data)
            config["data"] = str(Path(os.path.expanduser(given.data)).resolve())
        else:
            check_chosen()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(host, port, config, given.wait)
    except KeyboardInterrupt:
        print("stopped; nothing is left running", flush=True)
        return 130


def _run(host: str, port: int, config: dict[str, Any], wait: float) -> int:
    server = write_address(host, port)
    end = time.monotonic() + wait
    if not in_use(port, host):
        print(f"waiting for a server at {server}, {wait:g} s at most", flush=True)
    while not in_use(port, host):
        if time.monotonic() > end:
            unknown = "" if resolves(host) else f", and no machine called {host!r} is known"
            print(
                f"no server at {server} after {wait:g} s{unknown}: start one with "
                f"python -m rfout.flower.server --port {port}, or wait longer (--wait)",
                file=sys.stderr,
            )
            return 1
        time.sleep(0.5)
    with tempfile.TemporaryDirectory(prefix="rfout-", ignore_cleanup_errors=True) as home:
        with Programs(Path(home)) as programs:
            settings = write_config(Path(home), config)
            node = programs.start(supernode_command(server, settings), show)
            if not node.wait_for("SuperNode ID", 120):
                print(
                    f"what listens at {server} is no Flower server that takes this node: "
                    f"{reason(node.lines)}",
                    file=sys.stderr,
                )
                return 1
            print(f"connected to {server}", flush=True)
            seen = time.monotonic()
            while not node.ended and time.monotonic() < seen + LOST:
                if in_use(port, host):
                    seen = time.monotonic()
                time.sleep(0.5)
            if node.ended:
                print(f"the SuperNode has ended: {reason(node.lines)}", file=sys.stderr)
                return 1
    print(f"the server at {server} has ended, and so does this client", flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m rfout.flower.client", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--server", default="127.0.0.1:8000", help="default 127.0.0.1:8000")
    parser.add_argument("--partition", type=int, help="which share of the data (else by chance)")
    parser.add_argument("--data", help="a .npz file with this client's own x and y")
    parser.add_argument("--wait", type=float, default=60.0, help="seconds for a server to come up")
    return parser


if __name__ == "__main__":
    sys.exit(main())
