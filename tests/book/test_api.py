"""The API page: what a face of the package exports is described, with an example that runs."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import rfout

ROOT = Path(__file__).parents[2]
PAGES = [(ROOT / "book" / name).read_text("utf-8") for name in ("api.md", "api-frameworks.md")]
DESCRIBED = re.findall(r"automodule:: (\S+)\n   :members:", "".join(PAGES))
FACES = [
    "rfout",
    *(f"rfout.{one.name}" for one in pkgutil.iter_modules(rfout.__path__) if one.ispkg),
]


def public(module):
    """Give the functions and classes that a module defines for others."""
    for name, thing in vars(importlib.import_module(module)).items():
        own = getattr(thing, "__module__", None) == module and not name.startswith("_")
        if own and (inspect.isfunction(thing) or inspect.isclass(thing)):
            yield name, thing


@pytest.mark.parametrize("module", DESCRIBED)
def test_every_description_has_an_example(module):
    without = [name for name, thing in public(module) if "\n>>> " not in inspect.getdoc(thing)]
    assert without == []


@pytest.mark.parametrize("face", FACES)
def test_what_a_face_exports_is_described(face):
    face = importlib.import_module(face)
    exported = [getattr(face, name) for name in getattr(face, "__all__", [])]
    modules = {getattr(thing, "__module__", "") for thing in exported}
    assert {one for one in modules if one.startswith("rfout")} - set(DESCRIBED) == set()


def test_which_chapter_uses_a_function_is_made_and_not_kept():
    texts = {path: path.read_text("utf-8") for path in (ROOT / "rfout").rglob("*.py")}
    assert [path for path, text in texts.items() if re.search(r"\bChapters?:", text)] == []
