"""A link is a scenario; what is taken away from the page is what ran on it."""

import csv
import io
import subprocess
import sys

import numpy as np
import pytest

DRIVER = "../../../tests/play/driver.mjs"
START = "n=12&alpha=iid&seed=4&k=1&from=3&shots=all&boost=auto&trigger=pattern&agg=mean&t=3"
LINK = f"{START}&vs=rfout1d&to=6&then=4:agg~median-mad,t~2.5;5:k~0"


def read(script, *fragments):
    return script([["core/scenario.js", "fromFragment", one] for one in fragments])


def test_a_link_says_everything_and_is_read_back(script):
    (scenario,) = read(script, LINK)
    assert scenario["changes"] == [
        {"round": 4, "setting": {"aggregator": "median-mad", "threshold": 2.5}},
        {"round": 5, "setting": {"adversaries": 0}},
    ]
    (written,) = script([["core/scenario.js", "toFragment", scenario]])
    assert written == LINK


@pytest.mark.parametrize(
    "fragment",
    [
        "",
        "n=1e99&k=-3&t=NaN&agg=<script>&alpha=0&boost=x&from=&shots=2&seed=1.5&vs=no&to=1e9",
        "then=:;;5:;x:agg~mean;7:n~5,__proto__~3;999999:k~1;-1:k~1&__proto__=3&constructor=1",
        "n=%&k=%E0%A4%A",
    ],
)
def test_a_hostile_link_is_read_as_something_that_runs(script, fragment):
    (scenario,) = read(script, fragment)
    start = scenario["start"]
    assert 5 <= start["clients"] <= 40
    assert 0 <= start["adversaries"] <= start["clients"] // 2
    assert 1 <= start["threshold"] <= 5
    assert start["aggregator"] == "mean"
    assert scenario["compare"] is None
    assert 0 <= scenario["rounds"] <= 500
    assert scenario["changes"] == []
    (played,) = script([[DRIVER, "play", fragment, 1]])
    assert played[0]["round"] == 1


def test_a_link_plays_again_to_the_last_digit(script):
    first, again = (script([[DRIVER, "play", LINK, 6]])[0] for _ in range(2))
    np.testing.assert_equal(first, again)
    assert [one["aggregator"] for one in first] == ["mean"] * 4 + ["median-mad"] * 2
    assert [len(one["attacking"]) for one in first] == [0, 0, 1, 1, 1, 0]


def test_a_change_on_the_way_goes_on_from_where_the_federation_stands(script):
    plain, changed = script(
        [[DRIVER, "play", f"{START}&then={then}", 5] for then in ("", "4:agg~median-mad")]
    )
    assert [one["main"] for one in plain[:4]] == [one["main"] for one in changed[:4]]
    assert plain[4]["flagged"] != changed[4]["flagged"]


def test_changes_of_an_attack_that_has_not_begun_are_made_in_the_start(script):
    (scenario,) = read(script, START)
    change = ["core/scenario.js", "changed"]
    early, late, other = script(
        [
            [*change, scenario, 1, {"adversaries": 3}],
            [*change, scenario, 5, {"adversaries": 3}],
            [*change, scenario, 1, {"aggregator": "median"}],
        ]
    )
    assert (early["start"]["adversaries"], early["changes"]) == (3, [])
    assert late["changes"] == [{"round": 5, "setting": {"adversaries": 3}}]
    assert other["changes"] == [{"round": 1, "setting": {"aggregator": "median"}}]
    (undone,) = script([[*change, late, 2, {"threshold": 2}]])
    assert undone["changes"] == [{"round": 2, "setting": {"threshold": 2}}]


