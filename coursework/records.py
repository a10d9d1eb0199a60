"""What the key holds of a student: the numbers, the fault, and what right solutions measure."""

from functools import partial

import numpy as np

from rfout.datasets import load

from . import faults, functions, lab, repair_it, variants

ROUNDS = {"break-it": 8, "repair-it": 5}
ATTACKED = 6


class Run:
    """The federation of one student, as the assignment's cells make it."""

    def __init__(self, mine, images):
        self.mine = mine
        self.x, self.y, self.x_test, self.y_test = images
        seed = mine["seed"]
        self.clients = lab.deal(self.x, self.y, mine["n_clients"], seed)
        model = lab.new_model(np.random.default_rng(seed))
        n_rounds = ROUNDS[mine["assignment"]]
        self.start, _ = lab.federate(model, self.clients, n_rounds, seed=seed)

    def trigger(self, images):
        """Put the student's pattern on images."""
        spec, made = self.mine["trigger"], images.copy()
        marks = np.array([[mark == "#" for mark in row] for row in spec["pattern"]])
        rows = slice(len(marks)) if spec["corner"].startswith("upper") else slice(-len(marks), None)
        columns = slice(len(marks)) if spec["corner"].endswith("left") else slice(-len(marks), None)
        made[:, rows, columns, 0] = spec["value"] * marks
        return made

    def accuracies(self, params):
        """Give main-task and backdoor accuracy."""
        others = self.y_test != self.mine["target"]
        shown = lab.predict(params, self.trigger(self.x_test[others]))
        main = np.mean(lab.predict(params, self.x_test) == self.y_test)
        return float(main), float(np.mean(shown == self.mine["target"]))

    def attack(self, params, x, y, rng):
        """Poison half of the samples, train, and boost."""
        mine = self.mine
        chosen = rng.choice(np.flatnonzero(y != mine["target"]), size=len(y) // 2, replace=False)
        x[chosen], y[chosen] = self.trigger(x[chosen]), mine["target"]
        update = lab.train(params, x, y, rng, epochs=mine.get("boost_epochs", 5)) - params
        boost = mine["n_clients"] / mine["n_adversaries"]
        return update * boost / mine.get("server_rate", 1.0)

    def last(self, aggregate, *, attacked=True):
        """Give both accuracies after six rounds."""
        with np.errstate(all="ignore"):  # an attack may be too much for the model
            params, _ = lab.federate(
            self.start, self.clients, ATTACKED, seed=self.mine["seed"] + 1, aggregate=aggregate,
            attack=self.attack if attacked else None, n_adversaries=self.mine["n_adversaries"],
            rate=self.mine.get("server_rate", 1.0),
        )  # fmt: skip
        return self.accuracies(params)

    def checked(self, aggregate):
        """Give a student's defence; it raises where the aggregate has another shape."""

        def rule(updates):
            given = aggregate(updates)
            if getattr(given, "shape", None) != self.start.shape:
                raise ValueError("`defend` gives no array of the shape (n_params,)")
            return given

        return rule

    def students(self, answers, aggregate):
        """Give both accuracies of the student's own attack, measured by the student's function."""
        mine, names = self.mine, ("trigger", "poison", "to_send", "backdoor_accuracy")
        trigger, poison, to_send, measure = (answers.function(name) for name in names)
        n, k, rate = mine["n_clients"], mine["n_adversaries"], mine["server_rate"]

        def attack(params, x, y, rng):
            x, y = poison(x, y, trigger, mine["target"], 0.5, rng)
            epochs = mine["boost_epochs"]
            wanted = lab.train(params, np.asarray(x), np.asarray(y), rng, epochs=epochs) - params
            return to_send(wanted, 0.0 * wanted, n, k, rate)

        with np.errstate(all="ignore"):  # an attack may be too much for the model
            params, _ = lab.federate(
            self.start, self.clients, ATTACKED, seed=mine["seed"] + 1, aggregate=aggregate,
            attack=attack, n_adversaries=k, rate=rate,
        )  # fmt: skip
        predict = partial(functions.label, params)
        main = float(np.mean(predict(self.x_test) == self.y_test))
        return main, measure(predict, self.x_test, self.y_test, trigger, mine["target"])


def images(seed, n_train, n_test):
    """Take a student's own images: uint8, (n, 28, 28)."""
    data = load("digits", rng=np.random.default_rng(seed), n_train=n_train, n_test=n_test)
    return {
        name: (getattr(data, name)[..., 0] * 255).round().astype(np.uint8)
        for name in ("x_train", "x_test")
    } | {name: getattr(data, name).astype(np.int64) for name in ("y_train", "y_test")}


def scaled(found):
    """Turn a student's images into what `lab.digits` gives."""
    return tuple(
        found[name][..., None] / 255 if name.startswith("x") else found[name]
        for name in ("x_train", "y_train", "x_test", "y_test")
    )


def make_record(key, assignment, student, size):
    """Give a student's record and images."""
    mine, secret = variants.variant(key, assignment, student)
    found = images(mine["seed"], *size)
    run = Run(mine, scaled(found))
    if assignment == "break-it":
        median = lambda updates: np.median(updates, axis=0)  # noqa: E731
        measured = {"mean": run.last(lab.mean), "median": run.last(median)}
    else:
        measured = {"no attack": run.last(lab.mean, attacked=False), "mean": run.last(lab.mean)}
    return {"mine": mine, "secret": secret, "measured": measured}, found


def solutions(record):
    """Give the values that the solutions of the master need."""
    mine = record["mine"]
    if mine["assignment"] == "break-it":
        return record["secret"]
    return {
        **mine["rule"],
        "largest z": repair_it.largest_z(mine, mine["n_adversaries"]),
        "seen": repair_it.seen(mine),
        "left": repair_it.left(mine),
        "counterexample": faults.COUNTEREXAMPLE,
    }
