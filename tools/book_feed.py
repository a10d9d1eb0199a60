"""A feed of the book's changes, made from CHANGELOG.md (an extension named in _config.yml).

An entry for each released version of a changelog in the form of keepachangelog.com. Without such a
file, or without an address, which a feed cannot do without, there is no feed.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

from markdown_it import MarkdownIt

FEED = "changes.xml"
ATOM = "http://www.w3.org/2005/Atom"
RELEASE = re.compile(
    r"^## \[?(?P<version>[^]\s]+)\]?(?:\([^)]*\))? - (?P<date>\d{4}-\d\d-\d\d)\s*$"
)


def releases(changelog):
    """Give version, date and text of each released version, in the order of the file."""
    parts = re.split(r"^(?=## )", changelog, flags=re.MULTILINE)[1:]
    for part in parts:
        head, _, body = part.partition("\n")
        if found := RELEASE.match(head):
            body = re.sub(r"^\[[^]]+\]: \S+\s*$", "", body, flags=re.MULTILINE)
            yield found["version"], found["date"], body.strip()


def feed(changelog, *, title, author, address):
    """Write the feed (Atom); None if nothing has been released."""
    entries = list(releases(changelog))
    if not entries:
        return None
    ElementTree.register_namespace("", ATOM)
    root = ElementTree.Element(f"{{{ATOM}}}feed")

    def add(parent, name, text=None, **attributes):
        element = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
        element.text = text
        return element

    add(root, "title", f"{title}: changes")
    add(root, "id", address)
    add(root, "link", href=address)
    add(root, "link", href=f"{address}{FEED}", rel="self")
    add(root, "updated", max(date for _, date, _ in entries) + "T00:00:00Z")
    add(add(root, "author"), "name", author)
    for version, date, body in entries:
        entry = add(root, "entry")
        add(entry, "title", f"{title} {version}")
        add(entry, "id", f"{address}#{version}")
        add(entry, "link", href=address)
        add(entry, "updated", f"{date}T00:00:00Z")
        add(entry, "content", MarkdownIt().render(body), type="html")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def make_feed(app):
    """Read the changelog once, before the pages that link to the feed are written."""
    changelog = Path(app.srcdir) / "CHANGELOG.md"
    app.feed = None
    if app.builder.format == "html" and app.config.html_baseurl and changelog.is_file():
        app.feed = feed(
            changelog.read_text("utf-8"),
            title=app.config.project,
            author=app.config.author,
            address=app.config.html_baseurl,
        )


def link_feed(app, pagename, templatename, context, doctree):
    """Tell every page's readers, and their programs, of the feed."""
    if app.feed:
        context["feed"] = FEED
        context["metatags"] = context.get("metatags", "") + (
            f'<link rel="alternate" type="application/atom+xml" title="Changes" '
            f'href="{app.config.html_baseurl}{FEED}" />\n'
        )


def write_feed(app, exception):
    """Write the feed beside the pages."""
    if app.feed and not exception:
        (Path(app.outdir) / FEED).write_text(app.feed, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", make_feed)
    app.connect("html-page-context", link_feed)
    app.connect("build-finished", write_feed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
