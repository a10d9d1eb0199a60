"""Built pages are found, launched, cited and repaired, wherever the book comes from."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from bs4 import BeautifulSoup
from builder import build
from nbformat.v4 import new_markdown_cell, new_notebook

sys.path.append(str(Path(__file__).parents[2] / "tools"))
import book_access
import book_feed
import lean_css

NOWHERE = {"GITHUB_REPOSITORY": "", "BOOK_ADDRESS": ""}
FORK = NOWHERE | {"GITHUB_REPOSITORY": "someone/their-fork", "GITHUB_REF_NAME": "main"}
HOME = "https://someone.github.io/their-fork/"
CHANGES = """# Changelog
## [Unreleased]
- Not yet.
## [1.1.0] - 2026-03-02
- A *chapter*.
## [1.0.0] - 2026-01-02
- First.
"""
OPENING = (
    "# Chapter\n\n**Do.** Try a federation & look at it, at some length. Then stop.\n\n"
    "See [there](intro.md#somewhere).\n\n## Part\n"
)
TABLE = "| | a |\n|---|---|\n| b | 1 |\n\n![A picture](_static/headline.png)\n\n" * 2


@pytest.fixture(scope="module")
def book(root, tmp_path_factory):
    """Make a small book with this book's settings, a chapter and the page on launching."""
    book = tmp_path_factory.mktemp("online")
    copied = ("_config.yml", "CITATION.cff", "book/references.bib", "book/references.md")
    copied += tuple(
        f"book/_static/{one}" for one in ("favicon.svg", "headline.png", "book.css", "book.js")
    )
    shutil.copytree(root / "tools", book / "tools")
    for name in copied:
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, book / name)
    (book / "CHANGELOG.md").write_text(CHANGES)
    (book / "rfout").mkdir()
    (book / "rfout" / "__init__.py").write_text("")
    (book / "book" / "intro.md").write_text(
        "# Front\n\n(somewhere)=\n\n{cite}`rodriguez2022rfout`\n"
    )
    (book / "book" / "launch.md").write_text("# Run a chapter online\n")
    chapter = new_notebook(cells=[new_markdown_cell(OPENING + TABLE)])
    chapter.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(chapter, book / "book" / "chapter.ipynb")
    pages = "".join(f"- file: book/{name}\n" for name in ("chapter", "launch", "references"))
    (book / "_toc.yml").write_text(f"format: jb-book\nroot: book/intro\nchapters:\n{pages}")
    config = (book / "_config.yml").read_text()
    assert "redirects: {}" in config
    renamed = "redirects: {book/old-name: chapter.html}"
    (book / "_config.yml").write_text(config.replace("redirects: {}", renamed))
    return book


def read(folder, name):
    return BeautifulSoup((folder / name).read_text("utf-8"), "html.parser")


@pytest.fixture(scope="module")
def fork(book):
    """Build it as the workflow of a fork does; gives the folder of the pages."""
    code, output = build(book, **FORK)
    assert code == 0, output
    return Path(shutil.copytree(book / "_build" / "html", book / "fork"))


@pytest.fixture(scope="module")
def chapter(fork):
    return read(fork, "book/chapter.html")


def meta(page, name):
    found = page.find("meta", attrs={"name": name}) or page.find("meta", property=name)
    return found and found["content"]


def test_a_page_is_found(chapter, fork):
    about = "Try a federation & look at it, at some length. Then stop."
    assert meta(chapter, "description") == meta(chapter, "og:description") == about
    assert chapter.find("link", rel="canonical")["href"] == f"{HOME}book/chapter.html"
    assert meta(chapter, "og:url") == f"{HOME}book/chapter.html"
    assert meta(chapter, "twitter:card") == "summary_large_image"
    card = fork / meta(chapter, "og:image").removeprefix(HOME)
    assert card.read_bytes()[1:4] == b"PNG"
    assert card.stat().st_size < 300_000


def test_a_link_goes_to_a_label_of_another_page(chapter, fork):
    (link,) = (one for one in chapter.select("article a") if one.text == "there")
    page, _, target = link["href"].partition("#")
    assert page == "intro.html"
    assert read(fork, "book/intro.html").find(id=target)


def test_the_sitemap_has_each_page_and_no_other(fork):
    places = ElementTree.parse(fork / "sitemap.xml").iterfind("{*}url/{*}loc")
    listed = {place.text.removeprefix(f"{HOME}book/") for place in places}
    assert {"intro.html", "chapter.html", "launch.html", "references.html"} <= listed
    assert not [one for one in listed if re.search("404|search|genindex", one)]


def test_a_lost_address_leads_back_and_a_renamed_page_on(fork):
    lost = read(fork, "404.html")
    assert lost.select_one("article form")["action"] == "/their-fork/search.html"
    assert meta(lost, "robots") == "noindex"
    links = [one["href"] for one in lost.select("link[rel=stylesheet]")]
    assert all(one.startswith("/their-fork/") for one in links)
    assert "chapter.html" in (fork / "book" / "old-name.html").read_text("utf-8")


