"""The entries: students' files, each called in a process of its own, and the book's own."""

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rfout import attacks
from rfout.clients import Client, Round
from rfout.defences import lineup

from .. import game, lab
from ..sandbox import Sandbox

MOST_BYTES = 100_000
# Seconds a call, seconds a game, MiB: twenty entries that use them up take an hour on two cores.
ONE_CALL, ALL_CALLS, MEMORY = 5, 20, 1024
DEFENCES = ("mean", "RFOut-1d", "RFOut-1d, median/MAD", "median", "Multi-Krum", "norm clipping")
CALL = {
    "aggregate": "def _entry(updates):\n    return aggregate(updates)\n",
    "attack": (
        "import game, lab\n"
        "def _entry(params, x, y, facts, rng):\n"
        "    return attack(params, x, y, game.Game(*facts, rng=rng))\n"
    ),
}


class Forfeit(Exception):
    """An entry that breaks the rules, or itself; the sentence for the page."""


@dataclass(frozen=True)
class Entry:
    """An aggregator or an attack of the tournament.

    Attributes
    ----------
    name
        The file's name, or the book's.
    side
        "aggregate" or "attack".
    source
        The file's text; "" is one of the book's.
    problem
        Why it can play no game.
    """

    name: str
    side: str
    source: str = ""
    problem: str = ""

    @property
    def identity(self):
        """Changes with the file."""
        return hashlib.sha256(f"{self.side}\n{self.name}\n{self.source}".encode()).hexdigest()[:16]


def read_entries(folder):
    """Read every .py file of a folder; a file that is no entry is one with a problem."""
    found = []
    for path in sorted(Path(folder).glob("*.py")):
        name = "".join(c for c in path.stem if c.isalnum() or c in " ._-")[:40] or "nameless"
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
            found.append(Entry(name, "attack", problem="the file is a link, or too large"))
            continue
        source = path.read_text("utf-8", errors="replace")
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            side = "aggregate" if "def aggregate" in source else "attack"
            found.append(Entry(name, side, source, "the file is no Python"))
            continue
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        sides = [side for side in CALL if side in names]
        problem = "" if len(sides) == 1 else "the file needs one function, `aggregate` or `attack`"
        found.append(Entry(name, sides[0] if sides else "attack", source, problem))
    return found


def book_entries():
    """Give the book's defences and attacks."""
    defences = [Entry(name, "aggregate") for name in DEFENCES]
    return defences + [Entry(name, "attack") for name in ATTACKS]


class Trainer:
    """The small model, as the attacks of `rfout.attacks` want a trainer."""

    n_params = lab.N_PARAMS

    def train(self, params, x, y, *, epochs=1, rng):
        """Train; give the new parameters."""
        return lab.train(params, x, y, rng, epochs)


def recruited(role, **how):
    """Make an attack of the tournament from a role of `rfout.attacks`."""

    def make(arena):
        chosen = range(game.N_ADVERSARIES)
        more = {"trigger": attacks.PatternKey(), "target": arena.target, "epochs": 5}
        if role is attacks.LittleIsEnough:
            more = {}
        honest = [Client(x, y) for x, y in arena.clients]
        join = attacks.recruit if role is attacks.Backdoor else attacks.collude
        clients = join(honest, set(chosen), role, **more, **how)

        def attack(params, x, y, seen):
            sampled = tuple(range(game.N_CLIENTS))
            now = Round(seen.round_number, sampled, tuple(chosen))
            return np.array([clients[c].attack(Trainer(), params, now, seen.rng) for c in chosen])

        return attack

    return make


ATTACKS = {
    "no attack": None,
    "model replacement": recruited(attacks.Backdoor),
    "slow poisoning": recruited(attacks.Backdoor, boost=1.0),
    "inside the band": recruited(attacks.InsideBand),
    "small colluders": recruited(attacks.SmallColluder),
    "a little is enough": recruited(
        attacks.LittleIsEnough, z=attacks.unlucky_z(game.N_CLIENTS, game.N_ADVERSARIES)
    ),
}


class Player:
    """An entry in one game: a function of the book's, or a process of its own."""

    def __init__(self, entry, arena, secret=()):
        self.entry, self.sandbox = entry, None
        if entry.problem:
            raise Forfeit(entry.problem)
        if not entry.source:
            book = lineup(game.N_CLIENTS, game.N_ADVERSARIES)
            make = ATTACKS.get(entry.name)
            self.call = book[entry.name] if entry.side == "aggregate" else make and make(arena)
            return
        here = Path(lab.__file__).parent
        files = {name: (here / name).read_bytes() for name in ("lab.py", "game.py")}
        self.sandbox = Sandbox(
            files, secret, one_cell=ONE_CALL, one_call=ONE_CALL, all_calls=ALL_CALLS,
            memory=MEMORY, plots=False,
        )  # fmt: skip
        self.sandbox.run([("entry", entry.source), ("_entry", CALL[entry.side])])
        self._complain()
        self.there = self.sandbox.function("_entry")
        self.call = self._aggregate if entry.side == "aggregate" else self._attack

    def _complain(self):
        if bad := [*self.sandbox.bad.values(), *self.sandbox.broken.values()]:
            raise Forfeit(bad[0])
        if self.sandbox.notes:
            raise Forfeit(self.sandbox.notes[0])

    def _asked(self, shapes, *given):
        try:
            found = self.there(*given)
        except Exception as error:
            self._complain()
            raise Forfeit(f"raises {type(error).__name__}: {str(error)[:120]}") from None
        self._complain()
        if not isinstance(found, np.ndarray) or found.dtype.kind != "f":
            raise Forfeit(f"gives {type(found).__name__}, no array of floating numbers")
        if found.shape not in shapes or not np.isfinite(found).all():
            raise Forfeit(f"gives an array of shape {found.shape}, or numbers that are not finite")
        return found

    def _aggregate(self, updates):
        return self._asked([updates.shape[1:]], updates)

    def _attack(self, params, x, y, seen):
        shapes = [params.shape, (game.N_ADVERSARIES, *params.shape)]
        facts = [seen.round_number, seen.target, seen.n_clients, seen.n_adversaries]
        return self._asked(shapes, params, x, y, facts, seen.rng)

    def close(self):
        """End the process."""
        if self.sandbox is not None:
            self.sandbox.__exit__()
