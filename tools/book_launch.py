"""Buttons that open a chapter on somebody else's machine (an extension named in _config.yml).

They open the reader's edition of `edition.py`, which the workflow `pages` keeps on a branch of its
own. A book whose repository is not known to be on GitHub has no such buttons.
"""

from pathlib import Path
from urllib.parse import quote

import origin
from edition import BRANCH

PAGE = "book/launch"


def links(repository, chapter):
    """Map each service to the address that opens a chapter there."""
    where = f"{repository.owner}/{repository.name}"
    lab = quote(f"lab/tree/{chapter}.ipynb", safe="")
    return {
        "Colab": f"https://colab.research.google.com/github/{where}/blob/{BRANCH}/{chapter}.ipynb",
        "Binder": f"https://mybinder.org/v2/gh/{where}/{BRANCH}?urlpath={lab}",
        "Codespaces": f"https://codespaces.new/{where}/tree/{BRANCH}?quickstart=1",
    }


def add_buttons(app, pagename, templatename, context, doctree):
    """Add the buttons to a chapter's header, and mend what the theme says in its own."""
    buttons = context.get("header_buttons", [])
    for one in [*buttons, *(one for group in buttons for one in group.get("buttons", []))]:
        if one.get("icon", "").startswith("fab "):
            one["icon"] = "fas fa-code"  # the theme has a font of 118 kB for one sign
        if one.get("text") == ".ipynb":
            one["tooltip"] = "Download this chapter as a notebook"
    root = Path(app.srcdir)
    repository = origin.find_repository(root)
    chapter = root / f"{pagename}.ipynb"
    if not repository or repository.host != "github.com" or not chapter.is_file():
        return
    opened = [
        {"type": "link", "text": name, "url": url, "tooltip": f"Open this chapter in {name}"}
        for name, url in links(repository, chapter.stem).items()
    ]
    if PAGE in app.env.found_docs:
        here = {"type": "link", "text": "What runs where", "url": context["pathto"](PAGE)}
        opened.append(here | {"tooltip": "What each service needs, and which chapters fit"})
    group = {"type": "group", "label": "launch-buttons", "icon": "fas fa-rocket"}
    buttons.insert(0, group | {"tooltip": "Run this chapter online", "buttons": opened})


def setup(app):
    app.connect("html-page-context", add_buttons, priority=600)  # after the theme's own
    return {"parallel_read_safe": True, "parallel_write_safe": True}
