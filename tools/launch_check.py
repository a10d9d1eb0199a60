"""Open every chapter as Colab and Binder do, in empty environments, and measure its memory.

    python tools/launch_check.py [CHAPTER ...]

Colab is played by a kernel that has loaded Colab's own NumPy, pandas and Matplotlib before the
set-up cell runs; the reader's edition is cloned from this machine. Without chapters named, all are
run, and book/launch.csv is written. Takes as long as the chapters, and downloads the lock twice.
"""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import edition
import nbformat
import psutil

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "book" / "launch.csv"
HEAD = ("Chapter", "Most memory (GB)", "Colab, Codespaces", "Binder")
COLAB, BINDER = 12, 2  # GB
SET_UP = 120  # seconds that the set-up cell may take
COLABS_OWN = ["numpy==2.0.2", "pandas==2.2.2", "matplotlib==3.10.0", "ipykernel<7", "nbclient"]
LOADED = "import google.colab, matplotlib.pyplot, numpy, pandas\n"
GIT = ["git", "-c", "user.name=edition", "-c", "user.email=edition@localhost"]


def commit(folder: Path) -> None:
    """Make a repository of the edition, as the workflow `pages` does online."""
    for arguments in (
        ["init", "--quiet", f"--initial-branch={edition.BRANCH}"],
        ["add", "--force", "."],
        ["commit", "--quiet", "--message=edition"],
    ):
        subprocess.run([*GIT, *arguments], cwd=folder, check=True)


def environment(folder: Path, *packages: str) -> Path:
    """Make an empty environment with these packages, and give its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if packages:
        subprocess.run([*install, *packages], check=True)
    return python


def play_colab(folder: Path) -> tuple[Path, dict[str, str]]:
    """Make an environment that looks like Colab's to the set-up cell."""
    python = environment(folder / "colab", *COLABS_OWN)
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.check_output(ask, text=True).strip())
    (site / "google" / "colab").mkdir(parents=True)
    (site / "google" / "colab" / "__init__.py").touch()
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "loaded.py").write_text(LOADED)
    return python, {"IPYTHONDIR": str(folder / "ipython")}


def run(python: Path, notebook: Path, environ: dict[str, str]) -> tuple[float, float]:
    """Run a notebook whole; gives the seconds and the most memory (GB) of all its processes."""
    code = "import sys; from nbclient.cli import main; sys.exit(main())"
    command = [python, "-c", code, "--timeout=900", notebook.name]
    begun, most = time.monotonic(), 0.0
    with subprocess.Popen(command, cwd=notebook.parent, env={**os.environ, **environ}) as process:
        while process.poll() is None:
            most = max(most, held(process.pid))
            time.sleep(0.5)
    if process.returncode:
        raise SystemExit(f"{notebook.stem} failed: see above.")
    return time.monotonic() - begun, most / 1e9


def held(pid: int) -> int:
    """Give the bytes that a process holds with all that it started."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for one in [parent, *parent.children(recursive=True)]:
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass  # it ended in between
    return total


def alone(cell: Path, folder: Path) -> Path:
    """Make a notebook of the set-up cell alone, to take its time."""
    notebook = nbformat.read(cell, as_version=4)
    notebook.cells = [one for one in notebook.cells if one.get("id") == "set-up"]
    folder.mkdir()
    path = folder / "set-up.ipynb"
    nbformat.write(notebook, path)
    return path


def check_colab(made: Path, chapters: list[Path], folder: Path) -> list[tuple[str, str, str, str]]:
    """Run the set-up cell once for each list of packages, then the chapters; gives the table."""
    python, environ = play_colab(folder)
    ready: dict[str, Path] = {}
    rows = []
    for chapter in chapters:
        kind = edition.kind_of(nbformat.read(chapter, as_version=4))
        if kind not in ready:
            seconds, _ = run(python, alone(chapter, folder / kind), environ)
            print(f"set-up for {kind}: {seconds:.0f} s", flush=True)
            if seconds > SET_UP:
                raise SystemExit(f"The set-up cell took more than {SET_UP} s.")
            ready[kind] = folder / kind / "rfout-book"
        place = folder / chapter.stem
        place.mkdir()
        (place / "rfout-book").symlink_to(ready[kind])
        shutil.copy(chapter, place)
        seconds, most = run(python, place / chapter.name, environ)
        print(f"{chapter.stem}: {seconds:.0f} s, {most:.1f} GB", flush=True)
        fits = ["yes" if most < limit else "no" for limit in (COLAB, BINDER)]
        rows.append((chapter.stem, f"{most:.1f}", *fits))
    return rows


def check_binder(made: Path, folder: Path) -> None:
    """Take Binder's steps in an empty environment, then run a chapter there."""
    python = environment(folder / "binder")
    place = shutil.copytree(made, folder / "home")
    pip = [python, "-m", "pip", "install", "--quiet", "--requirement", ".binder/requirements.txt"]
    subprocess.run(pip, cwd=place, check=True)
    path = {"PATH": f"{python.parent}:/usr/bin:/bin"}
    subprocess.run(["sh", ".binder/postBuild"], cwd=place, check=True, env=path)
    run(python, place / "federated-learning.ipynb", path)
    print("Binder's steps: done", flush=True)


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="rfout-launch-") as name:
        folder = Path(name)
        made = folder / "edition"
        chapters = edition.write(ROOT, made, str(made))
        chosen = [one for one in chapters if not names or one.stem in names]
        commit(made)
        rows = check_colab(made, chosen, folder)
        check_binder(made, folder)
    if not names:
        with TABLE.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([HEAD, *rows])
    too_large = [row[0] for row in rows if row[2] == "no"]
    if too_large:
        raise SystemExit(f"More than {COLAB} GB: {', '.join(too_large)}.")


if __name__ == "__main__":
    main(sys.argv[1:])
