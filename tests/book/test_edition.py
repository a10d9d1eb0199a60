"""What Colab, Binder and Codespaces open: whole, pinned, and published to a branch of its own."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

sys.path.append(str(Path(__file__).parents[2] / "tools"))
import edition

CHAPTERS = {
    "limits": "import rfout",
    "flower": "from rfout.flower import RFOut1d",
    "sherpa": "from rfout.sherpa import backend",
}


@pytest.fixture(scope="module")
def made(root, tmp_path_factory):
    """Make the edition of a small book that was executed; gives its folder."""
    book = tmp_path_factory.mktemp("edition")
    executed = book / "_build" / "jupyter_execute" / "book"
    executed.mkdir(parents=True)
    (book / "book").mkdir()
    for name in (*edition.COPIED, "book/references.bib"):
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        (book / name).symlink_to(root / name)
    for name, code in CHAPTERS.items():
        cells = [new_markdown_cell(f"# {name}"), new_code_cell(code)]
        for folder in (book / "book", executed):
            nbformat.write(new_notebook(cells=cells), folder / f"{name}.ipynb")
    edition.write(book, book / "_build" / "edition", "https://github.com/someone/book")
    return book / "_build" / "edition"


def set_up(made, name="limits"):
    cell = nbformat.read(made / f"{name}.ipynb", as_version=4).cells[1]
    assert cell.id == "set-up"
    return cell.source


def test_each_chapter_begins_with_a_cell_that_names_its_packages(made):
    kinds = {name: re.search(r"requirements-(\w+)", set_up(made, name))[1] for name in CHAPTERS}
    assert kinds == {"limits": "training", "flower": "flower", "sherpa": "training"}


def pins(path):
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", path.read_text("utf-8"), re.MULTILINE))


def test_what_colab_installs_is_of_the_lock_and_enough(root, made):
    lock = pins(root / "requirements.lock")
    training, flower = (pins(made / f"requirements-{kind}.txt") for kind in ("training", "flower"))
    assert training.items() <= flower.items() <= lock.items()
    assert {"numpy", "tensorflow-cpu", "matplotlib", "pandas", "mlxtend", "pooch"} <= set(training)
    assert "flwr" in set(flower) - set(training)
    assert not {"jupyterlab", "sphinx"} & set(training), "pages are not made there"
    text = (made / "requirements-flower.txt").read_text("utf-8")
    assert text.count("--hash=sha256:") >= len(flower)


def test_the_set_up_cell_does_nothing_outside_colab(made, tmp_path):
    code = "import sys; before = list(sys.path)\n" + set_up(made) + "\nassert sys.path == before"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_the_set_up_cell_in_colab_gets_the_branch_and_the_pinned_versions(made, tmp_path):
    """Git and pip are played: they write down what they were asked for."""
    code = f"""
import os, subprocess, sys, types
sys.modules["google.colab"] = types.ModuleType("colab")
def run(command, check):
    print(*command[1:])
    if command[0] == "git":
        os.mkdir(command[-1])
subprocess.run = run
{set_up(made)}
print(sys.path[0], os.environ["PYTHONPATH"])
"""
    asked = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, text=True)
    clone, pip, ready, paths = asked.splitlines()
    assert clone == (
        "clone --quiet --depth=1 --branch=notebooks https://github.com/someone/book rfout-book"
    )
    assert pip.startswith("-m pip install --quiet --no-deps --require-hashes")
    assert pip.endswith("--requirement=rfout-book/requirements-training.txt")
    assert ready.startswith("Ready")
    assert paths.startswith(f"{tmp_path}/rfout-book {tmp_path}/rfout-book{os.pathsep}")


def test_binder_and_codespaces_find_their_files(made):
    assert (made / ".binder" / "requirements.txt").read_text("utf-8").splitlines()[-1] == (
        "-r ../requirements.lock"
    )
    assert (made / "requirements.lock").is_file()
    assert os.access(made / ".binder" / "postBuild", os.X_OK)
    container = json.loads((made / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    assert "requirements.txt && .binder/postBuild" in container["updateContentCommand"]
    python = (made / ".binder" / "runtime.txt").read_text("utf-8").strip().replace("-", ":")
    assert container["image"].endswith(python)


def test_the_edition_replaces_the_branch(root, made, tmp_path):
    """As the workflow does it, to a repository on this machine."""
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", remote], check=True)
    book = made.parents[1]
    (book / "tools").mkdir()
    (book / "tools" / "publish_edition.sh").symlink_to(root / "tools" / "publish_edition.sh")
    (book / "Makefile").symlink_to(root / "Makefile")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@localhost", "-C", book]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "a"], check=True)
    for _ in range(2):
        publish = ["make", "publish-edition", f"PUSH_TO={remote}"]
        subprocess.run(publish, cwd=book, check=True, capture_output=True)
    log = ["git", "-C", remote, "log", "--format=%s", "notebooks"]
    (message,) = subprocess.check_output(log, text=True).splitlines()
    assert message.startswith("The reader's edition of ")
    tree = ["git", "-C", remote, "ls-tree", "-r", "--name-only", "notebooks"]
    names = subprocess.check_output(tree, text=True).splitlines()
    assert {"limits.ipynb", ".binder/postBuild", "rfout/__init__.py"} <= set(names)
