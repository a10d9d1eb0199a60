"""Style sheets of the theme and its extensions, cut down to what the pages use.

The theme brings all of Bootstrap and of Font Awesome. A selector stays if every class that it asks
for is on some page or is named by some script; what stands in `:not()` or `:is()` is not looked at.
"""

import re
from itertools import pairwise
from pathlib import Path

import tinycss2

LARGE = 10_000  # bytes: below, there is nothing to gain
NESTED = {"media", "supports", "container", "layer"}


def used_classes(folder: Path) -> set[str]:
    """Collect the classes of all pages, and every word of all scripts."""
    used: set[str] = set()
    for path in folder.rglob("*.html"):
        text = path.read_text("utf-8")
        for several in re.findall(r'\bclass="([^"]*)"', text):
            used.update(several.split())
        for script in re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL):
            used.update(re.findall(r"[\w-]+", script))
    for path in folder.rglob("*.js"):
        used.update(re.findall(r"[\w-]+", path.read_text("utf-8")))
    return used


def asks_for(selector) -> set[str]:
    """Name the classes that a selector asks for."""
    return {two.value for one, two in pairwise(selector) if one == "." and two.type == "ident"}


def split(prelude):
    """Split a list of selectors at its commas."""
    part = []
    for token in prelude:
        if token == ",":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def lean(css: str, used: set[str]) -> str:
    """Drop the rules that fit nothing."""
    return _lean(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), used)


def _lean(rules, used):
    kept = []
    for rule in rules:
        if rule.type == "qualified-rule":
            fit = [one for one in split(rule.prelude) if asks_for(one) <= used]
            if fit:
                selectors = ",".join(tinycss2.serialize(one).strip() for one in fit)
                kept.append(f"{selectors}{{{tinycss2.serialize(rule.content).strip()}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword in NESTED and rule.content:
            inside = tinycss2.parse_rule_list(
                rule.content, skip_comments=True, skip_whitespace=True
            )
            if text := _lean(inside, used):
                head = tinycss2.serialize(rule.prelude).strip()
                kept.append(f"@{rule.at_keyword} {head}{{{text}}}")
        else:
            kept.append(rule.serialize())
    return "".join(kept)


def lean_sheets(folder: Path, own: Path) -> None:
    """Cut down the large style sheets of a built book, but for those that the book brings."""
    used = used_classes(folder)
    for path in (folder / "_static").rglob("*.css"):
        ours = own / path.relative_to(folder / "_static")
        if path.stat().st_size > LARGE and not ours.exists():
            path.write_text(lean(path.read_text("utf-8"), used), encoding="utf-8")
