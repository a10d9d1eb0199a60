"""The reader's edition: what Colab, Binder and Codespaces open, as one small folder.

    python tools/edition.py [FOLDER]

It holds the readers' copies of the chapters with their figures, the package, the stored results,
and the pinned versions. Each chapter begins with a cell that prepares Colab. `make publish-edition`
puts the folder on a branch of its own.
"""

import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import nbformat
import origin
from packaging.markers import default_environment
from packaging.requirements import Requirement
from reader_copy import write_copies

BRANCH = "notebooks"
COPIED = "rfout book/results .binder .devcontainer requirements.lock pyproject.toml LICENSE".split()
# What runs chapters, and what a chapter needs that runs Flower; the rest of the lock makes pages.
TRAINING = (
    "matplotlib mlxtend numba numpy pandas platformdirs pooch scikit-learn scipy tensorflow "
    "tensorflow-cpu tqdm"
).split()
FLOWER = [*TRAINING, "flwr[simulation]"]
README = """# {title}: the reader's edition

Chapters of the book to run and to change, with the package that they use. The build of the book
made this branch, and replaces it whenever the book changes{source}.
"""
SETUP = """\
# Set-up for Google Colab; anywhere else this cell does nothing.
# It fetches the book's package and the versions that the book was tested with, and puts them beside
# Colab's own, which stay as they are. It takes some minutes; nothing of yours is touched or sent.
import os
import subprocess
import sys

if "google.colab" in sys.modules and not os.path.isdir("rfout-book"):
    get = ["git", "clone", "--quiet", "--depth=1", "--branch={branch}", "{url}", "rfout-book"]
    subprocess.run(get, check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    pip += ["--target=rfout-book/packages", "--requirement=rfout-book/requirements-{kind}.txt"]
    subprocess.run(pip, check=True)
if os.path.isdir("rfout-book"):
    added = [os.path.abspath("rfout-book"), os.path.abspath("rfout-book/packages")]
    sys.path[:0] = added
    os.environ["PYTHONPATH"] = os.pathsep.join(added)  # for the processes that Flower starts
    os.environ["PATH"] = os.path.join(added[1], "bin") + os.pathsep + os.environ["PATH"]
    print("Ready: run the cells below.")
"""


def needed(names, requirements_of=requires):
    """Name all that these requirements need on Linux, with any Python that the book allows."""
    found, waiting = set(), [Requirement(name) for name in names]
    linux = {**default_environment(), "sys_platform": "linux", "platform_system": "Linux"}
    pythons = [
        linux | {"python_version": minor, "python_full_version": f"{minor}.0"}
        for minor in ("3.11", "3.12", "3.13")
    ]
    while waiting:
        one = waiting.pop()
        name, extras = re.sub(r"[-_.]+", "-", one.name).lower(), {"", *one.extras}
        if (name, frozenset(extras)) in found:
            continue
        found.add((name, frozenset(extras)))
        try:
            of_it = [Requirement(text) for text in requirements_of(one.name) or []]
        except PackageNotFoundError:
            continue  # not for this platform: tensorflow where tensorflow-cpu is
        waiting += [
            need
            for need in of_it
            if not need.marker
            or any(need.marker.evaluate({**py, "extra": ex}) for py in pythons for ex in extras)
        ]
    return {name for name, _ in found}


def locked(lock, names):
    """Give the lines of a lock for these names."""
    pins = re.findall(r"^([\w.-]+)(==(?:[^\n\\]|\\\n)*)\n", lock, re.MULTILINE)
    return "".join(f"{name}{rest}\n" for name, rest in pins if name.lower() in names)


def kind_of(notebook):
    """Tell which of the two lists a chapter needs."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return "flower" if re.search(r"\bflwr\b|rfout\.flower", code) else "training"


def write(root, folder, url, *, title="The book", address=""):
    """Write the edition; returns its chapters.

    Parameters: the repository's folder, where to write (replaced), the address that Colab clones,
    the book's title, and the address of its pages.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(
                root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        elif (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, folder / name)
    source = f" ({url})" if url.startswith("https:") else ""
    (folder / "README.md").write_text(README.format(title=title, source=source), "utf-8")
    lock = (root / "requirements.lock").read_text("utf-8")
    for kind, names in {"training": TRAINING, "flower": FLOWER}.items():
        (folder / f"requirements-{kind}.txt").write_text(locked(lock, needed(names)), "utf-8")
    executed = root / "_build" / "jupyter_execute" / "book"
    chapters = write_copies(root, executed, folder, address.rstrip("/"))
    for path in chapters:
        notebook = nbformat.read(path, as_version=4)
        kind = kind_of(notebook)
        cell = SETUP.format(branch=BRANCH, url=url, kind=kind)
        notebook.cells.insert(1, nbformat.v4.new_code_cell(cell, id="set-up"))
        nbformat.write(notebook, path)
    return chapters


if __name__ == "__main__":
    root = Path(__file__).parents[1]
    repository = origin.find_repository(root)
    if repository is None:
        sys.exit(
            "No repository is known for the edition: set GITHUB_REPOSITORY to OWNER/NAME, or give "
            "this clone a remote named origin on GitHub."
        )
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else root / "_build" / "edition"
    made = write(root, folder, repository.url, address=origin.find_address(repository))
    if not made:
        sys.exit("There is no executed chapter: run `make book` first.")
    print(f"{len(made)} chapters in {folder}")
