"""Pictures that move: the directive `widget` (a Sphinx extension named in _config.yml).

    ```{widget} coordinate
    :alt: Twenty clients on a line; the adversary lies outside the band and is flagged.
    :name: fig-one-coordinate
    Drag a client, and watch the band follow.
    ```

`book/_static/play/widgets/<name>.js` draws it. Where scripts are off, or outside a page, stands
`book/_static/play/figures/<name>.svg`, which `tools/play_figures.mjs` makes by the same arithmetic.
The option `preset` takes another start, with a figure of its own (`<name>-<preset>.svg`). The body
is the caption.
"""

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

FOLDER = "book/_static/play"


class Widget(SphinxDirective):
    """`{widget}`: a still figure, which a script turns into one that moves."""

    required_arguments = 1
    has_content = True
    option_spec = {  # noqa: RUF012 as docutils has it
        "alt": directives.unchanged_required,
        "name": directives.unchanged,
        "preset": directives.unchanged,
    }

    def run(self):
        name, preset = self.arguments[0], self.options.get("preset")
        start = f"{name}-{preset}" if preset else name
        figures = Path(self.env.srcdir) / FOLDER / "figures"
        if not (figures / f"{start}.svg").is_file():
            known = ", ".join(sorted(path.stem for path in figures.glob("*.svg"))) or "none"
            raise self.error(f"there is no widget {start!r}; there are: {known}")
        if not self.options.get("alt"):
            raise self.error(f"the widget {name!r} needs the option alt, for its still figure")
        classes = ["widget", f"widget-{name}", *([f"preset-{preset}"] if preset else [])]
        figure = nodes.figure(classes=classes)
        image = f"/{FOLDER}/figures/{start}.svg"
        figure += nodes.image(uri=image, alt=self.options["alt"])
        caption, messages = self.parse_inline(" ".join(self.content))
        figure += nodes.caption("", "", *caption)
        self.set_source_info(figure)
        self.add_name(figure)
        return [figure, *messages]


def add_scripts(app, pagename, templatename, context, doctree):
    """Load the scripts on the pages that need them, and nowhere else."""
    figures = doctree.findall(nodes.figure) if doctree else ()
    widgets = {name for figure in figures for name in figure["classes"] if "widget" in name}
    if not widgets:
        return
    app.add_css_file("play/play.css")
    if "widget-play" in widgets:  # uPlot is a classic script, and comes before the module
        app.add_css_file("vendor/uplot/uPlot.min.css")
        app.add_js_file("vendor/uplot/uPlot.iife.min.js", loading_method="defer")
    app.add_js_file("play/widgets.js", type="module")


def setup(app):
    app.add_directive("widget", Widget)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
