"""The book's measured numbers: a lint that holds prose to the run, and the page that lists them.

A number in a chapter's prose is measured, and then it is glued, or it is a definition, and then
the chapter's metadata says of what:

    definitions: {"20": "clients in the federation"}

A notebook has that in its own metadata, a text chapter in its front matter. As a Sphinx extension
this module adds the directive `claims`: a table of every glued number of the book.
"""

import re
from pathlib import Path

import nbformat
from docutils import nodes
from myst_nb.core.read import read_myst_markdown_notebook
from sphinx.addnodes import pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

RECORD = "application/papermill.record/"
GLUED = re.compile(r"\{glue:(?:text|)\}`([\w]+)(?::([^`]*))?`")
NUMBER = re.compile(r"(?<![\w.#-])[-−+]?\d+(?:[.,]\d+)*(?:\s?%)?")
# What is no prose: in this order, since a fence may hold anything.
NOT_PROSE = (
    r"^(?P<fence>`{3,}|~{3,}|:{3,}).*?^(?P=fence)",  # code and directives
    r"\$\$.*?\$\$",
    r"\$[^$\n]*\$",
    r"\{[\w:-]+\}`[^`]*`",  # roles: glue, cite, doc
    r"`[^`]*`",
    r"\]\([^)]*\)",  # where a link goes
    r"https?://\S+",
    r"^\s*\d+\.\s",  # an item of a list
    r"^\([\w-]+\)=\s*$",  # a label
)


def read_chapter(path):
    """Read a notebook, or a text chapter with its front matter as metadata."""
    if path.suffix == ".ipynb":
        return nbformat.read(path, as_version=4)
    return read_myst_markdown_notebook(path.read_text(encoding="utf-8"), path=str(path))


def prose(cell):
    """Give what a reader reads in words: text, captions and alternative texts."""
    if cell.cell_type == "code":
        mystnb = cell.metadata.get("mystnb", {})
        return "\n".join(
            [mystnb.get("image", {}).get("alt", ""), mystnb.get("figure", {}).get("caption", "")]
        )
    text = directive_text(cell.source)
    for pattern in NOT_PROSE:
        text = re.sub(pattern, " ", text, flags=re.MULTILINE | re.DOTALL)
    return text


def directive_text(source):
    """Open the boxes that hold prose, such as theorems and notes, so that it is read as well."""
    box = r"^(`{3,}|:{3,})\{(?:prf:\w+|note|tip|warning|admonition|dropdown|exercise|solution)\}"
    lines, closes = [], []
    for line in source.splitlines():
        if found := re.match(box, line):
            closes.append(found[1])
        elif closes and line.strip() == closes[-1]:
            closes.pop()
        elif not (closes and re.match(r":[\w-]+:", line)):
            lines.append(line)
    return "\n".join(lines)


def literals(notebook):
    """Give the (cell, number) pairs that stand in the prose as they are."""
    return [
        (index, re.sub(r"\s", "", number))
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type in ("code", "markdown")
        for number in NUMBER.findall(prose(cell))
    ]


def recorded(notebook):
    """Map each glued name to (cell, value as text)."""
    found = {}
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name:
                data = output["data"]
                found[name] = index, data.get("text/plain") or data.get(RECORD + "text/plain", "")
    return found


def quoted(notebook):
    """Give (cell, name, format) of every glued number in the prose."""
    return [
        (index, *found)
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
        for found in GLUED.findall(cell.source)
    ]


def check(notebook):
    """Name every number in the prose that is neither glued nor defined, and idle definitions."""
    defined = notebook.metadata.get("definitions", {})
    used = literals(notebook)
    found = [
        f"cell {index}: {number} is neither glued nor among the chapter's definitions"
        for index, number in used
        if number not in defined
    ]
    idle = set(defined) - {number for _, number in used}
    found += [f"the definition of {number} is used nowhere" for number in sorted(idle)]
    return found + [f"{number} is defined as nothing" for number in defined if not defined[number]]


class ClaimsNode(nodes.General, nodes.Element):
    """Where the table of claims will stand, once every chapter has been executed."""


class Claims(SphinxDirective):
    """`{claims}`: the table of every glued number."""

    def run(self):
        return [ClaimsNode()]


def as_printed(value, spec):
    """Format a glued value as the page does."""
    try:
        return format(float(value), spec)
    except ValueError:
        return value.strip("'")


def rows(executed, order):
    """Give (chapter, cell that measures, name, value as printed) for each claim of the book."""
    found = []
    for docname in order:
        path = executed / f"{docname}.ipynb"
        if not path.is_file():
            continue
        notebook = nbformat.read(path, as_version=4)
        values = recorded(notebook)
        numbers = {
            index: n
            for n, index in enumerate(
                (i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"), start=1
            )
        }
        for name, spec in dict.fromkeys((name, spec) for _, name, spec in quoted(notebook)):
            if name in values:
                index, value = values[name]
                found.append((docname, numbers[index], name, as_printed(value, spec)))
    return found


class ClaimsTable(SphinxPostTransform):
    """Put the table in its place: all chapters have been executed by now."""

    default_priority = 8  # before references are resolved

    def run(self, **kwargs):
        for node in list(self.document.findall(ClaimsNode)):
            executed = Path(self.app.outdir).parent / "jupyter_execute"
            node.replace_self(self.table(rows(executed, sorted(self.env.found_docs))))

    def table(self, claims):
        group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in range(4)), cols=4)
        head = ["Chapter", "Code cell", "Claim", "Value"]
        group += nodes.thead("", self.row(*(nodes.Text(word) for word in head)))
        body = nodes.tbody()
        for docname, cell, name, value in claims:
            link = pending_xref(
                "", nodes.inline(text=Path(docname).name), refdoc=self.env.docname,
                reftarget="/" + docname, reftype="doc", refdomain="std", refexplicit=True,
                refwarn=True,
            )  # fmt: skip
            body += self.row(
                link, nodes.Text(str(cell)), nodes.literal(text=name), nodes.Text(value)
            )
        group += body
        return nodes.table("", group, classes=["colwidths-auto"])

    @staticmethod
    def row(*cells):
        return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", one)) for one in cells))


def outdated(app, env, added, changed, removed):
    """Make the page again when any chapter is."""
    pages = [name for name in env.found_docs if name.endswith("/claims")]
    return pages if added or changed or removed else []


def setup(app):
    app.add_node(ClaimsNode)
    app.add_directive("claims", Claims)
    app.add_post_transform(ClaimsTable)
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
