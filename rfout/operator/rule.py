"""What the paths of the engine share: the rule as data, and float64's bound on its own errors."""

from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np

MAD_FACTOR = 1.4826  # makes the MAD of Gaussian values estimate their standard deviation
EPSILON = 2.0**-52
TINY = 1e-280  # below, squares have lost bits to underflow

Center = Literal["mean", "median"]
Scale = Literal["std", "mad"]
Replacement = Literal["center", "drop"]


@dataclass(frozen=True)
class Rule:
    """One member of the family: the keyword arguments of `rfout1d`."""

    threshold: float = 3.0
    center: Center = "mean"
    scale: Scale = "std"
    replacement: Replacement = "center"

    @property
    def is_papers(self) -> bool:
        """Whether the filter is the paper's, whatever the threshold."""
        return self.center == "mean" and self.scale == "std"


def read_rule(threshold: Any, center: Any, scale: Any, replacement: Any) -> Rule:
    """Check the keyword arguments that make the rule."""
    if not isinstance(threshold, Real) or isinstance(threshold, bool):
        raise TypeError(f"threshold must be a positive number of sigmas, not {threshold!r}")
    if not 0 < float(threshold) < np.inf:
        raise ValueError(f"threshold must be a positive number of sigmas, not {threshold!r}")
    for name, value, choices in (
        ("center", center, ("mean", "median")),
        ("scale", scale, ("std", "mad")),
        ("replacement", replacement, ("center", "drop")),
    ):
        check_choice(name, value, choices)
    return Rule(float(threshold), center, scale, replacement)


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Raise ValueError where an argument is none of its choices."""
    if not isinstance(value, str) or value not in choices:
        listed = " or ".join(f'"{choice}"' for choice in choices)
        raise ValueError(f"{name} must be {listed}, not {value!r}")


def band(total: Any, squares: Any, n: int, threshold: float) -> tuple[Any, Any, Any, Any]:
    """Mean, sigma, limit = threshold * sigma, and a bound on the error of |d - mean| - limit.

    From sum and sum of squares of the n values d, each rounded once and summed in any order. A sum
    of n rounded terms is off by at most n/2 EPSILON of the sum of their magnitudes; with sigma² =
    squares/n - mean², both errors are at most (n + 8) EPSILON (1 + threshold) squares/(n sigma),
    and twice that is taken. For arrays and, compiled, for scalars.
    """
    mean = total / n
    power = squares / n
    sigma = np.sqrt(power - mean * mean)
    limit = threshold * sigma
    error = 2 * (n + 8) * EPSILON * (1 + threshold) * (power / sigma)
    return mean, sigma, limit, error
