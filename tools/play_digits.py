"""Make the digits of the page "Play": `book/_static/play/digits.bin`.

    python tools/play_digits.py

The 5,000 digits that `rfout.datasets` loads, averaged down to 14 x 14 pixels of 16 grey levels:
they take a twentieth of the space, and a small network tells them apart as well.
`book/_static/play/core/digits.js` says how the file is read.
"""

import zlib
from pathlib import Path

import numpy as np

from rfout.datasets import load

FILE = Path(__file__).parents[1] / "book" / "_static" / "play" / "digits.bin"


def averaged(images):
    """Average (n, 28, 28, 1) images in [0, 1] down to (n, 14, 14)."""
    return images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))


def packed():
    """Give the file's content before compression."""
    data = load("digits", rng=np.random.default_rng(0))
    levels = np.rint(averaged(np.concatenate([data.x_train, data.x_test])) * 15).astype(np.uint8)
    halves = levels.reshape(-1, 2)
    head = np.array([len(data.x_train), len(data.x_test)], dtype="<u2")
    labels = np.concatenate([data.y_train, data.y_test]).astype(np.uint8)
    return head.tobytes() + labels.tobytes() + (halves[:, 0] << 4 | halves[:, 1]).tobytes()


if __name__ == "__main__":
    FILE.write_bytes(zlib.compress(packed(), 9))
