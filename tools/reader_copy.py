"""Chapters for readers: plain notebooks that read whole in JupyterLab, VS Code and Colab.

A chapter's source is written in MyST, which only Sphinx renders. `convert` makes a plain copy of an
executed chapter: measured numbers filled in, citations as "Author (year)", theorems and boxes as
quotations, exercises as headings, answers folded away. The build writes the copies to `notebooks/`,
which `make lab` opens, and puts them behind the pages' download buttons. They are made, never
edited.
"""

import hashlib
import html
import json
import re
from copy import deepcopy
from functools import cache
from urllib.parse import urljoin

import nbformat
from executed import cache_folder
from jupyter_cache import get_cache
from measured import measured
from nbformat.v4 import new_markdown_cell
from pybtex.database import parse_file

BOXES = {"note": "Note", "tip": "Tip", "warning": "Warning", "important": "Important"}
HIDDEN = {"remove-cell": (True, True), "hide-cell": (True, False), "hide-input": (True, False)}
HIDDEN |= {"remove-input": (True, False), "solution": (True, True)}
SHOWN = {"text", "text/plain", "text/html", "image/png", "image/svg+xml"}
FENCE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{(?P<name>[\w:-]+)\}[ \t]*(?P<title>[^\n]*)\n"
    r"(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
ROLE = re.compile(r"\{(?P<name>[\w:-]+)\}`(?P<text>[^`]*)`")


@cache
def references(path):
    """Map each key of the bibliography to (authors, year)."""
    found = {}
    for key, entry in parse_file(str(path)).entries.items():
        people = [" ".join(one.prelast_names + one.last_names) for one in entry.persons["author"]]
        authors = people[0] if len(people) == 1 else " and ".join(people)
        if len(people) > 2:
            authors = f"{people[0]} et al."
        found[key] = authors.replace("{", "").replace("}", ""), entry.fields["year"]
    return found


class Plain:
    """Plain Markdown of one chapter's MyST.

    Parameters: what the chapter recorded (name to value), the bibliography, titles of labels, and
    the address of its page, if it is online.
    """

    def __init__(self, values, cited, titles, address=""):
        self.values, self.cited, self.titles, self.address = values, cited, titles, address

    def text(self, source):
        """Convert the text of a cell."""
        source = re.sub(r"^\([\w-]+\)=\s*\n", "", source, flags=re.MULTILINE)
        source = FENCE.sub(self.directive, source)
        source = ROLE.sub(self.role, source)
        return re.sub(r"\[([^\]]*)\]\(([\w./-]+\.(?:ipynb|md))(#[\w-]+)?\)", self.link, source)

    def directive(self, found):
        """Convert a fence with a name; code stays as it is."""
        name, title, body = found["name"], found["title"].strip(), found["body"]
        options = dict(re.findall(r"^:([\w-]+):[ \t]*(.*)$", body, flags=re.MULTILINE))
        body = self.text(re.sub(r"^:[\w-]+:.*\n", "", body, flags=re.MULTILINE)).strip()
        if name.startswith("prf:"):
            kind = name.removeprefix("prf:").capitalize()
            head = f"*{kind}.*" if kind == "Proof" else f"**{kind}: {title}.**"
            return quote(f"{head} {body}")
        if name == "dropdown":
            return f"<details><summary>{html.escape(title)}</summary>\n\n{body}\n\n</details>"
        if name == "exercise-start":
            return f"### Exercise: {title}"
        if name == "solution-start":
            return "#### A solution (open the cells below)"
        if name in ("exercise-end", "solution-end"):
            return ""
        if name == "widget":
            place = "this chapter's page of the book, which `make serve` shows"
            place = f"[this chapter's page]({self.address})" if self.address else place
            return quote(f"**A moving picture is on {place}.** {body}\n\n{options.get('alt', '')}")
        if name == "admonition" or name in BOXES:
            return quote(f"**{title or BOXES[name]}**\n\n{body}")
        raise ValueError(f"the reader's copy knows no directive {{{name}}}")

    def role(self, found):
        """Convert a role to words."""
        name, text = found["name"], found["text"]
        target = re.fullmatch(r"(.*?)\s*<(.*)>", text, re.DOTALL)
        shown, key = (target[1], target[2]) if target else (text, text)
        if name.startswith("glue"):
            name, _, spec = text.partition(":")
            value = self.values[name]
            return format(value, spec) if isinstance(value, float) else value
        if name in ("cite", "cite:p"):
            return f"({'; '.join(', '.join(self.cited[one.strip()]) for one in text.split(','))})"
        if name == "cite:t":
            return "; ".join("{} ({})".format(*self.cited[one.strip()]) for one in text.split(","))
        if name == "term":
            return shown
        if name in ("numref", "ref", "prf:ref"):
            return shown if target else f"“{self.titles.get(key, key)}”"
        if name.startswith("py:"):
            return f"`{shown.lstrip('~').rpartition('.')[2] if text.startswith('~') else shown}`"
        raise ValueError(f"the reader's copy knows no role {{{name}}}")

    def link(self, found):
        """Link chapters to their copies, and pages to the built book where it is known."""
        text, target, part = found[1], found[2], found[3] or ""
        if not text:
            raise ValueError(f"the link to {target} has no text: outside the pages it is empty")
        if target.endswith(".ipynb"):
            return f"[{text}]({target})"
        page = target.removesuffix(".md") + ".html"
        if self.address:
            return f"[{text}]({urljoin(self.address, page)}{part})"
        return f"{text} (page *{target.removesuffix('.md')}* of the book, which `make serve` shows)"


