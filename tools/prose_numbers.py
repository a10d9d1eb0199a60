"""A lint that holds the numbers in a chapter's prose to the run.

A decimal or a percentage in the prose is measured, and then it is glued, or it is a definition, and
then the chapter's metadata says of what:

    definitions: {"0.2": "concentration of the Dirichlet partition"}

A notebook has that in its own metadata, a text chapter in its front matter. Whole numbers are free:
writing "20 clients" is a matter of style, and a count that was measured belongs in a claim.
"""

import re

import nbformat
from myst_nb.core.read import read_myst_markdown_notebook

GLUED = re.compile(r"\{glue:(?:text|)\}`([\w]+)(?::([^`]*))?`")
NUMBER = re.compile(r"(?<![\w.#-])[-−+]?\d+(?:,\d{3})*(?:(?:\.\d+)?\s?%|\.\d+)(?!\w|\.\d)")
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
