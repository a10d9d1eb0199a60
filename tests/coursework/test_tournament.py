"""The tournament: who wins, who forfeits, what an entry cannot see, and a run that goes on."""

import re

import pytest

from coursework import game, lab
from coursework.tournament.entries import Entry, book_entries, read_entries
from coursework.tournament.page import page
from coursework.tournament.schedule import Tournament, make_arena, play

SIZE, SEED = (800, 200), 5
PUSH = """
import numpy as np
def attack(params, x, y, game):
    chosen = game.rng.permutation(np.flatnonzero(y != game.target))[: len(y) // 2]
    x[chosen], y[chosen] = game.trigger(x[chosen]), game.target
    return 5 * (game.train(params, x, y, epochs=5) - params)
"""
MEDIAN = "import numpy as np\ndef aggregate(updates):\n    return np.median(updates, axis=0)\n"
DEFENCE = "def aggregate(updates):\n    {}\n    return updates.mean(axis=0)\n"


@pytest.fixture(scope="module")
def arena():
    return make_arena(SEED, SIZE)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Seconds are counted on the wall: on a busy machine nobody should lose by them here."""
    for name in ("ONE_CALL", "ALL_CALLS"):
        monkeypatch.setattr(f"coursework.tournament.entries.{name}", 300)


def defence(line, name="mine"):
    return Entry(name, "aggregate", DEFENCE.format(line))


def test_an_attack_breaks_the_mean_and_a_median_holds(arena):
    push = Entry("push", "attack", PUSH)
    broken, held = (
        play(one, push, arena) for one in (defence("pass"), Entry("median", "aggregate", MEDIAN))
    )
    assert not broken.held
    assert broken.curve[-1][1] > game.MOST_BACKDOOR
    assert held.held
    assert [len(result.curve) for result in (broken, held)] == [game.ROUNDS] * 2


def test_the_books_entries_play(arena):
    """Each attack against the mean, each defence in peace: none of them forfeits."""
    entries = book_entries()
    mean, calm = entries[0], next(one for one in entries if one.name == "no attack")
    games = [(mean, one) if one.side == "attack" else (one, calm) for one in entries]
    results = [play(*one, arena) for one in games]
    assert {one.defence for one in results if one.attack == calm.name and not one.held} == set()
    assert [one.attack for one in results if not one.held]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("return updates[0, :3]", "shape"),
        ("raise ValueError('no')", "ValueError: no"),
        ("open({secret!r}).read()", "the grader's files"),
        ("import os; os._exit(0)", "ended the process"),
    ],
)
def test_an_entry_that_breaks_a_rule_loses_its_own_game(line, sentence, arena, tmp_path):
    (tmp_path / "seed.txt").write_text("5")
    line = line.format(secret=str(tmp_path / "seed.txt"))
    lost = play(defence(line), book_entries()[6], arena, [str(tmp_path)])
    assert not lost.held
    assert sentence in lost.forfeit
    assert lost.forfeit.startswith("mine ")


def test_an_endless_attack_loses_too(arena, monkeypatch):
    monkeypatch.setattr("coursework.tournament.entries.ONE_CALL", 2)
    endless = Entry("endless", "attack", "def attack(params, x, y, game):\n    while True: pass\n")
    result = play(book_entries()[0], endless, arena)
    assert result.held
    assert "endless did not end within 2 seconds" in result.forfeit


def test_an_entry_in_pieces_is_an_entry_with_a_problem(tmp_path):
    for name, text in {
        "a": "def aggregate(", "b": "x = 1", "c": f"{MEDIAN}{PUSH}", "d": "#" * 200_000, "e": MEDIAN
    }.items():  # fmt: skip
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "f.py").symlink_to("/etc/passwd")
    found = {one.name: one.problem for one in read_entries(tmp_path)}
    assert [name for name, problem in found.items() if not problem] == ["e"]
    assert sorted(found) == list("abcdef")


def test_a_tournament_goes_on_and_its_page_has_every_game(tmp_path):
    """What was played before is not played again; a new entry plays its own games."""
    entries, said = tmp_path / "entries", []
    entries.mkdir()
    (entries / "median.py").write_text(MEDIAN)
    (entries / "<b>bad.py").write_text(DEFENCE.format("return updates[0] * float('nan')"))
    (entries / "push.py").write_text(PUSH)

    def run():
        tournament = Tournament(entries, tmp_path / "out", size=SIZE, book=False)
        return tournament, tournament.run(say=said.append, workers=1)

    tournament, first = run()
    assert len(first) == 2
    assert (tmp_path / "out/seed.txt").stat().st_mode & 0o077 == 0
    (entries / "sleep.py").write_text("def attack(params, x, y, game):\n    return 0.0 * params\n")
    with open(tmp_path / "out/results.jsonl", "a", encoding="utf-8") as file:
        file.write('{"key": ["a run that was stop')
    tournament, second = run()
    assert {pair: second[pair] for pair in first} == first
    assert len(second) == 4
    assert "4 games" in said[-1]
    assert "for 2." in said[-1]
    assert run()[1] == second
    assert "for 0." in said[-1]
    text = page(tournament.defences, tournament.attacks, second, 0.9)
    assert text.count("holds</b>") + text.count("broken</b>") == 4
    assert "not finite" in text
    assert not re.search(r"<b>bad|<script|https?://", text)
    assert str(tournament.seed) not in text


def test_a_student_tries_an_entry_at_home(arena, monkeypatch, capsys):
    monkeypatch.setattr(game, "Arena", lambda images, seed: arena)
    monkeypatch.setattr(lab, "digits", lambda folder: None)
    game.try_out()
    said = capsys.readouterr().out
    assert said.count("round") == game.ROUNDS
    assert "The defence holds." in said
