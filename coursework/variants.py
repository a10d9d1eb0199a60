"""From the class key and a student to that student's own numbers."""

import hashlib
import hmac
import json
from random import Random

from . import faults

ASSIGNMENTS = ("break-it", "repair-it")
CLASS = "class"  # whose numbers everybody has where there is no list of students
SHORTEST_KEY = 8

PATTERNS = {
    "a cross of two diagonals": lambda i, j, last: i == j or i + j == last,
    "an upright plus": lambda i, j, last: last // 2 in (i, j),
    "a frame": lambda i, j, last: i in (0, last) or j in (0, last),
    "a chessboard": lambda i, j, last: (i + j) % 2 == 0,
}
CORNERS = ("upper left", "upper right", "lower left", "lower right")


def check_key(key):
    """Refuse a key that a student would guess: the generator is public."""
    if len(key) < SHORTEST_KEY or not key.replace("-", "").isalnum():
        raise SystemExit(
            f"The key must be letters, digits and hyphens, at least {SHORTEST_KEY} of them, which "
            "nobody guesses: whoever has it can make the answers. For one: openssl rand -hex 8"
        )
    return key


def drawn(key, assignment, student, *what):
    """Give the generator of one student's numbers."""
    text = json.dumps([assignment, student, *what])
    return Random(hmac.digest(key.encode(), text.encode(), hashlib.sha256))


def trigger(rng):
    """Draw a pattern, its corner and its brightness."""
    name, size = rng.choice(list(PATTERNS)), rng.choice((5, 7))
    rows = [
        "".join("#" if PATTERNS[name](i, j, size - 1) else "." for j in range(size))
        for i in range(size)
    ]
    corner, value = rng.choice(CORNERS), rng.choice((0.75, 0.875, 1.0))
    words = (
        f"{name} of {size} x {size} pixels in the {corner} corner: brightness {value} where the "
        "pattern has #, black where it has a dot"
    )
    return {"pattern": rows, "corner": corner, "value": value, "words": words}


def rule(rng):
    """Draw a relative of RFOut-1d."""
    made = {
        "threshold": rng.choice((2, 3, 4)),
        "center": rng.choice(("mean", "median")),
        "ddof": rng.choice((0, 1)),
        "strict": rng.choice((True, False)),
        "replacement": rng.choice(("mean", "median", "drop")),
    }
    std = ("population (ddof=0)", "sample (ddof=1)")[made["ddof"]]
    edge = "is not flagged" if made["strict"] else "is flagged as well"
    instead = {
        "mean": "counts as the mean of the coordinate, outliers included; then all are averaged",
        "median": "counts as the median of the coordinate; then all are averaged",
        "drop": "does not count: the aggregate is the mean of the values that are left",
    }[made["replacement"]]
    made["words"] = (
        f"On each coordinate take the {made['center']} m of the clients' values, and the {std} "
        f"standard deviation s of the values about their mean. A value is flagged if it is further "
        f"than {made['threshold']} s from m; a value at exactly {made['threshold']} s {edge}. A "
        f"flagged value {instead}."
    )
    return made


def variant(key, assignment, student):
    """Give a student's numbers: what the student is told, and the fault to be found."""
    rng = drawn(key, assignment, student)
    n_clients = rng.randrange(18, 25)
    mine = {
        "student": student,
        "assignment": assignment,
        "seed": rng.randrange(2**31),
        "n_clients": n_clients,
        "n_adversaries": rng.choice((1, 2)) if assignment == "break-it" else rng.choice((3, 4)),
        "target": rng.randrange(10),
        "trigger": trigger(rng),
    }
    if assignment == "break-it":
        mine["server_rate"] = rng.choice((0.5, 0.625, 0.75, 0.875))
        mine["boost_epochs"] = rng.choice((4, 5, 6))
        letters = dict(zip("abcdef", rng.sample(list(faults.POISON_FAULTS), 6), strict=True))
        mine["statements"] = {
            letter: faults.POISON_FAULTS[name][1] for letter, name in letters.items()
        }
        letter = rng.choice("abcdef")
        secret = {"fault": letters[letter], "letter": letter}
    else:
        mine["rule"] = rule(rng)
        secret = {"fault": rng.choice(list(faults.RULE_FAULTS))}
    return mine, secret


def suspect(assignment, secret):
    """Give the source of the wrong solution that a student is given."""
    make = faults.faulty_poison if assignment == "break-it" else faults.faulty_rule
    return make(secret["fault"])


def told(mine):
    """Leave out what the student has to read from the words of the rule."""
    shown = dict(mine)
    if "rule" in mine:
        shown["rule"] = {name: mine["rule"][name] for name in ("threshold", "words")}
    return shown
