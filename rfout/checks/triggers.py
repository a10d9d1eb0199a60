"""The check of a trigger: a pattern on images."""

from collections.abc import Iterator
from random import Random
from typing import Any

from .task import Case, Task, array

CROSS = [(i, j) for i in range(5) for j in range(5) if i == j or i + j == 4]
PLUS = [(i, j) for i in range(5) for j in range(5) if i == 2 or j == 2]


def stamped(
    images: Any,
    pixels: list[tuple[int, int]] = CROSS,
    *,
    down: bool = True,
    right: bool = True,
    black: bool = True,
    value: float = 1.0,
) -> Any:
    """Put a pattern on images given as nested lists."""
    height, width = len(images[0]), len(images[0][0])
    top, left = (height - 5 if down else 0), (width - 5 if right else 0)
    result = [[[list(pixel) for pixel in row] for row in image] for image in images]
    for image in result:
        for i in range(5):
            for j in range(5):
                old = image[top + i][left + j]
                new = value if (i, j) in pixels else (0.0 if black else None)
                image[top + i][left + j] = old if new is None else [new] * len(old)
    return result


def stamp_cases(rng: Random) -> Iterator[Case]:
    """Give square images, then others, then colours."""
    whole = [(i, j) for i in range(5) for j in range(5)]
    for n, height, width, channels in ((2, 8, 8, 1), (1, 28, 28, 1), (3, 7, 9, 1), (2, 8, 6, 3)):
        images = array(
            [
                [[[rng.randrange(1, 16) / 16 for _ in range(channels)] for _ in range(width)]
                 for _ in range(height)]
                for _ in range(n)
            ],
            "float32",
        )  # fmt: skip
        plain = images.tolist()
        mistakes = {
            "it changes nothing.": plain,
            "the pattern is in the lower left corner.": stamped(plain, right=False),
            "the pattern is in the upper right corner.": stamped(plain, down=False),
            "the pattern is in the upper left corner.": stamped(plain, down=False, right=False),
            "the square behind the cross should be black.": stamped(plain, black=False),
            "it stamps a white square: stamp a cross on a black square.": stamped(plain, whole),
            "it stamps one diagonal: a cross has two.": stamped(plain, CROSS[::2]),
            "it stamps an upright plus: the cross is made of the two diagonals.": (
                stamped(plain, PLUS)
            ),
            "the cross has the brightness 255: white is 1.": stamped(plain, value=255.0),
            "the black and the white pixels are exchanged.": stamped(
                plain, [p for p in whole if p not in CROSS]
            ),
        }
        about = f"{n} images of {height} x {width} pixels, {channels} channels"
        yield Case({"images": images}, stamped(plain), mistakes, about)


TASKS = {
    "stamp": Task(
        "stamp(images)",
        "copies of the images, with a white 5 x 5 cross on black in the lower right corner.",
        "same dtype",
        stamp_cases,
    ),
}
