"""The page of claims: what the chapters say of their runs, and in how many seeds it held.

As a Sphinx extension this module adds the directives `claims` and `numbers`: a table of every claim
of the book, and one of every measured number that the prose quotes. The values are those of the run
that made the pages; how often a claim held and how far a number spread is in the register.
"""

from pathlib import Path

import nbformat
from docutils import nodes
from measured import measured, register
from prose_numbers import quoted
from sphinx.addnodes import pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

HEADS = {
    "claims": ("Chapter", "Claim", "This run", "Held in", "Lowest to highest"),
    "numbers": ("Chapter", "Number", "This run", "Lowest to highest"),
}


def as_printed(value, spec):
    """Format a glued value as the page does."""
    return format(value, spec) if isinstance(value, float) else value


def executed_chapters(folder, order):
    """Give the name of each chapter and its notebook as the build executed it."""
    for docname in order:
        path = folder / f"{docname}.ipynb"
        if path.is_file():
            yield docname, nbformat.read(path, as_version=4)


def measured_in(notebook):
    """Give all that a notebook claims and records."""
    return [one for cell in notebook.cells for one in measured(cell.get("outputs", []))]


def spread(row, spec=".3g"):
    """Say from where to where a value went over the seeds."""
    if row is None:
        return "not replicated"
    low, high = (as_printed(float(row[end]), spec) for end in ("lowest", "highest"))
    return low if low == high else f"{low} to {high}"


def claim_rows(folder, order, known):
    """Give a row for each claim: chapter, sentence, value, held in, spread."""
    for docname, notebook in executed_chapters(folder, order):
        for one in measured_in(notebook):
            if one.kind == "claim":
                row = known.get((Path(docname).name, "claim", one.name))
                held = f"{row['held']} of {row['n_seeds']} seeds" if row else "not replicated"
                yield docname, one.name, as_printed(one.value, ".3g"), held, spread(row)


def number_rows(folder, order, known):
    """Give a row for each number as the prose quotes it: chapter, name, value, spread."""
    for docname, notebook in executed_chapters(folder, order):
        values = {one.name: one for one in measured_in(notebook) if one.kind != "claim"}
        for name, spec in dict.fromkeys((name, spec) for _, name, spec in quoted(notebook)):
            if name in values:
                row = known.get((Path(docname).name, "number", name))
                text = values[name].kind == "text"
                spec = spec or ".3g"
                yield (
                    docname,
                    name,
                    as_printed(values[name].value, spec),
                    "" if text else spread(row, spec),
                )


class TableNode(nodes.General, nodes.Element):
    """Where a table will stand, once every chapter has been executed."""


class Claims(SphinxDirective):
    """`{claims}` and `{numbers}`: the tables."""

    def run(self):
        return [TableNode(what=self.name)]


class FillTables(SphinxPostTransform):
    """Put the tables in their places: all chapters have been executed by now."""

    default_priority = 8  # before references are resolved

    def run(self, **kwargs):
        for node in list(self.document.findall(TableNode)):
            folder = Path(self.app.outdir).parent / "jupyter_execute"
            make = claim_rows if node["what"] == "claims" else number_rows
            rows = make(folder, sorted(self.env.found_docs), register())
            node.replace_self(self.table(HEADS[node["what"]], rows))

    def table(self, head, rows):
        columns = (nodes.colspec(colwidth=1) for _ in head)
        group = nodes.tgroup("", *columns, cols=len(head))
        group += nodes.thead("", self.row(*(nodes.Text(word) for word in head)))
        body = nodes.tbody()
        for docname, *cells in rows:
            link = pending_xref(
                "",
                nodes.inline(text=Path(docname).name),
                refdoc=self.env.docname,
                reftarget="/" + docname,
                reftype="doc",
                refdomain="std",
                refexplicit=True,
                refwarn=True,
            )
            body += self.row(link, *map(nodes.Text, cells))
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
    app.add_node(TableNode)
    for name in HEADS:
        app.add_directive(name, Claims)
    app.add_post_transform(FillTables)
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
