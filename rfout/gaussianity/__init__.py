"""Are client updates Gaussian, coordinate by coordinate? Tests of normality, many at a time.

Arrays in, arrays out. A share of rejections says nothing alone: put it beside that of `gaussians`,
where every rejection is a false alarm, and of an alternative, where it is the tests' power.
"""

from .normality import TESTS, anderson_darling, dagostino_pearson, p_values, shapiro_wilk, silent
from .rejections import beyond, gaussians, rejected, rejection_share

__all__ = [
    "TESTS",
    "anderson_darling",
    "beyond",
    "dagostino_pearson",
    "gaussians",
    "p_values",
    "rejected",
    "rejection_share",
    "shapiro_wilk",
    "silent",
]
