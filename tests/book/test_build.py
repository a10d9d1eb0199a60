"""`make book` refuses a broken book, and goes on refusing it until it is repaired."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

sys.path.append(str(Path(__file__).parents[2] / "tools"))
import executed

GOOD = new_code_cell("print(6 * 7)")
BROKEN = {
    "cell": ([GOOD, new_code_cell("raise ValueError('one ' + 'cell fails')")], "one cell fails"),
    "reference": ([GOOD, new_markdown_cell("{ref}`nowhere`")], "nowhere"),
    "page": ([GOOD, new_markdown_cell("[](no-such-page.md)")], "no-such-page"),
    "citation": ([GOOD, new_markdown_cell("{cite}`nobody1900`")], "nobody1900"),
}


@pytest.fixture
def book(root, tmp_path):
    """Make a small book with this book's settings: a front page, one chapter, references."""
    shutil.copytree(root / "tools", tmp_path / "tools")
    copied = (
        "_config.yml",
        "book/references.bib",
        "book/references.md",
        "book/_static/favicon.svg",
    )
    for name in copied:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    (tmp_path / "book" / "_static" / "book.css").write_text("")
    (tmp_path / "rfout").mkdir()
    (tmp_path / "rfout" / "__init__.py").write_text("")
    (tmp_path / "book" / "intro.md").write_text("# Front\n\n[](chapter.ipynb)\n")
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/intro\n"
        "chapters:\n- file: book/chapter\n- file: book/references\n"
    )
    return tmp_path


def write(book, cells):
    title = new_markdown_cell("# Chapter\n\n{cite:t}`mcmahan2017fedavg`")
    notebook = new_notebook(cells=[title, *cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, book / "book" / "chapter.ipynb")


def build(book, **environment):
    done = subprocess.run(
        [sys.executable, book / "tools" / "build_book.py", book],
        env={**os.environ, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("what", BROKEN)
def test_broken_book_fails_every_time_until_repaired(book, what):
    cells, says = BROKEN[what]
    write(book, cells)
    for _ in range(2):
        code, output = build(book)
        assert code != 0
        assert says in output
        assert not output.rstrip().endswith("index.html")
    write(book, [GOOD])
    code, output = build(book)
    assert code == 0, output
    assert output.splitlines()[-1] == str(book / "_build" / "html" / "index.html")


def test_a_page_that_breaks_another_is_found(book):
    """Sphinx alone would not look again at the unchanged page that refers to the changed one."""
    (book / "book" / "intro.md").write_text("# Front\n\n{ref}`here`\n")
    write(book, [GOOD, new_markdown_cell("(here)=\n## Here")])
    assert build(book)[0] == 0
    write(book, [GOOD, new_markdown_cell("## Here")])
    code, output = build(book)
    assert code != 0
    assert "here" in output


def test_chapters_run_again_when_what_they_use_has_changed_and_only_then(book):
    write(book, [GOOD])
    ran = "executed in"
    assert ran in build(book)[1]
    assert ran not in build(book)[1]
    (book / "rfout" / "__init__.py").write_text("x = 1\n")
    code, output = build(book)
    assert code == 0, output
    assert ran in output


def test_what_counts_as_a_change(book, monkeypatch, capsys):
    def ran():
        executed.execute_missing(book)
        return "executed in" in capsys.readouterr().out

    write(book, [GOOD])
    assert ran()
    with monkeypatch.context() as patch:
        patch.setenv("RFOUT_DATASET", "another")
        assert ran()
        patch.setenv("SHFL_PATH", "elsewhere")
        assert ran()
    assert not ran(), "what was executed for the first data set is still there"
    for name in (
        "rfout/flower/__init__.py",
        "benchmarks/results/speed.csv",
        "book/results/short/one.csv",
        "requirements.lock",
    ):
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        (book / name).write_text("x = 1\n")
        assert ran(), name
    assert not ran()


def test_a_chapter_that_fails_is_told_and_the_others_are_kept(book, capsys):
    write(book, [GOOD])
    (book / "book" / "another.ipynb").write_bytes((book / "book" / "chapter.ipynb").read_bytes())
    write(book, BROKEN["cell"][0])
    executed.execute_missing(book)
    assert "chapter.ipynb: failed after" in capsys.readouterr().out
    executed.execute_missing(book)
    said = capsys.readouterr().out
    assert "[1/1] book/chapter.ipynb" in said
    assert "another" not in said


def test_what_nbval_has_run_is_not_run_again(book, root, capsys):
    """`make test` runs a chapter once: book/conftest.py hands it on."""
    write(book, [GOOD])
    path = book / "book" / "chapter.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="42\n")]
    notebook.cells[1].execution_count = 1
    nbformat.write(notebook, path)
    shutil.copy(root / "book" / "conftest.py", book / "book")
    nbval = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", book / "book"]
    subprocess.run(nbval, cwd=book, check=True, stdout=subprocess.DEVNULL)
    executed.execute_missing(book)
    assert capsys.readouterr().out == ""
    code, output = build(book)
    assert code == 0, output
    assert ">42" in (book / "_build" / "html" / "book" / "chapter.html").read_text("utf-8")
    notebook.cells[1].outputs[0].text = "43\n"
    notebook.cells[1].source += " # not what is stored"
    nbformat.write(notebook, path)
    assert subprocess.run(nbval, cwd=book, stdout=subprocess.DEVNULL).returncode == 1
    executed.execute_missing(book)
    assert "executed in" in capsys.readouterr().out, "what differed was not kept"
