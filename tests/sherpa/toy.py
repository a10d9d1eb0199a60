"""A model for tests: it trains in place, gives live references, and writes down what it is told."""

import numpy as np


class Log(list):
    """A list that all copies of a model share."""

    def __deepcopy__(self, memo):
        return self


class Toy:
    """Moves its weights towards the means of the features of each class."""

    def __init__(self):
        self.weights, self.bias = np.zeros((3, 2), np.float32), np.zeros(2, np.float64)
        self.log = Log()

    def train(self, data, labels, **kwargs):
        self.log.append(("train", self.weights.copy()))
        for label in (0, 1):
            self.weights[:, label] += data[labels == label].mean(axis=0) / 4
        self.bias += np.bincount(labels, minlength=2) / len(labels)

    def predict(self, data):
        return np.argmax(data @ self.weights + self.bias, axis=1)

    def evaluate(self, data, labels):
        self.log.append(("evaluate", None))
        return [float(np.mean(self.predict(data) == labels))]

    def performance(self, data, labels):
        return self.evaluate(data, labels)[0]

    def get_model_params(self):
        return [self.weights, self.bias]

    def set_model_params(self, params):
        self.weights, self.bias = params


def samples(n_nodes=12, n=8, seed=0):
    """Give each node's features and labels."""
    rng = np.random.default_rng(seed)
    features = [rng.normal(size=(n, 3)).astype(np.float32) for _ in range(n_nodes)]
    return features, [np.arange(n) % 2 for _ in range(n_nodes)]
