"""Mends a submitted notebook: the master's cells in the master's order, with the student's answers.

A copied cell, a deleted test or a lost label stops neither grader, and is said to the student.
"""

import json
import re
from copy import deepcopy

import nbformat

MOST_BYTES, MOST_CELLS = 10 * 2**20, 400


class Unreadable(Exception):
    """A submission that is no notebook; the sentence for the student."""


def read(content):
    """Read a notebook: a list of (cell type, name or None, source)."""
    if len(content) > MOST_BYTES:
        raise Unreadable(f"the notebook is larger than {MOST_BYTES // 2**20} MB.")
    try:
        found = json.loads(content)
        cells = [
            (str(cell["cell_type"]), _name(cell), _source(cell["source"]))
            for cell in found["cells"][:MOST_CELLS]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unreadable("the file is no Jupyter notebook.") from None
    return cells


def _source(source):
    if isinstance(source, list):
        source = "".join(source)
    if not isinstance(source, str) or len(source) > 200_000:
        raise ValueError
    # What only a notebook's kernel understands would be an error: it is left out.
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)


def _name(cell):
    about = cell.get("metadata", {})
    label = about.get("nbgrader", {}).get("grade_id") if isinstance(about, dict) else None
    if not isinstance(label, str):
        label = cell.get("id", "").replace("-", "_") if isinstance(cell.get("id"), str) else None
    return label


def mend(content, master):
    """Put the answers of a submission into a copy of the master.

    Parameters
    ----------
    content
        The bytes of the submitted notebook.
    master
        The notebook without solutions.

    Returns
    -------
    notebook, notes
        The mended notebook, and a sentence for each thing that was mended.
    """
    cells, notes = read(content), []
    known = {cell.metadata.nbgrader.grade_id: cell for cell in master.cells}
    alike = {name.replace("-", "_"): name for name in known}
    found, extra, last = {}, {}, None
    for kind, name, source in cells:
        name = alike.get((name or "").replace("-", "_")) or _guess(kind, source, known, found)
        if name is None or known[name].cell_type != kind:
            if kind == "code" and source.strip():
                extra.setdefault(last, []).append(source)
        elif name in found:
            if kind == "code" and not known[name].metadata.nbgrader.locked:
                extra.setdefault(name, []).append(source)
            notes.append(f"cell {name} stood there twice; both were run, in their order.")
        else:
            found[name], last = source, name
    mended = deepcopy(master)
    made = []
    for cell in mended.cells:
        name = cell.metadata.nbgrader.grade_id
        locked = cell.metadata.nbgrader.locked
        if name not in found:
            if cell.cell_type == "code" or not locked:
                notes.append(f"cell {name} was missing; it was put back.")
        elif not locked:
            cell.source = found[name]
        elif cell.cell_type == "code" and found[name].split() != cell.source.split():
            notes.append(f"cell {name} was changed, which is locked; the original was run.")
        made.append(cell)
        for number, source in enumerate(extra.get(name, ())):
            one = nbformat.v4.new_code_cell(source)
            one["id"] = f"{name}-extra-{number}".replace("_", "-")[:64]
            made.append(one)
    before = [nbformat.v4.new_code_cell(source) for source in extra.get(None, ())]
    for number, one in enumerate(before):
        one["id"] = f"first-extra-{number}"
    mended.cells = before + made
    return mended, notes


def _guess(kind, source, known, found):
    """Tell an answer that has lost its label by the name that it defines."""
    if kind != "code":
        return None
    for name, cell in known.items():
        defined = re.search(r"^(?:def )?(\w+)(?:\(| = )", cell.source, re.MULTILINE)
        if (
            not cell.metadata.nbgrader.locked and cell.cell_type == "code" and defined
            and name not in found
            and re.search(rf"^(?:def )?{defined[1]}(?:\(| = )", source, re.MULTILINE)
        ):  # fmt: skip
            return name
    return None


def code_cells(notebook):
    """List the (name, source) of the code cells, without the tests."""
    found = []
    for cell in notebook.cells:
        label = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and not label.get("grade"):
            found.append((label.get("grade_id") or cell["id"], cell.source))
    return found


def disarmed(notebook, bad, broken):
    """Take out what misbehaved in the sandbox, for graders that run a submission in their midst.

    Parameters
    ----------
    notebook
        What `mend` gave.
    bad, broken
        Names of cells, and of functions, to what is said of them.
    """
    made = deepcopy(notebook)
    first = nbformat.v4.new_code_cell("import coursework.kernel  # the tests, before anything else")
    first["id"] = "tests-first"
    cells = [first]
    for cell in made.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id") or cell["id"]
        if cell.cell_type == "code" and name in bad:
            cell.source = f"raise RuntimeError({f'taken out: this cell {bad[name]}'!r})"
        cells.append(cell)
        for function, what in broken.items():
            if cell.cell_type == "code" and re.search(rf"\b{function}\b", cell.source):
                source = (
                    f"def {function}(*given):\n"
                    f"    raise RuntimeError({f'taken out: {function} {what}'!r})"
                )
                cells.append(nbformat.v4.new_code_cell(source))
                cells[-1]["id"] = f"taken-out-{len(cells)}"
    made.cells = cells
    return made
