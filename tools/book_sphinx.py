"""The book's own Sphinx extension (named in _config.yml): fresh executions, lean pages."""

import shutil
from pathlib import Path

from executed import cache_folder
from lean_css import lean_sheets
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


def slim_style_sheets(app, exception):
    """Drop the style rules that no page needs: the theme's sheet is six times as large."""
    if not exception and app.builder.format == "html":
        lean_sheets(Path(app.outdir), Path(app.srcdir) / "book" / "_static")


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
    app.connect("build-finished", slim_style_sheets)
    app.connect("build-finished", write_readers_copies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
