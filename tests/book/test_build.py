"""`make book` refuses a broken book, and goes on refusing it until it is repaired."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest
from builder import build
from jupyter_cache import get_cache
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

sys.path.append(str(Path(__file__).parents[2] / "tools"))
import executed

GOOD = new_code_cell("print(6 * 7)")
# What is sound, what is broken beside it, and what the build says. A kernel takes its time to
# start: where it is not about a cell there is none.
BROKEN = {
    "cell": ([GOOD], new_code_cell("raise ValueError('one ' + 'cell fails')"), "one cell fails"),
    "reference": ([], new_markdown_cell("{ref}`nowhere`"), "nowhere"),
    "page": ([], new_markdown_cell("[](no-such-page.md)"), "no-such-page"),
    "citation": ([], new_markdown_cell("{cite}`nobody1900`"), "nobody1900"),
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


@pytest.mark.parametrize("what", BROKEN)
def test_broken_book_fails_every_time_until_repaired(book, what):
    sound, broken, says = BROKEN[what]
    write(book, [*sound, broken])
    for _ in range(2):
        code, output = build(book)
        assert code != 0
        assert says in output
        assert not output.rstrip().endswith("index.html")
    write(book, sound)
    code, output = build(book)
    assert code == 0, output
    assert output.splitlines()[-1] == str(book / "_build" / "html" / "index.html")


def test_a_page_that_breaks_another_is_found(book):
    """Sphinx alone would not look again at the unchanged page that refers to the changed one."""
    (book / "book" / "intro.md").write_text("# Front\n\n{ref}`here`\n")
    write(book, [new_markdown_cell("(here)=\n## Here")])
    assert build(book)[0] == 0
    write(book, [new_markdown_cell("## Here")])
    code, output = build(book)
    assert code != 0
    assert "here" in output


def test_chapters_run_again_when_what_they_use_has_changed_and_only_then(book):
    write(book, [GOOD])
    ran = "executed in"
    output = build(book)[1]
    assert ran in output
    assert "without encryption" not in output  # kernels say so of themselves, a line a chapter
    assert ran not in build(book)[1]
    (book / "rfout" / "__init__.py").write_text("x = 1\n")
    code, output = build(book)
    assert code == 0, output
    assert ran in output


def test_what_counts_as_a_change(book, monkeypatch):
    write(book, [GOOD])
    ((_, chapter),) = [one for one in executed.chapters(book) if one[0].suffix == ".ipynb"]

    def is_new():
        """Tell whether the chapter would be executed, and take it for executed from then on."""
        folder = executed.cache_folder(book)
        new = not executed.known(get_cache(folder), chapter)
        executed.keep(folder, book / "book" / "chapter.ipynb", chapter, 0.1)
        return new

    assert is_new()
    with monkeypatch.context() as patch:
        patch.setenv("RFOUT_DATASET", "another")
        assert is_new()
        patch.setenv("SHFL_PATH", "elsewhere")
        assert is_new()
        patch.setenv("RFOUT_SEED", "7")
        assert is_new()
    assert not is_new(), "what was executed for the first data set is still there"
    for name in (
        "rfout/flower/__init__.py",
        "benchmarks/results/speed.csv",
        "book/results/short/one.csv",
        "requirements.lock",
    ):
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        (book / name).write_text("x = 1\n")
        assert is_new(), name
    assert not is_new()


def test_rounds_are_shared_for_the_time_of_one_execution(monkeypatch):
    monkeypatch.delenv("RFOUT_ROUNDS", raising=False)
    with executed.shared_rounds():
        folder = Path(os.environ["RFOUT_ROUNDS"])
        assert folder.is_dir()
        with executed.shared_rounds():
            assert os.environ["RFOUT_ROUNDS"] == str(folder)
        assert folder.is_dir()
    assert "RFOUT_ROUNDS" not in os.environ
    assert not folder.exists()


def test_the_pages_wait_for_chapters_that_run_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("RFOUT_ROUNDS", str(tmp_path))
    one, other = Path("book/one.ipynb"), Path("book/other.ipynb")
    executed.chapter_is_over(one)
    executed.wait_for_chapters([one], 60)
    ending = threading.Timer(1, executed.chapter_is_over, [other])
    begun = time.monotonic()
    ending.start()
    executed.wait_for_chapters([one, other], 60)
    assert 1 <= time.monotonic() - begun < 30
    executed.wait_for_chapters([one, Path("book/never.ipynb")], 0.1)  # and not for ever


def test_a_chapter_that_fails_is_told_and_the_others_are_kept(book, capsys):
    write(book, [GOOD])
    (book / "book" / "another.ipynb").write_bytes((book / "book" / "chapter.ipynb").read_bytes())
    write(book, [GOOD, BROKEN["cell"][1]])
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