def test_a_chapter_opens_elsewhere_and_is_edited_in_the_fork(chapter):
    links = {
        one["href"] for one in chapter.select(".header-article a[href], .bd-header-article a[href]")
    }
    links = {one for one in links if one.startswith("http")}
    assert links == {
        "https://colab.research.google.com/github/someone/their-fork/blob/notebooks/chapter.ipynb",
        "https://mybinder.org/v2/gh/someone/their-fork/notebooks?urlpath=lab%2Ftree%2Fchapter.ipynb",
        "https://codespaces.new/someone/their-fork/tree/notebooks?quickstart=1",
        "https://github.com/someone/their-fork",
        "https://github.com/someone/their-fork/edit/main/book/chapter.ipynb",
    }


def test_a_page_says_how_to_cite_it_and_of_what_it_was_made(chapter):
    cited = chapter.select_one(".page-facts pre").get_text()
    assert re.search(r"title = \{\{Chapter\}\}[^}]+\{The RFOut book authors\}", cited)
    assert f"url = {{{HOME}book/chapter.html}}" in cited
    made = chapter.select_one(".versions").get_text()
    assert re.search(r"Python 3\.\d+\.\d+ · NumPy \d", " ".join(made.split()))


def test_changes_are_a_feed(fork, chapter):
    feed = ElementTree.parse(fork / "changes.xml").getroot()
    assert [one.text[-5:] for one in feed.iterfind("{*}entry/{*}title")] == ["1.1.0", "1.0.0"]
    assert "<em>chapter</em>" in feed.find("{*}entry/{*}content").text
    assert chapter.select_one("link[type='application/atom+xml']")["href"] == f"{HOME}changes.xml"
    unreleased = "## [Unreleased]\n- Not yet.\n"
    assert book_feed.feed(unreleased, title="", author="", address=HOME) is None


def test_what_the_theme_leaves_is_repaired(chapter):
    heads = chapter.select("article table")[0].select("th")
    assert [(one.get_text(), one["scope"]) for one in heads] == [("a", "col")]
    first, second = chapter.select("article img[alt='A picture']")
    assert int(first["width"]) > 0 < int(first["height"])
    assert (first.get("loading"), second["loading"]) == (None, "lazy")
    assert len(chapter.select("meta[name=viewport]")) == 1
    assert chapter.html["lang"] == "en"


def clone_of(book, tmp_path, remote):
    """Copy the small book and make the copy a clone, or none."""
    skipped = shutil.ignore_patterns("_build", "fork")
    folder = shutil.copytree(book, tmp_path / "clone", ignore=skipped)
    if remote:
        subprocess.run(["git", "init", "--quiet", folder], check=True)
        subprocess.run(["git", "-C", folder, "remote", "add", "origin", remote], check=True)
    return folder


def test_a_clone_has_the_buttons_of_its_remote(book, tmp_path):
    folder = clone_of(book, tmp_path, "git@github.com:other/book.git")
    code, output = build(folder, **NOWHERE)
    assert code == 0, output
    page = read(folder / "_build" / "html", "book/chapter.html")
    assert page.find("link", rel="canonical")["href"].startswith("https://other.github.io/book/")
    assert page.find("a", href="https://github.com/other/book")


def test_without_either_there_is_no_button_and_no_warning(book, tmp_path):
    folder = clone_of(book, tmp_path, None)
    code, output = build(folder, **NOWHERE)
    assert code == 0, output
    assert "WARNING" not in output
    page = read(folder / "_build" / "html", "book/chapter.html")
    assert meta(page, "description")
    elsewhere = [one for one in page.select("a[href^=http]") if "/doi.org/" not in one["href"]]
    own = [one for one in elsewhere if re.search("github|gitlab|colab|binder", one["href"])]
    assert own == []
    assert not page.find("link", rel="canonical")
    assert not meta(page, "og:url")
    assert not (folder / "_build" / "html" / "sitemap.xml").exists()


def test_a_style_sheet_keeps_what_pages_can_use():
    css = ".a .b,.x{top:0}p:not(.x){top:1px}@media print{.x{top:0}.a{top:2px}}"
    kept = lean_css.lean(f"{css}@media screen{{.x{{top:0}}}}", {"a", "b"})
    assert kept == ".a .b{top:0}p:not(.x){top:1px}@media print{.a{top:2px}}"


def test_a_page_that_was_repaired_stays_as_it_is(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<article><table><thead><tr><th></th><th>a</th></tr></thead></table></article>")
    book_access.repair(page)
    once = page.read_text()
    book_access.repair(page)
    assert page.read_text() == once