def quote(text):
    """Make a block quotation."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def titles_of(notebook):
    """Map the labels of a chapter's figures and theorems to their titles."""
    found = {}
    for cell in notebook.cells:
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        if figure:
            found[figure["name"]] = figure["caption"].split(". ")[0].rstrip(".")
        for match in FENCE.finditer(cell.source if cell.cell_type == "markdown" else ""):
            if label := re.search(r"^:label:\s*(\S+)", match["body"], re.MULTILINE):
                found[label[1]] = match["title"].strip()
        pattern = r"^\(([\w-]+)\)=\s*\n+#+ (.*)$"
        if cell.cell_type == "markdown":
            found |= dict(re.findall(pattern, cell.source, re.MULTILINE))
    return found


def convert(notebook, bibliography, *, address=""):
    """Make the reader's copy of an executed chapter.

    Parameters: the executed notebook, the path of the BibTeX file, and the address of the chapter's
    page, if the book is online. Returns a notebook.

    Raises ValueError where something has no plain form, such as an empty link.
    """
    outputs = [cell.get("outputs", []) for cell in notebook.cells]
    values = {one.name: one.value for own in outputs for one in measured(own)}
    plain = Plain(values, references(bibliography), titles_of(notebook), address)
    copy = nbformat.v4.new_notebook(metadata=deepcopy(notebook.metadata))
    copy.metadata.pop("definitions", None)
    for cell in deepcopy(notebook.cells):
        if cell.cell_type == "markdown":
            cell.source = plain.text(cell.source).strip()
            if cell.source:
                copy.cells.append(cell)
            continue
        caption = cell.metadata.get("mystnb", {}).get("figure", {}).get("caption")
        fold(cell)
        copy.cells.append(cell)
        if caption:
            copy.cells.append(new_markdown_cell(f"*{plain.text(caption)}*"))
    return copy


def fold(cell):
    """Fold bookkeeping and answers away, and drop outputs that only Sphinx understands."""
    tags = set(cell.metadata.pop("tags", []))
    cell.metadata.pop("mystnb", None)
    cell.metadata.pop("execution", None)
    for tag in tags & set(HIDDEN):
        source, output = HIDDEN[tag]
        cell.metadata["jupyter"] = {"source_hidden": source, "outputs_hidden": output}
    cell.outputs = [one for one in cell.outputs if is_shown(one)]
    for output in cell.outputs:
        output.get("data", {}).pop("application/vnd.rfout.claim+json", None)


def is_shown(output):
    """Tell whether a reader sees something in an output: the bare name of a figure is nothing."""
    data = output.get("data", {"text": ""})
    bare = set(data) == {"text/plain"} and data["text/plain"].startswith("<Figure")
    return bool(set(data) & SHOWN) and not bare


def with_figures(root, name, notebook):
    """Give a chapter as it is in the cache, with its figures: Sphinx keeps them in other files."""
    try:
        source = nbformat.read(root / "book" / name, as_version=4)
        return get_cache(cache_folder(root)).merge_match_into_notebook(source)[1]
    except KeyError:
        return notebook


def fingerprint(notebook):
    """Name what a reader may have changed in a copy."""
    sources = [(cell.cell_type, cell.source) for cell in notebook.cells]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()[:16]


def put_aside(path):
    """Rename a copy that a reader has changed; returns its new path, or None if nobody has."""
    if not path.is_file():
        return None
    try:
        old = nbformat.read(path, as_version=4)
        if old.metadata.get("rfout_copy") == fingerprint(old):
            return None
    except Exception:  # whatever it is, it is the reader's
        pass
    number = 1
    while (aside := path.with_name(f"{path.stem}-yours-{number}.ipynb")).exists():
        number += 1
    return path.rename(aside)


def write_copies(root, executed, target, address=""):
    """Write the reader's copy of every executed chapter; returns their paths.

    Parameters: the repository's folder, the folder of executed notebooks, where to write, and the
    address of the built book.
    """
    written = []
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(executed.glob("*.ipynb")):
        if not (root / "book" / path.name).is_file():
            continue  # a page in Markdown, or a chapter that is gone
        notebook = with_figures(root, path.name, nbformat.read(path, as_version=4))
        where = f"{address}/book/{path.stem}.html" if address else ""
        copy = convert(notebook, root / "book" / "references.bib", address=where)
        copy.metadata["rfout_copy"] = fingerprint(copy)
        if aside := put_aside(target / path.name):
            print(f"{path.name} was changed: your version is kept as {aside.name}")
        beside = target / f"{path.name}.part"
        nbformat.write(copy, beside)
        beside.replace(target / path.name)
        written.append(target / path.name)
    return written
