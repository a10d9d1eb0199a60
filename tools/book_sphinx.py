"""The book's own Sphinx extension (named in _config.yml): fresh executions, lean pages."""

import hashlib
import importlib.util
import os
import re
import sys
from pathlib import Path

# TensorFlow reads these when it is imported; its log lines are no part of a chapter.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TQDM_DISABLE", "1")  # a progress bar differs in every run


def execution_key(root: Path) -> str:
    """Name everything outside a notebook that its outputs depend on."""
    digest = hashlib.sha256()
    sources = ["rfout/**/*.py", "benchmarks/results/*", "book/results/**/*", "requirements.lock"]
    for path in (path for pattern in sources for path in sorted(root.glob(pattern))):
        if path.is_file():
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    dataset = os.environ.get("RFOUT_DATASET", "")
    # Sherpa.ai's framework where it is installed, else its stand-in: the chapter says which.
    shfl = os.environ.get("SHFL_PATH") or importlib.util.find_spec("shfl") is not None
    digest.update(f"{dataset} {shfl} {sys.version_info[:2]}".encode())
    return digest.hexdigest()[:16]


def choose_cache(app, config):
    """Give each state of the package a cache of its own.

    jupyter-cache looks at the notebook alone, so that a chapter would keep the outputs of an older
    package. With a folder for each state nothing has to be deleted, and going back costs nothing.
    """
    root = Path(app.srcdir)
    cache = root / "_build" / ".jupyter_cache" / execution_key(root)
    config.nb_execution_cache_path = str(cache)


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


def setup(app):
    drop_thebe(app)
    app.connect("config-inited", choose_cache, priority=100)
    app.connect("build-finished", slim_icon_rules)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
