"""The book's own Sphinx extension (named in _config.yml): fresh executions, lean pages."""

import re
import shutil
from pathlib import Path

from executed import cache_folder
from reader_copy import write_copies


def choose_cache(app, config):
    """Give each state of the package a cache of its own."""
    config.nb_execution_cache_path = str(cache_folder(Path(app.srcdir)))


def drop_thebe(app):
    """Keep sphinx-thebe, which Jupyter Book always loads, from adding its script and addresses."""
    unwanted = {"init_thebe_default_config", "init_thebe_core", "update_thebe_context"}
    for listeners in app.events.listeners.values():
        listeners[:] = [
            one for one in listeners if getattr(one.handler, "__name__", "") not in unwanted
        ]


def slim_icon_rules(app, exception):
    """Drop the style rules of icons that no page shows: a fifth of the theme's style sheet."""
    out = Path(app.outdir)
    sheet = out / "_static" / "styles" / "pydata-sphinx-theme.css"
    if exception or not sheet.is_file():
        return
    texts = [*out.rglob("*.html"), *out.glob("_static/**/*.js"), *out.glob("_static/*.css")]
    used = {
        icon
        for path in texts
        for icon in re.findall(r"\bfa-[a-z0-9-]+", path.read_text("utf-8", errors="replace"))
    }

    def keep(rule):
        return rule[0] if used & set(re.findall(r"fa-[a-z0-9-]+", rule[1])) else ""

    rule = r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"[^"]*"\}'
    css = sheet.read_text("utf-8")
    sheet.write_text(re.sub(rule, keep, css), encoding="utf-8")


def write_readers_copies(app, exception):
    """Write the chapters' plain copies, and put them behind the download buttons."""
    root, out = Path(app.srcdir), Path(app.outdir)
    executed = out.parent / "jupyter_execute" / "book"
    if exception or app.builder.format != "html" or not executed.is_dir():
        return
    for copy in write_copies(root, executed, root / "notebooks"):
        button = out / "_sources" / "book" / copy.name
        if button.is_file():
            shutil.copy(copy, button)


def setup(app):
    drop_thebe(app)
    app.connect("config-inited", choose_cache, priority=100)
    app.connect("build-finished", slim_icon_rules)
    app.connect("build-finished", write_readers_copies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
