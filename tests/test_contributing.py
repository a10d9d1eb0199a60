"""CONTRIBUTING.md names what is there: the map is that of the imports, the recipes' files exist."""

import ast
import re

import pytest


@pytest.fixture(scope="module")
def text(root):
    return (root / "CONTRIBUTING.md").read_text("utf-8")


def rooms(node, package):
    """Name the rooms that an import statement reaches from a module in a package of ours."""
    if node.level:
        above = package[: len(package) - node.level + 1]
        parts = [*above, *(node.module or "").split(".")]
    else:
        parts = (node.module or "").split(".")
    parts = [part for part in parts if part]
    if parts[:1] != ["rfout"]:
        return []
    return parts[1:2] or [name.name for name in node.names]


def imported(folder):
    found = {}
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        if parts[1] == "__init__":
            continue
        reached = found.setdefault(parts[1], set())
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                reached.update(rooms(node, list(parts[:-1])))
    return {room: reached - {room} for room, reached in found.items()}


def test_the_map_is_that_of_the_imports(root, text):
    rows = re.findall(r"^\| `(\w+)` \|[^|]+\|([^|]*)\|$", text, re.MULTILINE)
    drawn = {room: set(re.findall(r"`(\w+)`", others)) for room, others in rows}
    assert drawn == imported(root / "rfout")


def test_every_file_of_the_recipes_exists(root, text):
    named = re.findall(r"`([\w./-]+/[\w./-]*)`", text)
    assert len(named) > 15
    assert [name for name in named if not (root / name).exists()] == []


def test_every_command_is_a_target(root, text):
    makefile = (root / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"`make ([a-z-]+)", text)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
