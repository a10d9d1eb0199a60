"""The chapter contract as functions: each takes a notebook and names what breaks it."""

import math
import re
import statistics

MAX_CELLS = 20
MEDIAN_LINES = 5
USUAL_LINES = 15  # nine cells in ten
OPENING = ("Do", "Learn", "Need", "Time")
MIN_COMPARED = 3
NOT_COMPARED = {"nbval-ignore-output", "nbval-skip", "raises-exception"}


FOLDED = {"hide-cell", "hide-input", "remove-cell", "remove-input"}
APART = {"exercise", "solution", "check"}


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def visible_cells(notebook):
    """What a reader sees of the chapter's own code."""
    return [cell for cell in code_cells(notebook) if not tags(cell) & (FOLDED | APART)]


def texts(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def n_lines(cell):
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def cells(notebook):
    """At most 20 visible code cells; median at most 5 lines, nine in ten at most 15."""
    counts = sorted(n_lines(cell) for cell in visible_cells(notebook))
    if not counts:
        return ["no code cell"]
    found = []
    if len(counts) > MAX_CELLS:
        found.append(f"{len(counts)} visible code cells, more than {MAX_CELLS}")
    if statistics.median(counts) > MEDIAN_LINES:
        found.append(f"median of {statistics.median(counts):g} lines, more than {MEDIAN_LINES}")
    if counts[math.ceil(0.9 * len(counts)) - 1] > USUAL_LINES:
        found.append(f"more than a tenth of the cells is longer than {USUAL_LINES} lines")
    return found


def opening(notebook):
    """Before the first code cell: one title and the four entries."""
    first = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            break
        first.append(cell.source)
    text = "\n".join(first)
    found = [] if re.match(r"\s*(\([\w-]+\)=\s*)?# \S", text) else ["does not open with a title"]
    if "After this chapter you can" not in text:
        found.append("**Learn** does not say what the reader can do afterwards")
    return found + [
        f"no entry **{word}** in the opening"
        for word in OPENING
        if not re.search(rf"\*\*{word}\b[^*]*\*\*", text)
    ]


def closing(notebook):
    """The last two sections are the take-away and the references."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    text = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    last = [title.lower() for title in re.findall(r"^##\s+(.+)$", text, re.MULTILINE)[-2:]]
    found = []
    if not any(re.search(r"take[- ]?away", title) for title in last):
        found.append("does not close with a take-away")
    if not any(title.startswith(("references", "further reading")) for title in last):
        found.append("does not close with references")
    return found


def shows_figure(cell):
    """Tell a figure by its stored output, or by the call that draws it."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if any(kind.startswith("image/") for kind in data) or "<Figure" in data.get(
            "text/plain", ""
        ):
            return True
    return bool(re.search(r"^\s*(\w+ = )?(plots\.\w+\(|plt\.show\()", cell.source, re.MULTILINE))


def figures(notebook):
    """Every figure has alt text, a caption and a name to refer to."""
    found, names = [], set()
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not shows_figure(cell):
            continue
        mystnb = cell.metadata.get("mystnb", {})
        image, figure = mystnb.get("image", {}), mystnb.get("figure", {})
        has = {"alt text": image.get("alt"), "caption": figure.get("caption")}
        has["name"] = figure.get("name")
        found += [
            f"cell {number}: figure without {what}"
            for what, text in has.items()
            if not (text or "").strip()
        ]
        if has["name"] in names:
            found.append(f"cell {number}: the figure's name {has['name']!r} is taken")
        names.add(has["name"])
    return found


def bookkeeping(notebook):
    """Claims are folded and numbers are recorded out of sight."""
    found = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if re.search(r"^\s*claim\(", cell.source, re.MULTILINE) and not tags(cell) & FOLDED:
            found.append(f"cell {number}: a claim that is not folded")
        if re.search(r"^\s*record\(", cell.source, re.MULTILINE) and not tags(cell) & FOLDED:
            found.append(f"cell {number}: record in sight")
    return found


def links(notebook):
    """Every link has words: outside the pages an empty one shows nothing."""
    return [
        f"an empty link: {text}"
        for source in texts(notebook)
        for text in re.findall(r"\[\]\([^)]*\)", source)
    ]


def exercises(notebook):
    """Two to four exercises, each with a starting cell and a solution that the build executes."""
    text = "\n".join(texts(notebook))
    labels = re.findall(r"\{exercise-start\}[^\n]*\n:label: (\S+)", text)
    solved = re.findall(r"\{solution-start\} (\S+)", text)
    found = [] if 2 <= len(labels) <= 4 else [f"{len(labels)} exercises, not two to four"]
    if labels != solved:
        found.append(f"exercises {labels} and solutions {solved} do not match")
    for name, label in (("exercise", "starting"), ("solution", "solution")):
        n = sum(name in tags(cell) for cell in code_cells(notebook))
        if n < len(labels):
            found.append(f"{n} {label} cells for {len(labels)} exercises")
    return found


def questions(notebook):
    """Three to five questions with feedback on each answer."""
    n = len(re.findall(r"^\*\*\d\. ", "\n".join(texts(notebook)), re.MULTILINE))
    return [] if 3 <= n <= 5 else [f"{n} questions, not three to five"]


def outputs(notebook):
    """What is stored: a whole run from the top, no error, warning, picture or raw history."""
    found, counts = [], []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if cell.source.strip() and "nbval-skip" not in cell.metadata.get("tags", []):
            counts.append(cell.execution_count)
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"cell {number}: a stored error ({output.ename})")
            if output.get("name") == "stderr":  # warnings name this machine's folders
                found.append(f"cell {number}: stored stderr ({output.text[:60]!r})")
            shown = output.get("data", {}).get("text/plain", "")
            if any(kind.startswith("image/") for kind in output.get("data", {})):
                found.append(f"cell {number}: stored image data; run `make outputs`")
            if re.search(r"^ +round .*\bsampled\b", shown, re.DOTALL):
                found.append(f"cell {number}: shows a whole history by the way")
    if counts != list(range(1, len(counts) + 1)):
        found.append(f"execution counts {counts} are no run from the top; run `make outputs`")
    return found


def compared(notebook):
    """At least three stored text outputs that nbval compares."""
    n = sum(is_compared(cell) for cell in code_cells(notebook))
    return [] if n >= MIN_COMPARED else [f"nbval compares {n} outputs, fewer than {MIN_COMPARED}"]


def is_compared(cell):
    """Tell whether nbval would compare words or numbers in this cell's output."""
    if NOT_COMPARED & tags(cell) or cell.execution_count is None:
        return False
    if cell.source.lstrip().startswith(("# NBVAL_IGNORE_OUTPUT", "# NBVAL_SKIP", "#NBVAL_")):
        return False
    shown = []
    for output in cell.outputs:
        shown.append(output.get("text", "") if output.output_type == "stream" else "")
        shown.append(output.get("data", {}).get("text/plain", ""))
    return any(text.strip() and not text.startswith("<Figure") for text in shown)


RULES = (
    cells,
    opening,
    closing,
    figures,
    bookkeeping,
    links,
    exercises,
    questions,
    outputs,
    compared,
)
