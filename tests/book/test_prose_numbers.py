"""Numbers in prose come from the run; and the lint sees what it is there to see."""

import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from prose_numbers import check, literals, read_chapter  # noqa: E402

NOT_CHAPTERS = {"references.md", "glossary.md", "api.md", "claims.md"}
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
        ("The accuracy is 0.97, then 97 % and -3.", ["0.97", "97%", "-3"]),
        ("It rose to 1,200 images.", ["1,200"]),
        ("**12** clients", ["12"]),
        ("Of {glue:text}`n:.2f` clients, `x[3]` is in $n \\ge 11$ and [here](a-1.ipynb).", []),
        ("```python\nx = 3\n```\n\n1. first\n2. second", []),
        ("```{code-cell}\nx = 3\n```", []),
        (":::{note}\nAfter 5 rounds.\n:::", ["5"]),
        ("```{prf:theorem} Bound\n:label: thm-1\nAt most 9 clients, $n = 3$.\n```", ["9"]),
        ("RFOut-1d, version v2, conv1 and {cite}`a2020` after round 21.", ["21"]),
    ],
)
def test_the_lint_finds_numbers_in_prose_and_nowhere_else(text, numbers):
    assert [number for _, number in literals(chapter(text))] == numbers


def test_captions_and_alternative_texts_are_prose():
    figure = {"mystnb": {"image": {"alt": "a line at 4"}, "figure": {"caption": "Up to 0.9."}}}
    made = new_notebook(cells=[new_code_cell("x = 1", metadata=figure)])
    assert [number for _, number in literals(made)] == ["4", "0.9"]


def test_a_definition_must_be_used_and_must_say_what_it_is():
    text = "From round 21 on."
    assert check(chapter(text)) == [
        "cell 0: 21 is neither glued nor among the chapter's definitions"
    ]
    assert check(chapter(text, _21="the first attacked round")) == []
    assert check(chapter(text, _21="")) == ["21 is defined as nothing"]
    assert check(chapter(text, _21="a round", _7="a week")) == [
        "the definition of 7 is used nowhere"
    ]
