"""Executed chapters and where they are kept: the build and the tests run each chapter once.

jupyter-cache looks at a notebook alone, so that a chapter would keep the outputs of an older
package. With a folder for each state of what is outside the notebooks nothing has to be deleted,
and going back costs nothing.
"""

import hashlib
import importlib.util
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import nbformat
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from traitlets.config import Config

# TensorFlow reads these when it is imported; its log lines are no part of a chapter.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar differs in every run
os.environ.setdefault("RFOUT_STRICT", "1")  # a claim that fails is an error

AT_ONCE = 2  # a chapter is made for two cores, and a kernel with TensorFlow takes up to 1.5 GB
# A kernel that talks to its client in the clear prints a warning, for each chapter.
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})


def execution_key(root: Path, but: str = "") -> str:
    """Name everything outside a notebook that its outputs depend on, but files called `but`*."""
    digest = hashlib.sha256()
    sources = [
        "rfout/**/*.py",
        "benchmarks/*.py",
        "benchmarks/results/*",
        "book/results/**/*",
        "requirements.lock",
    ]
    for path in (path for pattern in sources for path in sorted(root.glob(pattern))):
        if path.is_file() and not (but and path.name.startswith(but)):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    chosen = [os.environ.get(name, "") for name in ("RFOUT_DATASET", "RFOUT_SEED")]
    # Sherpa.ai's framework where it is installed, else its stand-in: the chapter says which.
    shfl = os.environ.get("SHFL_PATH") or importlib.util.find_spec("shfl") is not None
    digest.update(f"{chosen} {shfl} {sys.version_info[:2]}".encode())
    return digest.hexdigest()[:16]


def cache_folder(root: Path) -> Path:
    """Return the folder of what was executed in the present state of the repository."""
    return root / "_build" / ".jupyter_cache" / execution_key(root)


@contextmanager
def shared_rounds():
    """Let the chapters executed meanwhile find the rounds that another one of them has run.

    A new folder each time, and none that stays: what is executed later runs them again.
    """
    if os.environ.get("RFOUT_ROUNDS"):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="rfout-rounds-") as folder:
        os.environ["RFOUT_ROUNDS"] = folder
        try:
            yield
        finally:
            del os.environ["RFOUT_ROUNDS"]


def chapter_is_over(path: Path) -> None:
    """Note that nbval has nothing more to run of a chapter, whatever came of it."""
    _note_of(path).touch()


def wait_for_chapters(paths: Iterable[Path], seconds: float) -> None:
    """Wait until nbval, in another process, is done with these; a late one is executed again."""
    end = time.monotonic() + seconds
    while not all(_note_of(path).exists() for path in paths) and time.monotonic() < end:
        time.sleep(0.5)


def _note_of(path: Path) -> Path:
    return Path(os.environ["RFOUT_ROUNDS"]) / f"{path.stem}.over"


def keep(folder: Path, path: Path, notebook, seconds: float) -> None:
    """Keep an executed notebook, for the build to find."""
    cache = get_cache(folder)
    if not known(cache, notebook):  # the build may be reading what is there
        bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": seconds})
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def chapters(root: Path):
    """Give path and content of every page with code: notebooks, and Markdown that is one."""
    for path in sorted((root / "book").glob("*.ipynb")):
        yield path, nbformat.read(path, as_version=4)
    for path in sorted((root / "book").glob("*.md")):
        text = path.read_text("utf-8")
        if is_myst_markdown_notebook(text):
            yield path, read_myst_markdown_notebook(text, path=path)


def known(cache, notebook) -> bool:
    """Tell whether these cells were executed before."""
    try:
        return cache.match_cache_notebook(notebook) is not None
    except KeyError:
        return False


def reason(trace: str) -> str:
    """Give the line of an IPython traceback that says what went wrong."""
    text = re.sub(r"\x1b\[[\d;]*m", "", trace)
    names = re.findall(r"^(\w+)\s+Traceback \(most recent call last\)", text, re.MULTILINE)
    lines = [line.strip() for line in text.splitlines() if re.search(r"\w", line)]
    said = [line for line in lines if names and line.startswith(f"{names[-1]}:")]
    return (said or lines or ["no reason was given"])[-1][:300]


def execute_missing(root: Path) -> None:
    """Execute what is not in the cache, two chapters at a time.

    A chapter that fails is not kept: the build, which executes what is missing, comes upon the
    same failure and reports it in its place.
    """
    folder = cache_folder(root)
    cache = get_cache(folder)
    missing = [(path, made) for path, made in chapters(root) if not known(cache, made)]
    timeout = yaml.safe_load((root / "_config.yml").read_text("utf-8"))["execute"]["timeout"]
    with shared_rounds(), ThreadPoolExecutor(AT_ONCE) as pool:
        running = {
            pool.submit(
                single_nb_execution,
                notebook,
                cwd=path.parent,
                timeout=timeout,
                allow_errors=False,
                config=ENCRYPTED,
            ): path
            for path, notebook in missing
        }
        try:
            for count, done in enumerate(as_completed(running), 1):
                where = f"[{count}/{len(missing)}] {running[done].relative_to(root)}"
                if error := done.exception():  # as of a kernel that was killed
                    print(f"{where}: failed: {type(error).__name__}: {error}", flush=True)
                    continue
                result = done.result()
                if result.err:
                    took = f"failed after {result.time:.0f} s: {reason(result.exc_string or '')}"
                else:
                    took = f"executed in {result.time:.0f} s"
                    keep(folder, running[done], result.nb, result.time)
                print(f"{where}: {took}", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # Ctrl-C waits for two, not for all
            raise
