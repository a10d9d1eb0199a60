"""Turns a lecture in Markdown into one page: a section for each slide, figures inside.

``---`` parts two slides, ``![](fig-name)`` is a chapter's figure, ``[text](play:tour)`` a scenario
of the page "Play", and what stands in ``:::note`` is for the teacher, behind a fold.
"""

import re
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

PLAY = "../book/play.html#"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style>
<script>MathJax = {{ svg: {{ fontCache: "global" }}, tex: {{ inlineMath: [["\\\\(", "\\\\)"]] }} }};
addEventListener("keydown", (event) => {{
  const step = {{ ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }}[event.key];
  if (!step) return;
  event.preventDefault();
  const slides = [...document.querySelectorAll("section")];
  const at = slides.findIndex((one) => one.getBoundingClientRect().bottom > innerHeight / 2);
  slides[Math.max(0, Math.min(slides.length - 1, at + step))].scrollIntoView();
}});</script>
{math}
</head><body>
{slides}
</body></html>
"""
MATH = '<script defer src="../_static/mathjax/mathjax.js"></script>'


def figures(notebook):
    """Give the figures of an executed chapter: name to (PNG in base64, alternative text)."""
    found = {}
    for cell in notebook.cells:
        about = cell.metadata.get("mystnb", {})
        pictures = [
            output.data["image/png"]
            for output in cell.get("outputs", ())
            if "image/png" in output.get("data", {})
        ]
        if pictures and "figure" in about:
            alt = about.get("image", {}).get("alt", about["figure"].get("caption", ""))
            found[about["figure"]["name"]] = "".join(pictures[-1].split()), alt
    return found


def wanted(text):
    """Give the names of the figures and of the scenarios that a lecture shows."""
    return re.findall(r"!\[\]\(([\w-]+)\)", text), re.findall(r"\]\(play:([\w-]+)\)", text)


def deck(text, found):
    """Write the page of a lecture.

    Parameters
    ----------
    text
        The lecture.
    found
        Figures, as `figures` gives them; KeyError names one that no chapter has.
    """
    parts = [one.strip() for one in re.split(r"^---$", text, flags=re.MULTILINE)]
    slides = "\n".join(_slide(part, number, found) for number, part in enumerate(parts, 1))
    title = re.match(r"# (.*)", parts[0])[1]
    style = (Path(__file__).parent / "slides.css").read_text("utf-8")
    math = MATH if "$" in text else ""
    return PAGE.format(title=escape(title), style=style, math=math, slides=slides)


def _slide(text, number, found):
    text = re.sub(r"\]\(play:([\w-]+)\)", rf"]({PLAY}\1)", text)
    html = _markdown().render(text)
    for name in wanted(text)[0]:
        picture, alt = found[name]
        html = html.replace(
            f'<img src="{name}" alt="" />',
            f'<img src="data:image/png;base64,{picture}" alt="{escape(alt)}">',
        )
    return f'<section id="slide-{number}">\n{html}<footer>{number}</footer></section>'


def _markdown():
    reader = MarkdownIt().use(container_plugin, "note", render=_note)
    return reader.use(
        dollarmath_plugin,
        renderer=lambda content, options: (
            rf"\[{escape(content)}\]" if options["display_mode"] else rf"\({escape(content)}\)"
        ),
    )


def _note(self, tokens, index, options, env):
    if tokens[index].nesting == 1:
        return "<details><summary>For the teacher</summary>\n"
    return "</details>\n"
