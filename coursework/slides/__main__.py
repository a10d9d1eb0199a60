"""Writes the slides beside the built book: ``python -m coursework.slides``."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools"))
from executed import cache_folder, chapters  # noqa: E402
from jupyter_cache import get_cache  # noqa: E402

from .deck import deck, figures  # noqa: E402


def main():
    """Take the figures of the executed chapters, and write every lecture."""
    cache, found = get_cache(cache_folder(ROOT)), {}
    for _, notebook in chapters(ROOT):
        record = cache.match_cache_notebook(notebook)
        found |= figures(cache.get_cache_bundle(record.pk).nb)
    to = ROOT / "_build" / "html" / "slides"
    to.mkdir(parents=True, exist_ok=True)
    for source in sorted(Path(__file__).parent.glob("*.md")):
        page = to / f"{source.stem}.html"
        page.write_text(deck(source.read_text("utf-8"), found), encoding="utf-8")
        print(page)


if __name__ == "__main__":
    main()
