"""Plays every defence against every attack, on all cores, and goes on where it was stopped."""

import json
import os
import secrets
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from threadpoolctl import threadpool_limits

from .. import game, records
from .entries import Forfeit, Player, book_entries, read_entries

SIZE = (2000, 500)


@dataclass
class Result:
    """A game.

    Attributes
    ----------
    defence, attack
        Names.
    curve
        [main-task accuracy, backdoor accuracy] after each round.
    held
        Whether the defence has held.
    forfeit
        Why the game was not played to the end, and whose fault it is; "" if it was.
    """

    defence: str
    attack: str
    held: bool
    curve: list = field(default_factory=list)
    forfeit: str = ""


def make_arena(seed, size=SIZE):
    """Draw the images and train the model that every game starts from."""
    return game.Arena(records.scaled(records.images(seed, *size)), seed)


def play(defence, attack, arena, secret=()):
    """Play one game; whoever breaks loses it."""
    at_work, curve, players = defence, [], []
    try:
        for at_work in (defence, attack):
            players.append(Player(at_work, arena, secret))
        shield, sword = (_named(player) for player in players)
        curve = game.play(arena, shield, sword if players[1].call else None)
        held = game.holds(*curve[-1], arena.reference)
        return Result(defence.name, attack.name, held, curve)
    except Forfeit as said:
        at_work = said.args[1] if len(said.args) > 1 else at_work
        lost = f"{at_work.name} {said.args[0]}"
        return Result(defence.name, attack.name, at_work is attack, [], lost)
    finally:
        for player in players:
            player.close()


def _named(player):
    """Have a forfeit say whose it is."""

    def call(*given):
        try:
            return player.call(*given)
        except Forfeit as said:
            raise Forfeit(said.args[0], player.entry) from None

    return call


_ARENA = []


def _enter(seed, size):
    threadpool_limits(1)  # a game has small matrices: its threads would wait for each other
    _ARENA.append(make_arena(seed, size))


def _one(defence, attack, secret):
    return play(defence, attack, _ARENA[0], secret)


class Tournament:
    """A tournament with its folder of results.

    Parameters
    ----------
    submissions
        Folder of students' files.
    folder
        Where the seed, the results and the page are kept.
    """

    def __init__(self, submissions, folder, *, size=SIZE, book=True):
        self.submissions, self.folder, self.size = Path(submissions), Path(folder), size
        entries = [*(book_entries() if book else ()), *read_entries(submissions)]
        self.defences = [one for one in entries if one.side == "aggregate"]
        self.attacks = [one for one in entries if one.side == "attack"]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.seed = self._seed()

    def _seed(self):
        """Nobody knows it before the tournament; it is kept, so that the games can go on."""
        file = self.folder / "seed.txt"
        if not file.exists():
            file.write_text(str(secrets.randbits(62)), encoding="utf-8")
            file.chmod(0o600)
        return int(file.read_text("utf-8"))

    @property
    def _file(self):
        return self.folder / "results.jsonl"

    def done(self):
        """Read what was played before: (defence's, attack's identity) to result."""
        found = {}
        if self._file.exists():
            for line in self._file.read_text("utf-8").splitlines():
                try:
                    one = json.loads(line)
                    key = tuple(one.pop("key"))
                    found[key] = Result(**one)
                except (ValueError, KeyError):
                    continue  # the last line of a run that was stopped
        return found

    def run(self, say=print, workers=None):
        """Play what is missing; give the results of all games, by defence and attack."""
        games = [(d, a) for d in self.defences for a in self.attacks]
        known = self.done()
        missing = [one for one in games if self._key(*one) not in known]
        began = time.monotonic()
        if missing:
            secret = [str(self.submissions), str(self.folder)]
            with (
                open(self._file, "a", encoding="utf-8") as file,
                ProcessPoolExecutor(
                    workers or os.cpu_count(), get_context("spawn"), _enter, (self.seed, self.size)
                ) as pool,
            ):
                file.write("\n")  # a run that was stopped may have left half a line
                waiting = {pool.submit(_one, *one, secret): one for one in missing}
                for number, future in enumerate(as_completed(waiting), start=1):
                    result, key = future.result(), self._key(*waiting[future])
                    known[key] = result
                    file.write(json.dumps({"key": key, **result.__dict__}) + "\n")
                    file.flush()
                    verb = "holds against" if result.held else "is broken by"
                    text = f"{number} of {len(missing)}: {result.defence} {verb} {result.attack}"
                    say(f"{text} {f'({result.forfeit})' if result.forfeit else ''}".rstrip())
        say(f"{len(games)} games, {time.monotonic() - began:.0f} seconds for {len(missing)}.")
        return {(d.name, a.name): known[self._key(d, a)] for d, a in games}

    def _key(self, defence, attack):
        """Tell a game by its entries, the seed and the size."""
        return defence.identity, attack.identity, f"{self.seed}-{self.size[0]}"
