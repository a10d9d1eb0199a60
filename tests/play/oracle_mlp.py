"""The page's network and its SGD in NumPy, in float64: what the page is compared with."""

import numpy as np

SHAPES = ((196, 32), (32,), (32, 10), (10,))


def layers(params):
    """Split (6634,) parameters into kernels and biases."""
    ends = np.cumsum([np.prod(shape) for shape in SHAPES])
    parts = np.split(params.astype(np.float64), ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, SHAPES, strict=True)]


def logits(params, images):
    kernel1, bias1, kernel2, bias2 = layers(params)
    return np.maximum(images @ kernel1 + bias1, 0) @ kernel2 + bias2


def epoch(params, images, labels, order, learning_rate, batch_size):
    """Train on (n, 196) images in the given order."""
    flat = params.astype(np.float64)
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        x, y = images[batch].astype(np.float64), labels[batch]
        kernel1, bias1, kernel2, _ = layers(flat)
        hidden = np.maximum(x @ kernel1 + bias1, 0)
        scores = logits(flat, x)
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        error = share / share.sum(axis=1, keepdims=True)
        error[np.arange(len(batch)), y] -= 1
        error /= len(batch)
        back = (error @ kernel2.T) * (hidden > 0)
        steps = (x.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0))
        flat = flat - learning_rate * np.concatenate([step.ravel() for step in steps])
    return flat