def test_the_history_is_a_table(script):
    (history,) = script([[DRIVER, "play", START, 3]])
    (text,) = script([["core/export.js", "historyAsCsv", [history, history]]])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["run"], row["round"]) for row in rows] == [
        (run, round) for run in "12" for round in "123"
    ]
    assert float(rows[2]["main_task_accuracy"]) == pytest.approx(history[2]["main"], abs=1e-4)
    assert rows[2]["adversaries"] == str(history[2]["attacking"][0])
    assert "flagged_11" in rows[0]
    assert "flagged_12" not in rows[0]


def test_what_is_said_of_a_round(script):
    """Each state of a federation has its words, and they are true of the numbers."""
    setting = {"clients": 20, "adversaries": 1, "from": 11, "aggregator": "mean", "threshold": 3}
    round_ = {"round": 12, "aggregator": "mean", "attacking": [3], "flagged": [0.5] * 20}

    def said(main, backdoor, before=(), **changes):
        history = [{**round_, "round": 11, "aggregator": "mean", **one} for one in before]
        last = {**round_, "main": main, "backdoor": backdoor}
        last |= {key: changes.pop(key) for key in ("attacking", "aggregator") if key in changes}
        both = {**setting, "aggregator": last["aggregator"], **changes}
        return script([["core/words.js", "sentence", [*history, last], both]])[0]

    assert "no client attacks before round 13" in said(0.8, 0, attacking=[], **{"from": 13})
    assert "no client attacks." in said(0.8, 0, attacking=[], adversaries=0)
    assert "the attack is over" in said(0.8, 0.7, attacking=[], single=True)
    assert "would have flagged client 3 on 50\u00a0% of" in said(0.8, 0.98)
    assert "the backdoor creeps in" in said(0.8, 0.2, aggregator="rfout1d")
    assert "The rule flagged client 3" in said(0.8, 0.2, aggregator="rfout1d")
    blind = said(0.8, 0.9, aggregator="rfout1d", adversaries=2)
    assert "at most 3.00 standard deviations" in blind
    taken = {"main": 0.8, "backdoor": 0.9}
    inherited = said(0.8, 0.9, [taken], aggregator="median")
    assert "still in" in inherited
    assert "came in under the mean in round 11" in inherited
    assert "is ruined" in said(0.1, 0.9, [taken])


PROGRAMS = {
    "changes": (f"{START}&then=2:agg~median-mad,t~2.5;3:k~2,trigger~image", 5),
    "uneven": (f"{START}&alpha=0.5&agg=krum&shots=one&boost=4&then=2:agg~trimmed-mean", 4),
    "others": (f"{START}&k=0&trigger=image&agg=drop&then=1:agg~norm-clipping;2:agg~median", 3),
    "paper": (f"{START}&agg=rfout1d", 4),
}


def test_the_same_in_python_runs(script, tmp_path):
    """All lines of all programs, one after the other in a fresh Python."""
    scenarios = read(script, *(fragment for fragment, _ in PROGRAMS.values()))
    calls = [
        ["core/export.js", "inPython", scenario, rounds]
        for scenario, (_, rounds) in zip(scenarios, PROGRAMS.values(), strict=True)
    ]
    programs = script(calls)
    assert 'partial(rfout1d, threshold=2.5, center="median", scale="mad")' in programs[0]
    assert "Window(3, 3), boost=4" in programs[1]
    assert "recruit" not in programs[2]
    assert "    rfout1d,\n" in programs[3]
    for name, program in zip(PROGRAMS, programs, strict=True):
        (tmp_path / f"{name}.py").write_text(program)
    lint = [sys.executable, "-m", "ruff", "check", "--select", "E,F,I", "--line-length", "120"]
    done = subprocess.run([*lint, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    run = "import runpy, sys\nfor path in sys.argv[1:]: runpy.run_path(path)"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", run, *sorted(map(str, tmp_path.glob("*.py")))],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    last = [line.split()[1] for line in done.stdout.splitlines() if line[:1].isdigit()]
    assert [float(one) for one in last].count(5) == 1
    assert done.stdout.count("backdoor_accuracy") == len(PROGRAMS)
