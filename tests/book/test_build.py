"""`make book` refuses a broken book, and goes on refusing it until it is repaired."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

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
    ran = "Executed notebook in"
    assert ran in build(book)[1]
    assert ran not in build(book)[1]
    assert ran in build(book, RFOUT_DATASET="another")[1]
    assert ran in build(book, SHFL_PATH="elsewhere")[1]
    assert ran not in build(book)[1], "what was executed for the first data set is still there"
    (book / "rfout" / "__init__.py").write_text("x = 1\n")
    assert ran in build(book)[1]
    (book / "benchmarks" / "results").mkdir(parents=True)
    (book / "benchmarks" / "results" / "speed.csv").write_text("case\n")
    assert ran in build(book)[1]
    (book / "book" / "results" / "short").mkdir(parents=True)
    (book / "book" / "results" / "short" / "one.csv").write_text("round\n")
    assert ran in build(book)[1]
    (book / "requirements.lock").write_text("numpy==0\n")
    code, output = build(book)
    assert code == 0, output
    assert ran in output
