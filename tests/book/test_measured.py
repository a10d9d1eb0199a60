"""Measured values are compared by their spread: rounding passes, a wrong value does not."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

sys.path.append(str(Path(__file__).parents[2] / "tools"))
from measured import CLAIM, GLUE, can_fail, differences, interval, is_measured, measured

ROWS = {
    ("chapter", "claim", "It ends above 0.9."): {
        "lowest": "0.94",
        "highest": "0.99",
        "n_seeds": "10",
    },
    ("chapter", "number", "end"): {"lowest": "0.94", "highest": "0.99", "n_seeds": "10"},
    ("chapter", "number", "clients"): {"lowest": "20", "highest": "20", "n_seeds": "10"},
    ("chapter", "number", "none"): {"lowest": "0", "highest": "0", "n_seeds": "10"},
    ("chapter", "number", "anything"): {"lowest": "0.02", "highest": "0.9", "n_seeds": "10"},
}


def claimed(value=0.97, holds=True, statement="It ends above 0.9."):
    said = {"statement": statement, "value": value, "holds": holds}
    return new_output("display_data", data={"text/plain": f"({value})", CLAIM: said})


def recorded(name, plain):
    return new_output("display_data", data={GLUE: plain}, metadata={"scrapbook": {"name": name}})


def compare(before, now):
    return differences("chapter", measured([before]), measured([now]), ROWS)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (claimed(0.97), claimed(0.9700001)),
        (claimed(0.97), claimed(0.9)),
        (recorded("end", "0.9744"), recorded("end", "0.9745")),
        (recorded("end", "0.97"), recorded("end", "0.9")),
        (recorded("clients", "20.0"), recorded("clients", "20.000001")),
        (recorded("none", "0.0"), recorded("none", "0.002")),
        (recorded("name", "'two'"), recorded("name", "'two'")),
    ],
)
def test_what_another_machine_may_give_passes(before, now):
    assert compare(before, now) == []


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        (claimed(0.97), claimed(0.88), "outside 0.89 to 1.04"),
        (claimed(0.97), claimed(float("nan")), "outside"),
        (claimed(0.97), claimed(0.97, holds=False), "does not hold"),
        (claimed(), claimed(statement="It ends above 0.8."), "make outputs"),
        (recorded("end", "0.97"), recorded("end", "0.31"), "'end' is 0.31"),
        (recorded("clients", "20.0"), recorded("clients", "19.0"), "outside"),
        (recorded("none", "0.0"), recorded("none", "0.05"), "outside"),
        (recorded("name", "'two'"), recorded("name", "'one'"), "'two' is stored"),
        (recorded("new", "1.0"), recorded("new", "1.0"), "make replicate"),
        (recorded("end", "0.97"), recorded("other", "0.97"), "make outputs"),
    ],
)
def test_a_wrong_value_fails(before, now, says):
    (found,) = compare(before, now)
    assert says in found


def test_an_interval_that_no_share_can_leave_compares_nothing():
    row = {"lowest": "0.5", "highest": "0.6", "n_seeds": "10"}
    assert interval(row) == pytest.approx((0.4, 0.7))
    can = {name: can_fail(row) for (_, _, name), row in ROWS.items()}
    assert [name for name in can if not can[name]] == ["anything"]


def test_other_outputs_are_not_measured():
    assert not is_measured(new_output("stream", text="1\n"))
    assert not is_measured(new_output("execute_result", data={"text/plain": "1"}))
    assert is_measured(claimed())
    assert is_measured(recorded("end", "1.0"))


REGISTER = """chapter,kind,name,held,n_seeds,lowest,median,highest,n_runs
chapter,claim,It ends above 0.9.,10,10,0.94,0.97,0.99,20
chapter,number,end,10,10,0.94,0.97,0.99,20
"""
SOURCE = (
    "from rfout.book import claim, record\n"
    "record(end={value})\nclaim('It ends above {{}}.', {value}, above=0.9)\nprint({printed})"
)


@pytest.mark.parametrize(
    ("value", "printed", "says"),
    [
        (0.9700000001, 1, None),
        (0.901, 1, None),
        (1.5, 1, "outside 0.89 to 1.04"),
        (0.5, 1, "Does not hold"),
        (0.97, 2, "mismatch 'stdout'"),
    ],
)
def test_under_nbval(root, tmp_path, value, printed, says):
    """The comparison is wired into nbval, which still compares the rest to the letter."""
    for name in ("tools/executed.py", "tools/measured.py", "book/conftest.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((root / name).read_text("utf-8"))
    register = tmp_path / "book" / "results" / "replication.csv"
    register.parent.mkdir()
    register.write_text(REGISTER)
    outputs = [
        recorded("end", "0.97"),
        claimed(),
        new_output("stream", name="stdout", text="1\n"),
    ]
    source = SOURCE.format(value=value, printed=printed)
    cell = new_code_cell(source, outputs=outputs, execution_count=1)
    made = new_notebook(cells=[new_markdown_cell("# Chapter"), cell])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, tmp_path / "book" / "chapter.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", "book"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == (1 if says else 0), done.stdout
    assert says is None or says in done.stdout
