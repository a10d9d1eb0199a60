"""Node for the arithmetic, and a small built book with its browser for the rest."""

import base64
import functools
import http.server
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "book"))
from builder import build
from play_support import ROOT, at_round, missing

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
CHAPTERS = ("federated-learning", "backdoor-attacks", "rfout-1d", "limits", "adaptive-attacks")
WIDGETS = "\n\n".join(
    f"```{{widget}} {name}\n:alt: A still picture.\n:name: fig-{name}\nA *caption*.\n```"
    for name in ("round", "replacement", "coordinate")
)


def _packed(value):
    if isinstance(value, np.ndarray):
        raw = np.ascontiguousarray(value, np.float32)
        return {
            "float32": base64.b64encode(raw.tobytes()).decode(),
            "rows": raw.ndim == 2 and len(raw),
        }
    if isinstance(value, dict):
        return {key: _packed(one) for key, one in value.items()}
    return [_packed(one) for one in value] if isinstance(value, (list, tuple)) else value


def _unpacked(value):
    if isinstance(value, dict) and "float32" in value:
        return np.frombuffer(base64.b64decode(value["float32"]), np.float32)
    if isinstance(value, dict):
        return {key: _unpacked(one) for key, one in value.items()}
    return [_unpacked(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="session")
def node():
    """Return a Node: the machine's, or else the one that playwright brings."""
    found = shutil.which("node")
    if found:
        return found
    from playwright._impl._driver import compute_driver_executable

    driver = compute_driver_executable()
    return str(driver[0] if isinstance(driver, tuple) else Path(driver).parent / "node")


@pytest.fixture(scope="session")
def script(node):
    """Return a function that calls exports of the page's modules, all in one process."""

    def run(calls):
        done = subprocess.run(
            [node, "--expose-gc", ROOT / "tests" / "play" / "calls.mjs"],
            input=json.dumps(_packed(calls)),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return _unpacked(json.loads(done.stdout))

    return run


def small(book, chapters):
    """Write a book with these chapters, name to text, and with what they refer to."""
    shutil.copytree(ROOT / "tools", book / "tools")
    shutil.copytree(ROOT / "book" / "_static", book / "book" / "_static")
    for name in ("_config.yml", "book/references.bib", "book/references.md", "book/glossary.md"):
        shutil.copy(ROOT / name, book / name)
    (book / "rfout").mkdir()
    (book / "book" / "intro.md").write_text("# Front\n\n{cite}`rodriguez2022rfout`\n")
    for name, text in chapters.items():
        (book / "book" / name).write_text(text)
    pages = "".join(f"- file: book/{Path(name).stem}\n" for name in chapters)
    (book / "_toc.yml").write_text(
        f"format: jb-book\nroot: book/intro\nchapters:\n{pages}"
        "- file: book/glossary\n- file: book/references\n"
    )
    return book


@pytest.fixture
def small_book(tmp_path):
    """Return a book with one chapter, to be written."""
    return small(tmp_path, {"rfout-1d.md": "# RFOut-1d\n"})


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Build the page and a chapter with the three widgets; give the address they are served at."""
    chapters = {"play.md": (ROOT / "book" / "play.md").read_text("utf-8")}
    for chapter in CHAPTERS:
        text = f"[A tour](#tour-takeover)\n\n{WIDGETS}" if chapter == "rfout-1d" else ""
        cell = {"cell_type": "markdown", "metadata": {}, "source": f"# {chapter}\n\n{text}"}
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
        chapters[f"{chapter}.ipynb"] = json.dumps(notebook)
    book = small(tmp_path_factory.mktemp("book"), chapters)
    code, output = build(book)
    assert code == 0, output

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=book / "_build" / "html")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/book/"
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        missing("no Chromium on this machine: install one to have the page tried")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, site):
    """Return a function that opens a page; afterwards it must not have complained of anything."""
    opened, complaints = [], []

    def guard(route):
        if not route.request.url.startswith(site.removesuffix("book/")):
            complaints.append(f"asks {route.request.url}")
        route.continue_()

    def listen(message):
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def visit(name, **options):
        context = browser.new_context(**options)
        context.route("**/*", guard)
        opened.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(site + name)
        return page

    yield visit
    for context in opened:
        context.close()
    assert complaints == []


@pytest.fixture
def play(visit):
    """Return a function that opens the page and waits for its first round."""

    def play(fragment="", **options):
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        page = visit(f"play.html{fragment}", **options)
        at_round(page, 1)
        return page

    return play
