"""What `make book` says beside the name of a chapter that fails, and before anything starts."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

sys.path.append(str(Path(__file__).parents[1] / "tools"))
import executed

LONGER = """
class DatasetUnavailable(RuntimeError):
    pass
try:
    1 / 0
except ZeroDivisionError as error:
    raise DatasetUnavailable("it is not on this machine\\nReason: OSError: no route") from error
"""


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (
            "raise ValueError('one ' + 'cell fails')",
            r"failed after \d+ s: ValueError: one cell fails",
        ),
        (LONGER, r"failed after \d+ s: DatasetUnavailable: it is not on this machine"),
        ("1 +", r"failed after \d+ s: SyntaxError: invalid syntax"),
        ("import os; os._exit(9)", r"failed: DeadKernelError: .*died"),
    ],
)
def test_a_chapter_that_fails_shows_its_reason_beside_its_name(tmp_path, capsys, cell, says):
    (tmp_path / "book").mkdir()
    (tmp_path / "_config.yml").write_text("execute: {timeout: 60}\n")
    notebook = new_notebook(cells=[new_code_cell(cell)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, tmp_path / "book" / "chapter.ipynb")
    executed.execute_missing(tmp_path)
    said = capsys.readouterr().out
    assert re.search(rf"^\[1/1\] book/chapter\.ipynb: {says}$", said, re.MULTILINE), said


def test_a_data_set_that_is_none_is_one_line_before_anything_starts(root, tmp_path):
    done = subprocess.run(
        [sys.executable, root / "tools" / "build_book.py", tmp_path],
        env={**os.environ, "RFOUT_DATASET": "mnist"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("RFOUT_DATASET: unknown data set 'mnist'; known: digits, ")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
