"""What the pages need to be found online (a Sphinx extension named in _config.yml).

Each page says its description and its address, a card image stands for the book in link previews,
a sitemap lists the pages, and an address that leads nowhere gets a page with a search. Where the
book is online comes from `origin`; what needs an address is left out without one.
"""

import html
import re
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import origin
from docutils import nodes

CARD = "_static/card.png"
HEADLINE = "book/_static/headline.png"
NOT_FOUND = """<h1>Page not found</h1>
<p>No page of this book has this address. It may have been renamed, or the link to it is wrong.</p>
<form action="{search}" method="get" role="search">
<p><label for="sought">Search the book</label>
<input class="form-control" id="sought" name="q" type="search"></p>
<p><button class="btn btn-primary" type="submit">Search</button></p>
</form>
<p>Or start at <a href="{front}">the front page</a>.</p>
"""


def say_where(app, config):
    """Set what the theme and the extensions want to know of repository and address."""
    root = Path(app.srcdir)
    repository = origin.find_repository(root)
    address = origin.find_address(repository)
    if repository:
        config.html_theme_options |= {
            "repository_url": repository.url,
            "repository_branch": repository.branch,
            "use_edit_page_button": True,
            "use_repository_button": True,
        }
    config.project = config.html_title or config.project
    config.html_baseurl = config.ogp_site_url = address
    config.ogp_social_cards = {"enable": False}
    if address and (root / HEADLINE).is_file():
        config.ogp_image = CARD
        config.ogp_image_alt = (
            "Backdoor accuracy by round: high under the mean, low under RFOut-1d."
        )
    config.notfound_urls_prefix = f"/{address.split('/', 3)[3]}" if address else "/"
    prefix = config.notfound_urls_prefix
    body = NOT_FOUND.format(search=f"{prefix}search.html", front=f"{prefix}index.html")
    config.notfound_context = {"title": "Page not found", "body": body}


def describe(doctree, longest=200):
    """Say in a sentence or two what a page is about: its first paragraph, from whole sentences.

    A chapter begins with what its reader does; the word "Do." before it is left out.
    """
    for paragraph in doctree.findall(nodes.paragraph):
        text = re.sub(r"^Do\.\s+", "", " ".join(paragraph.astext().split()))
        if len(text) < 40:
            continue
        if len(text) <= longest:
            return text
        whole = text[:longest].rpartition(". ")[0]
        return f"{whole}." if whole else f"{text[: longest - 1].rpartition(' ')[0]}…"
    return ""


def add_description(app, pagename, templatename, context, doctree):
    """Give a page its description, if it has not said one itself."""
    text = describe(doctree) if doctree else ""
    if text and 'name="description"' not in context.get("metatags", ""):
        text = html.escape(text)
        tag = f'<meta name="description" content="{text}" />\n'
        context["metatags"] = context.get("metatags", "") + tag
        context["meta"] = {**(context.get("meta") or {}), "og:description": text}


def finish_tags(app, pagename, templatename, context, doctree):
    """Repair the tags of link previews, which take an address for granted."""
    tags = context.get("metatags", "")
    if not app.config.html_baseurl:
        tags = re.sub(r'<meta property="og:(url|image[^"]*)"[^>]*>\n?', "", tags)
    elif app.config.ogp_image and doctree:
        tags += '<meta name="twitter:card" content="summary_large_image" />\n'
    if pagename == app.config.notfound_pagename:
        tags += '<meta name="robots" content="noindex" />\n'
        context["pageurl"] = None  # it stands at every address that leads nowhere
    context["metatags"] = tags


def draw_card(app, exception):
    """Draw the image of link previews: the headline figure under the book's title."""
    if exception or not app.config.ogp_image or app.builder.format != "html":
        return
    from matplotlib.figure import Figure
    from matplotlib.image import imread

    card = Figure(figsize=(12, 6.3), dpi=100, facecolor="white")  # 1200 by 630, as previews have it
    card.text(0.05, 0.88, app.config.project, fontsize=40, weight="bold")
    axes = card.add_axes((0.04, 0.04, 0.92, 0.78))
    axes.imshow(imread(Path(app.srcdir) / HEADLINE), interpolation="lanczos")
    axes.axis("off")
    card.savefig(Path(app.outdir) / CARD)


def write_sitemap(app, exception):
    """List the pages for search engines; their addresses are whole, so without one there is none.

    sphinx-sitemap does the same with a process of its own beside each build.
    """
    address = app.config.html_baseurl
    if exception or not address or app.builder.format != "html":
        return
    listed = ElementTree.Element("urlset", xmlns="http://www.sitemaps.org/schemas/sitemap/0.9")
    for page in sorted(app.env.found_docs):
        place = ElementTree.SubElement(ElementTree.SubElement(listed, "url"), "loc")
        place.text = f"{address}{quote(page)}.html"
    tree = ElementTree.ElementTree(listed)
    tree.write(Path(app.outdir) / "sitemap.xml", encoding="utf-8", xml_declaration=True)


def setup(app):
    for name in ("sphinxext.opengraph", "notfound.extension", "sphinx_reredirects"):
        app.setup_extension(name)
    app.connect("config-inited", say_where, priority=100)
    app.connect("html-page-context", add_description, priority=400)  # 500: the tags themselves
    app.connect("html-page-context", finish_tags, priority=900)
    app.connect("build-finished", draw_card)
    app.connect("build-finished", write_sitemap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
