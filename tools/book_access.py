"""Repair what the theme and the extensions leave inaccessible (an extension named in _config.yml).

The pages are read as HTML after the build: most of this is made by other people's templates, and a
template of our own would have to follow theirs. `REPAIRS` names whose each repair is.
"""

from pathlib import Path

import imagesize
from bs4 import BeautifulSoup

EAGER = 1  # pictures of a page that load at once; the others wait until a reader is near


def name_folded_cells(page):
    """myst-nb: a fold's name is what it shows, not "Toggle hidden content"."""
    for summary in page.select("summary[aria-label]"):
        del summary["aria-label"]


def name_search_button(page):
    """pydata-sphinx-theme: the button shows "Search" and a shortcut; its label hid the latter."""
    for button in page.select("button.search-button-field[aria-label]"):
        del button["aria-label"]


def mark_sidebar(page):
    """pydata-sphinx-theme: the logo and the search field stood outside all landmarks."""
    for sidebar in page.select("#pst-primary-sidebar"):
        sidebar["role"], sidebar["aria-label"] = "complementary", "The book"


def plain_references(page):
    """docutils: `doc-biblioentry` is deprecated, and a `list` may hold nothing but its items."""
    for entry in page.select("[role=doc-biblioentry], [role=doc-footnote], div[role=list]"):
        del entry["role"]


def scope_headers(page):
    """pandas, docutils: a corner without text is no header, and a header says of what it is one."""
    for cell in page.select("article th"):
        if not cell.get_text(strip=True) and not cell.find("img"):
            cell.name = "td"
        elif not cell.get("scope"):
            cell["scope"] = "col" if cell.find_parent("thead") else "row"


def one_title(page):
    """Sphinx: the front page's title named the book twice; every page set its viewport thrice."""
    if page.title and page.title.string:
        first, _, book = page.title.string.partition(" — ")
        page.title.string = book if first == book else page.title.string
    for again in page.select("meta[name=viewport]")[1:]:
        again.decompose()


REPAIRS = [
    name_folded_cells,
    name_search_button,
    mark_sidebar,
    plain_references,
    scope_headers,
    one_title,
]


def size_images(page, folder):
    """Give pictures their place before they load, and load those far down the page late."""
    for number, image in enumerate(page.select("article img[src]")):
        file = folder / image["src"].split("?")[0]
        width, height = imagesize.get(file) if file.is_file() else (-1, -1)
        if (
            min(width, height) > 0
            and not image.get("width")
            and "width" not in image.get("style", "")
        ):
            image["width"], image["height"] = round(width), round(height)
        if number >= EAGER:
            image["loading"] = "lazy"
        image["decoding"] = "async"


def repair(path):
    """Repair a page in its place."""
    page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
    for step in REPAIRS:
        step(page)
    size_images(page, path.parent)
    path.write_text(str(page), encoding="utf-8")


def repair_all(app, exception):
    """Repair every page."""
    if exception or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        if "_static" not in path.parts:
            repair(path)


def setup(app):
    app.connect("build-finished", repair_all, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
