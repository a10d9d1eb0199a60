"""Links between a chapter's code and the description of a function, both ways.

sphinx-codeautolink makes each name in a chapter's code a link to the API page. What it found is
read here again, so that the API page names the chapters that use a function, and the two cannot
drift apart.
"""

from docutils import nodes
from sphinx import addnodes


def make_containers(app, doctree):
    """Make the untitled sections of sphinx-exercise containers: others expect a title."""
    for section in list(doctree.findall(nodes.section)):
        if not isinstance(section.next_node(), nodes.title):
            section.replace_self(nodes.container("", *section.children))


def name_targets(app, doctree):
    """Let a link go to any label of a page, as in ``play.md#tour-healthy``: MyST knows headings."""
    page = app.env.docname
    slugs = app.env.metadata[page].setdefault("myst_slugs", {})
    for label, (where, target) in app.env.get_domain("std").anonlabels.items():
        if where == page:
            slugs.setdefault(label, (0, target, ""))


def users(env, here):
    """Map the name of each documented object to the pages that use it, in the book's order."""
    listed = [page for pages in env.toctree_includes.values() for page in pages]
    order = {page: number for number, page in enumerate(listed, 1)}
    found = {}
    for page in sorted(env.sphinx_codeautolink_transforms, key=lambda page: order.get(page, 0)):
        for block in env.sphinx_codeautolink_transforms[page]:
            for name in block.names:
                if page != here:
                    found.setdefault(name.resolved_location, {})[page] = None
    return found


def name_users(app, doctree, here):
    """Write under each description of a function or class where the book uses it."""
    descriptions = list(doctree.findall(addnodes.desc))
    if not descriptions or app.builder.format != "html":
        return
    used = users(app.env, here)
    for description in descriptions:
        for name in description[0]["ids"]:
            if pages := used.get(name):
                _write(app, description, pages, here)


def _write(app, description, pages, here):
    line = nodes.paragraph("", "Used in ", classes=["used-in"])
    for page in pages:
        title = app.env.titles[page].astext()
        line += [nodes.Text(", ")] * (len(line) > 1)
        line += nodes.reference(
            "", title, internal=True, refuri=app.builder.get_relative_uri(here, page)
        )
    line += nodes.Text(".")
    content = description[-1]
    methods = [i for i, part in enumerate(content) if isinstance(part, addnodes.index)]
    content.insert(methods[0] if methods else len(content), line)


def setup(app):
    app.connect("doctree-read", make_containers, priority=100)
    app.connect("doctree-read", name_targets)
    app.connect("doctree-resolved", name_users)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
