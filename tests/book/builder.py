"""Builds of small books in processes that have Sphinx loaded: it takes longer than such a build.

A server process, started once, imports what a build needs; each build runs `tools/build_book.py`
as a program in a fork of it, which nothing else has touched.
"""

import gc
import multiprocessing
import os
import runpy
import sys

HEAVY = [
    "jupyter_book.cli.main",
    "myst_nb.sphinx_ext",
    "nbclient",
    "sphinx.builders.html",
    "sphinx.ext.autodoc",
    "sphinx_book_theme",
    "sphinx_design.extension",
    "sphinxcontrib.bibtex",
]
LONG = 300  # seconds that a build may take on a busy machine
# A fork is sure on Linux alone: elsewhere each build starts from nothing.
processes = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
if sys.platform == "linux":
    processes.set_forkserver_preload(HEAVY)


def _run(script, book, output, environ):
    os.environ.update(environ)
    gc.freeze()  # what was loaded before the fork is looked through by no build
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.path.insert(0, str(script.parent))  # as Python does for a program
    sys.argv = [str(script), str(book)]
    runpy.run_path(str(script), run_name="__main__")


def build(book, **environ):
    """Run the book's own copy of the build; gives its exit code and all that it printed.

    Its environment is that of the first build, and what is named here.
    """
    output = book / "output.txt"
    output.write_text("")
    script = book / "tools" / "build_book.py"
    process = processes.Process(target=_run, args=(script, book, output, environ))
    process.start()
    process.join(LONG)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError(f"the build goes on after {LONG} s: {output.read_text('utf-8')}")
    return process.exitcode, output.read_text("utf-8")
