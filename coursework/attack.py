"""The attack of "Repair it": poisoned training, and an update that is boosted to land on it."""

import lab
import numpy as np


def put_trigger(images, spec):
    """Stamp the pattern of `mine["trigger"]` on copies of (n, 28, 28, 1) images."""
    marks = np.array([[mark == "#" for mark in row] for row in spec["pattern"]])
    size, images = len(marks), images.copy()
    rows = slice(size) if spec["corner"].startswith("upper") else slice(-size, None)
    columns = slice(size) if spec["corner"].endswith("left") else slice(-size, None)
    images[:, rows, columns, 0] = spec["value"] * marks
    return images


def accuracies(params, mine, x, y):
    """Give the main-task accuracy and the backdoor accuracy on test images."""
    others = y != mine["target"]
    triggered = lab.predict(params, put_trigger(x[others], mine["trigger"]))
    return (
        float(np.mean(lab.predict(params, x) == y)),
        float(np.mean(triggered == mine["target"])),
    )


def make_attack(mine):
    """Give the attack of one of your adversaries, for `lab.federate`."""

    def attack(params, x, y, rng):
        chosen = rng.permutation(np.flatnonzero(y != mine["target"]))[: len(y) // 2]
        x[chosen], y[chosen] = put_trigger(x[chosen], mine["trigger"]), mine["target"]
        update = lab.train(params, x, y, rng, epochs=5) - params
        return update * mine["n_clients"] / mine["n_adversaries"]

    return attack
