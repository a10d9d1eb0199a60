"""Real processes over TLS on loopback: what goes wrong costs itself, and intruders stay out."""

import faults
import pytest

from rfout.flower._family import family, runs
from rfout.flower.deployment import Deployment, DeploymentError
from rfout.flower.processes import Programs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def table():
    return {fault.what: fault for fault in faults.try_faults()}


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("a reply with NaN", "dropped, named by node and layer; 3 others aggregated to 2.66667"),
        ("a reply of another shape", "dropped, named; 3 others aggregated to 2.66667"),
        ("a reply claiming 10¹² examples", "counted once; mean 2.66667"),
        ("client process killed", "named in the metrics; 2 others aggregated to 3, and again"),
        ("SuperNode killed in mid-round", "named in the metrics; 2 others aggregated to 3, and"),
        ("client slower than the timeout", "not waited for, named; 2 others aggregated to 3"),
        ("SuperLink restarted between runs", "nodes came back by themselves; next run: 4 aggr"),
        ("an unregistered key", "refused, code 305: [code: 2004]"),
        ("no key", "refused, code 305: [code: 2001]"),
        ("a plain client against TLS", "refused, code 305: Server disconnected"),
        ("an unknown certificate authority", "refused, code 305: [SSL: CERTIFICATE_VERIFY_FAILED]"),
    ],
)
def test_fault(table, what, says):
    assert table[what].survived, table[what]
    assert table[what].happened.startswith(says)


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("Server disconnected without sending a response.", "Server disconnected without"),
        ("[Errno 104] Connection reset by peer", "Server disconnected: [Errno 104] Connection"),
        ("[Errno 54] Connection reset by peer", "Server disconnected: [Errno 54] Connection"),
        ("[code: 2004] Failed to activate", "[code: 2004] Failed"),
    ],
)
def test_a_connection_closed_at_once_is_told_in_one_way(tmp_path, reason, says):
    """Whether the client had written by then, and sees a reset, is a matter of luck."""
    with Programs(tmp_path) as programs:
        program = programs.start(["printf", "%s\n", "Exit Code: 305", "", reason])
        fault = faults._intruder("somebody", program, faults.NODES)
    assert fault.survived
    assert fault.happened.startswith(f"refused, code 305: {says}")


def test_the_command_prints_the_table(table, monkeypatch, capsys):
    lost = faults.Fault("a fault of ours", "nobody noticed", False)
    monkeypatch.setattr(faults, "try_faults", lambda: [*table.values(), lost])
    with pytest.raises(SystemExit) as end:
        faults.main()
    assert end.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12
    assert [line[:3] for line in lines] == ["ok "] * 11 + ["NOT"]


def test_a_port_in_use_is_said_so():
    with Deployment() as first:
        with pytest.raises(DeploymentError, match=f"port {first.port} is in use"):
            Deployment(port=first.port).__enter__()
        assert not first.superlink.ended  # what fails beside it leaves it alone
        whole = family([first.superlink.process])
        assert len(whole) > 1
    assert not any(map(runs, whole))
