"""Build the package, check what an index would show, and try it where nothing else is installed.

    python tools/release_check.py

Builds the archives into _build/dist. For each Python of 3.11 to 3.13 on this machine the wheel goes
into an empty environment, and there the README's Python snippets run.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "_build" / "dist"
PYTHONS = ("3.11", "3.12", "3.13")


def build(folder: Path = DIST) -> Path:
    """Build sdist and wheel into an empty folder and check their metadata; gives the wheel."""
    shutil.rmtree(folder, ignore_errors=True)
    # The dev lock has setuptools: nothing is fetched for the build.
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    run(sys.executable, "-m", "twine", "check", "--strict", *folder.iterdir())
    (wheel,) = folder.glob("*.whl")
    return wheel


def run(*command, **options) -> None:
    """Run a command; what it says is shown if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        words = " ".join(map(str, command))
        raise SystemExit(f"{words}\n{done.stdout}{done.stderr}\nThis command failed.")


def snippets(readme: Path = ROOT / "README.md") -> str:
    """Give the README's Python snippets as one program."""
    return "\n".join(re.findall(r"^```python\n(.*?)^```", readme.read_text("utf-8"), re.M | re.S))


def interpreters() -> dict[str, str]:
    """Map each minor version of Python that runs here to its program."""
    found = {}
    for name in (*(f"python{minor}" for minor in PYTHONS), sys.executable):
        ask = [name, "-c", "import sys; print('{}.{}'.format(*sys.version_info))"]
        try:
            done = subprocess.run(ask, capture_output=True, text=True)
        except OSError:
            continue
        if done.returncode == 0 and (minor := done.stdout.strip()) in PYTHONS:
            found.setdefault(minor, name)
    return found


def try_wheel(wheel: Path, interpreter: str) -> None:
    """Install the wheel into an empty environment, and run the README's snippets there."""
    with tempfile.TemporaryDirectory() as name:
        run(interpreter, "-m", "venv", name)
        python = Path(name) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        run(python, "-m", "pip", "install", "--quiet", wheel)
        run(python, "-I", "-c", snippets(), cwd=name)


if __name__ == "__main__":
    made = build()
    for minor, interpreter in interpreters().items():
        try_wheel(made, interpreter)
        print(f"{made.name}: Python {minor}, the README's snippets run")
    print(f"The archives are in {DIST.relative_to(ROOT)}")
