"""A federation in NumPy that runs in seconds: what the assignments and the tournament work with.

A model is one flat vector of parameters. A client trains it on its own images and sends the
difference, its update. The server aggregates the updates and adds the result to the model.

This file needs NumPy and nothing else. It is handed out with every assignment.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

SHAPES = ((784, 32), (32,), (32, 10), (10,))
N_PARAMS = sum(int(np.prod(shape)) for shape in SHAPES)


def new_model(rng):
    """Give (n_params,) random initial parameters: 784 pixels, 32 hidden units, 10 classes."""
    parts = [rng.normal(0, np.sqrt(2 / shape[0]), shape) * (len(shape) > 1) for shape in SHAPES]
    return np.concatenate([part.ravel() for part in parts])


def layers(params):
    """Give views of the four layers of a flat vector."""
    ends = np.cumsum([int(np.prod(shape)) for shape in SHAPES])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(params, ends), SHAPES, strict=True)]


def predict(params, x):
    """Give the (n,) labels of (n, 28, 28, 1) images."""
    w1, b1, w2, b2 = layers(params)
    return (np.maximum(x.reshape(len(x), -1) @ w1 + b1, 0) @ w2 + b2).argmax(axis=1)


def train(params, x, y, rng, epochs=1, rate=0.2, batch=20):
    """Train from `params` by stochastic gradient descent; give the new (n_params,) parameters."""
    params = params.copy()
    w1, b1, w2, b2 = layers(params)
    x = x.reshape(len(x), -1)
    for _ in range(epochs):
        order = rng.permutation(len(y))
        for start in range(0, len(y), batch):
            chosen = order[start : start + batch]
            images = x[chosen]
            hidden = np.maximum(images @ w1 + b1, 0)
            scores = hidden @ w2 + b2
            grad = np.exp(scores - scores.max(axis=1, keepdims=True))
            grad /= grad.sum(axis=1, keepdims=True)
            grad[np.arange(len(chosen)), y[chosen]] -= 1
            grad *= rate / len(chosen)
            back = (grad @ w2.T) * (hidden > 0)
            w2 -= hidden.T @ grad
            b2 -= grad.sum(axis=0)
            w1 -= images.T @ back
            b1 -= back.sum(axis=0)
    return params


def mean(updates):
    """Average the (n_clients, n_params) updates."""
    return updates.mean(axis=0)


def federate(
    params, clients, n_rounds, *, seed, aggregate=mean, attack=None, n_adversaries=0, measure=None,
    rate=1.0, epochs=1,
):  # fmt: skip
    """Run rounds of federated learning.

    Parameters
    ----------
    params
        (n_params,) where it starts; not changed.
    clients
        List of (images, labels), one pair for each client.
    n_rounds
        How many rounds.
    seed
        A whole number; the same seed gives the same honest updates.
    aggregate
        (n_clients, n_params) updates to the (n_params,) aggregate.
    attack
        ``attack(params, x, y, rng)`` gives the update of an adversary; None attacks never.
    n_adversaries
        How many clients attack, the first ones.
    measure
        ``measure(params)`` is called after every round; what it gives is collected.
    rate
        The server adds `rate` times the aggregate.
    epochs
        Local epochs of an honest client.

    Returns
    -------
    params, measured
        The parameters at the end, and the list of what `measure` gave.
    """
    measured = []
    for number in range(n_rounds):
        updates = np.empty((len(clients), len(params)))
        for client, (x, y) in enumerate(clients):
            rng = np.random.default_rng([seed, number, client])
            if attack is not None and client < n_adversaries:
                updates[client] = attack(params.copy(), x.copy(), y.copy(), rng)
            else:
                updates[client] = train(params, x, y, rng, epochs) - params
        params = params + rate * aggregate(updates)
        if measure is not None:
            measured.append(measure(params))
    return params, measured


def mine(folder="."):
    """Read your own numbers, from mine.json."""
    return json.loads((Path(folder) / "mine.json").read_text("utf-8"))


def digits(folder="."):
    """Read your own images: x_train, y_train, x_test, y_test, with pixels from 0 to 1."""
    with np.load(Path(folder) / "digits.npz") as file:
        x_train, y_train, x_test, y_test = (
            file[name] for name in ("x_train", "y_train", "x_test", "y_test")
        )
    return x_train[..., None] / 255, y_train, x_test[..., None] / 255, y_test


def deal(x, y, n_clients, seed):
    """Deal the images to clients at random: a list of (images, labels)."""
    order = np.random.default_rng(seed).permutation(len(y))
    return [(x[part], y[part]) for part in np.array_split(order, n_clients)]


def seal(prediction):
    """Give the code of a prediction: it changes if you change the prediction."""
    text = json.dumps(prediction, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
