"""What a deployment survives, tried on this machine with real processes, and printed as a table.

    .venv/bin/python tests/flower/faults.py

Takes one and a half to three minutes.
"""

import json
import re
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rfout.flower.commands import write_app
from rfout.flower.deployment import UP, Deployment, DeploymentError
from rfout.flower.keys import make_keys
from rfout.flower.output import plain
from rfout.flower.processes import Program

APP = "fault_app:server_app", "fault_app:client_app"
NODES = 5
# What node i does in which phase, beside adding i + 1; node 3 is killed while it is slow.
FAULTS = ["", "1:weight 2:slow", "1:nan 2:die", "1:shape 2:slow", ""]
SETTINGS = {"patience": 120.0, "least": 8.0, "phases": "1:5 2:5 3:2"}


@dataclass(frozen=True)
class Fault:
    """One line of the table.

    Attributes
    ----------
    what
        What was done to the deployment.
    happened
        What it did about it.
    survived
        Whether that is what should happen: the rest aggregated, the intruder refused.
    """

    what: str
    happened: str
    survived: bool


def try_faults(show: Callable[[str, str], Any] | None = None) -> list[Fault]:
    """Deploy five nodes over TLS with keys, and let go wrong what can.

    Parameters
    ----------
    show
        Called with the name of a program and a line of its output.

    Returns
    -------
    list of Fault
        Eleven of them.

    Raises
    ------
    DeploymentError
        If the deployment does not come up, or a run does not end.

    Notes
    -----
    Listens on 127.0.0.1 only; ends every process that it started.
    """
    with Deployment(n_keys=NODES + 1, show=show) as deployment:
        for i in range(NODES):
            deployment.start_node({"partition-id": i, "faults": FAULTS[i]})
        app = write_app(deployment.home / "app", SETTINGS, APP)
        shutil.copy(Path(__file__).with_name("fault_app.py"), app)
        run = deployment.start_run(app)
        first = _phase(deployment, run, 1)
        if not deployment.nodes[3].wait_for("phase 2: node 3 trains", UP):
            raise DeploymentError("node 3 was not asked in the second round")
        deployment.nodes[3].kill()
        intruders = _start_intruders(deployment)
        second, third = _phase(deployment, run, 2), _phase(deployment, run, 3)
        table = [*_replies(first), *_losses(first, second, third)]
        table += [_intruder(*one, third["online"]) for one in intruders.items()]
        deployment.superlink.kill()
        deployment.start_superlink()
        again = deployment.start_run(app, {"phases": f"4:{NODES - 1}"})
        fourth = _phase(deployment, again, 4)
        back = f"nodes came back by themselves; next run: {fourth['replies']} aggregated"
        table.append(Fault("SuperLink restarted between runs", back, fourth["value"] == 2.75))
    return table


def _phase(deployment: Deployment, run: Program, number: int) -> dict[str, Any]:
    """Wait for the line that the ServerApp prints after a round."""
    end = time.monotonic() + 3 * UP
    found = None
    while found is None:
        ended = run.ended
        lines = deployment.full_log(run) if ended else run.lines
        found = re.search(rf"PHASE {number} (\{{.*\}})", "\n".join(lines))
        if found is None and (ended or time.monotonic() > end):
            raise DeploymentError(f"round {number} did not end: {run.text[-1000:]}")
        time.sleep(0.2)
    numbers: dict[str, Any] = json.loads(found[1])
    return numbers


def _replies(found: dict[str, Any]) -> list[Fault]:
    """Judge the first round: nodes 0, 1 and 4 add 1, 2 and 5, nodes 2 and 3 sent nonsense."""
    rest = f"{found['replies']} others aggregated to {found['value']:g}"
    fine = found["replies"] == 3 and abs(found["value"] - 8 / 3) < 1e-6
    dropped = sorted(found["dropped-layers"]) == [0, 0]
    return [
        Fault("a reply with NaN", f"dropped, named by node and layer; {rest}", fine and dropped),
        Fault("a reply of another shape", f"dropped, named; {rest}", fine and dropped),
        Fault("a reply claiming 10¹² examples", f"counted once; mean {found['value']:g}", fine),
    ]


def _losses(first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]) -> list[Fault]:
    """Judge the second: node 1 is slow, node 2's client and node 3 are killed; 0 and 4 add 1 and 5.

    Of a killed process Flower tells with an error after about a minute; a round that ends before
    has the node among the missing. The third round has at least nodes 0 and 4 again.
    """
    fine = second["replies"] == 2 and second["value"] == 3.0
    goes_on = set(second["node-ids"]) <= set(third["node-ids"])
    killed = set(first["dropped-node-ids"])  # they sent the nonsense of the first round
    slow = set(first["node-ids"]) - set(second["node-ids"])
    lost = set(second["dropped-node-ids"] + second["missing-node-ids"])
    rest = f"{second['replies']} others aggregated to {second['value']:g}"
    went_on = f"{rest}, and again in the next round"
    named = fine and lost == killed | slow and goes_on
    late = fine and len(slow) == 1 and slow <= set(second["missing-node-ids"])
    return [
        Fault("client process killed", f"named in the metrics; {went_on}", named),
        Fault("SuperNode killed in mid-round", f"named in the metrics; {went_on}", named),
        Fault("client slower than the timeout", f"not waited for, named; {rest}", late),
    ]


def _start_intruders(deployment: Deployment) -> dict[str, Program]:
    """Four who should not get in, each as a SuperNode of its own."""
    keys, config = deployment.home / "keys", {"partition-id": 9, "faults": ""}
    stranger = deployment.home / "stranger"
    make_keys(stranger, [], 1)
    hows: dict[str, dict[str, Path | None]] = {
        "an unregistered key": {"ca": keys / "ca.crt", "key": keys / f"node-{NODES}"},
        "no key": {"ca": keys / "ca.crt", "key": None},
        "a plain client against TLS": {"ca": None, "key": None},
        "an unknown certificate authority": {"ca": stranger / "ca.crt", "key": keys / "node-0"},
    }
    return {what: deployment.start_node(config, retries=2, **how) for what, how in hows.items()}


def _intruder(what: str, program: Program, online: int) -> Fault:
    """Refused is who got no number, says why, and was never among the nodes."""
    program.wait_for("Exit Code: ", UP)
    time.sleep(0.2)  # for the lines behind it
    lines = [plain(line) for line in program.lines]
    at = next((i for i, line in enumerate(lines) if line.startswith("Exit Code: ")), None)
    if at is None or len(lines) < at + 3:
        return Fault(what, "not refused, or not in time", False)
    code, reason = lines[at].rpartition(" ")[2], lines[at + 2]
    if "reset by peer" in reason:  # the same, seen by a client that was still writing
        reason = f"Server disconnected: {reason}"
    refused = "SuperNode ID" not in program.text and online <= NODES
    return Fault(what, f"refused, code {code}: {reason[:72]}", refused)


def main() -> None:
    """Print the table; the exit code is the number of faults not survived."""
    table = try_faults()
    width = max(len(fault.what) for fault in table)
    for fault in table:
        print(f"{'ok ' if fault.survived else 'NOT'} {fault.what.ljust(width)}  {fault.happened}")
    sys.exit(sum(not fault.survived for fault in table))


if __name__ == "__main__":
    main()
