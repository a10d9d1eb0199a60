"""Numbers in prose come from the run; and the lint sees what it is there to see."""

import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from prose_numbers import check, literals, read_chapter  # noqa: E402

NOT_CHAPTERS = {"references.md", "glossary.md", "api.md", "api-frameworks.md", "claims.md"}
CHAPTERS = [
    path
    for path in sorted((ROOT / "book").glob("*"))
    if path.suffix in (".md", ".ipynb") and path.name not in NOT_CHAPTERS
]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_number_in_the_prose_is_glued_or_defined(path):
    assert check(read_chapter(path)) == []


def chapter(text, **definitions):
    made = new_notebook(cells=[new_markdown_cell(text)])
    made.metadata["definitions"] = {key.lstrip("_"): value for key, value in definitions.items()}
    return made


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("The accuracy is 0.97, then 97 % and -3.5.", ["0.97", "97%", "-3.5"]),
        ("It rose to 1,200 images, in 3 of 10 seeds.", []),
        ("**12.5** clients", ["12.5"]),
        ("Of {glue:text}`n:.2f` clients, `x[0.3]` is in $n \\ge 1.1$ and [here](a-1.5.ipynb).", []),
        ("```python\nx = 0.3\n```\n\n1. first\n2. second", []),
        ("```{code-cell}\nx = 0.3\n```", []),
        (":::{note}\nAfter 5.5 rounds.\n:::", ["5.5"]),
        ("```{prf:theorem} Bound\n:label: thm-1\nAt most 9.5, $n = 3.5$.\n```", ["9.5"]),
        ("RFOut-1d, version v2.1, Python 3.11.2 and {cite}`a2020` after 2.5 %.", ["2.5%"]),
    ],
)
def test_the_lint_finds_numbers_in_prose_and_nowhere_else(text, numbers):
    assert [number for _, number in literals(chapter(text))] == numbers


def test_captions_and_alternative_texts_are_prose():
    figure = {"mystnb": {"image": {"alt": "a line at 4.5"}, "figure": {"caption": "Up to 0.9."}}}
    made = new_notebook(cells=[new_code_cell("x = 1", metadata=figure)])
    assert [number for _, number in literals(made)] == ["4.5", "0.9"]


def test_a_definition_must_be_used_and_must_say_what_it_is():
    text = "With a concentration of 0.2."
    missing = ["cell 0: 0.2 is neither glued nor among the chapter's definitions"]
    assert check(chapter(text)) == missing
    assert check(chapter(text, **{"_0.2": "the concentration"})) == []
    assert check(chapter(text, **{"_0.2": ""})) == ["0.2 is defined as nothing"]
    idle = {"_0.2": "the concentration", "_0.7": "a week"}
    assert check(chapter(text, **idle)) == ["the definition of 0.7 is used nowhere"]
