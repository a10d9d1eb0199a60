"""What each page says of itself: how long its code ran, how to cite it, of which versions it is.

A Sphinx extension named in _config.yml. The templates are in tools/templates; the theme's options
`article_footer_items` and `footer_content_items` name them.
"""

import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import origin

SHOWN = {
    "numpy": "NumPy",
    "tensorflow": "TensorFlow",
    "tensorflow-cpu": "TensorFlow",
    "flwr": "Flower",
    "jupyter-book": "Jupyter Book",
}
REFERENCES = "book/references"


def versions(environment_of=version):
    """Name what the pages were made with, as far as it is installed."""
    found = {"Python": platform.python_version()}
    for package, name in SHOWN.items():
        try:
            found.setdefault(name, environment_of(package))
        except PackageNotFoundError:
            continue
    return [f"{name} {number}" for name, number in found.items()]


def release(root):
    """Give the version of the book: that of its citation file."""
    file = root / "CITATION.cff"
    found = re.search(r"^version: (\S+)", file.read_text("utf-8") if file.is_file() else "", re.M)
    return found[1] if found else ""


def bibtex(title, config, *, pagename, number, commit, date):
    """Write the BibTeX entry of a page."""
    stem = Path(pagename).name
    edition = ", ".join(
        filter(None, [number and f"version {number}", commit and f"commit {commit}"])
    )
    fields = {
        "title": f"{{{title}}}",
        "author": f"{{{config.author}}}",
        "booktitle": config.project,
        "year": f"{date:%Y}",
        "note": f"{edition}, {date.day} {date:%B %Y}".lstrip(", "),
        "url": f"{config.html_baseurl}{pagename}.html" if config.html_baseurl else "",
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@incollection{{rfout-book-{stem},\n" + ",\n".join(lines) + "\n}"


def duration(seconds):
    """Say how long something took."""
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def add_facts(app, pagename, templatename, context, doctree):
    """Give the templates what they show."""
    context["facts_versions"] = app.facts["versions"]
    if doctree is None or REFERENCES not in app.env.found_docs:
        return
    ran = getattr(app.env, "nb_metadata", {}).get(pagename, {}).get("exec_data") or {}
    title = app.env.titles[pagename].astext()
    context["facts"] = {
        "seconds": duration(ran["runtime"]) if ran.get("runtime") else "",
        "paper": REFERENCES,
        "bibtex": bibtex(title, app.config, pagename=pagename, **app.facts["edition"]),
    }


def prepare(app, config):
    """Find out once what all pages share."""
    root = Path(app.srcdir)
    config.templates_path.append(str(Path(__file__).parent / "templates"))
    number, commit = release(root), origin.commit(root)
    this = " ".join(filter(None, ["rfout", number, commit and f"({commit})"]))
    edition = {"number": number, "commit": commit, "date": origin.date(root)}
    app.facts = {"edition": edition, "versions": [this, *versions()]}


def setup(app):
    app.connect("config-inited", prepare)
    app.connect("html-page-context", add_facts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
