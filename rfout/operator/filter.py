"""RFOut-1d, the operator: NumPy in, NumPy out, no framework.

The whole rule is three lines. For one array with clients on axis 0:

    mean, std = updates.mean(axis=0), updates.std(axis=0)
    flagged = abs(updates - mean) > 3.0 * std
    aggregate = np.where(flagged, mean, updates).mean(axis=0)

`rfout1d` is these lines, at the price of a mean, exact where they round, with the repairs that the
theory asks for, and safe on what a hostile client may send. The updates pass through `inputs`,
which says what is wrong with them, and `walk`, which goes over blocks of coordinates.

Source: Rodríguez-Barroso, Martínez-Cámara, Luzón, Herrera (2022),
doi:10.1016/j.knosys.2022.108588.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import inputs, walk
from .rule import Center, Replacement, Rule, Scale, check_choice, read_rule
from .threads import Tally

Array = NDArray[np.floating]
# (n_clients, ...), or a list of n_clients arrays of one shape, or of lists of layers.
Updates = ArrayLike | list[Array] | tuple[Array, ...] | list[list[Array]]


@dataclass(frozen=True)
class Report:
    """What RFOut-1d did to each client in one aggregation.

    Attributes
    ----------
    flagged
        (n_clients,) float64 in [0, 1]: the share of the client's coordinates that was flagged; 1
        for a client that was left out.
    largest_z
        (n_clients,) float64: the client's largest distance from the center, in units of the scale,
        over the coordinates whose scale is not 0; 0 if there is none, infinity for a client that
        was left out.
    left_out
        Why clients were left out, by client: empty unless ``on_invalid="drop"`` found a reason.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.append(np.zeros((11, 1)), [[12.0]], axis=0)
    >>> _, report = rfout1d(updates, return_report=True)
    >>> report.flagged.tolist()[-1], report.left_out
    (1.0, {})
    """

    flagged: NDArray[np.float64]
    largest_z: NDArray[np.float64]
    left_out: dict[int, str]


@overload
def rfout1d(
    updates: Updates,
    *,
    threshold: float = ...,
    center: Center = ...,
    scale: Scale = ...,
    replacement: Replacement = ...,
    return_report: Literal[False] = ...,
    on_invalid: Literal["raise", "drop"] = ...,
) -> Any: ...
@overload
def rfout1d(
    updates: Updates,
    *,
    threshold: float = ...,
    center: Center = ...,
    scale: Scale = ...,
    replacement: Replacement = ...,
    return_report: Literal[True],
    on_invalid: Literal["raise", "drop"] = ...,
) -> tuple[Any, Report]: ...
def rfout1d(
    updates: Updates,
    *,
    threshold: float = 3.0,
    center: Center = "mean",
    scale: Scale = "std",
    replacement: Replacement = "center",
    return_report: bool = False,
    on_invalid: Literal["raise", "drop"] = "raise",
) -> Array | list[Array] | tuple[Array | list[Array], Report]:
    """Aggregate client updates, filtering outliers on each coordinate on its own.

    A value further than `threshold` times the `scale` from the `center` of its coordinate is
    flagged and replaced; the aggregate is the plain, unweighted mean of what results. The defaults
    are the paper's rule.

    Parameters
    ----------
    updates
        (n_clients, ...) real numbers, clients on axis 0, any trailing shape; or a list of
        n_clients arrays of one shape, which are read where they are; or a list of n_clients lists
        of layers. Full parameters do as well: the rule moves with a shift. Never changed.
    threshold
        How many times the scale a value may lie from the center, positive; the paper's is 3.
    center
        "mean", the paper's, which the outlier helps to make; or "median", which fewer than half of
        the clients cannot move beyond the others' values.
    scale
        "std", the population standard deviation about the mean; or "mad", 1.4826 times the median
        distance from the median, meant for ``center="median"``. The same rule holds where the
        scale is 0: whatever differs from the center is flagged. For "std" nothing does. MAD is 0
        where more than half of the clients send one and the same value, as of a parameter that
        they do not train, and then the aggregate is that value, as the median's would be. To flag
        nothing there would leave to an attacker just the coordinates that honest clients do not
        touch; the price is that an honest minority is not heard on them.
    replacement
        "center": a flagged value counts as the center; "drop": it does not count, and where every
        value is flagged the aggregate is the center.
    return_report
        Also return a `Report` on every client.
    on_invalid
        What to do about a client whose update is not finite, not of real numbers of at most 64
        bits, masked, or of another shape than most: "raise", or "drop" to leave it out with a
        `UserWarning`.

    Returns
    -------
    aggregate
        Trailing shape of `updates`, in their floating dtype (float64 for integers); for lists of
        layers the list of their aggregates.
    report
        Only with `return_report=True`.

    Raises
    ------
    ValueError
        If there is no client, or `threshold` or another argument is not one of those above. With
        ``on_invalid="raise"`` also if an update is not finite, or of another shape than the
        others, with the client and the layer; with "drop", if that leaves nobody.
    TypeError
        If values are not real numbers, or masked; with "drop" only if that is so of one array that
        holds all clients.

    Warns
    -----
    UserWarning
        Once for each line of the caller: that the paper's rule can flag nothing. A value is at most
        sqrt(n_clients - 1) standard deviations from the mean, so that a threshold of 3 needs 11
        clients.

    Notes
    -----
    Who is flagged is decided as in exact arithmetic on the values given, and a value at the
    threshold is not flagged; what lies within a relative 1e-24 of the threshold counts as at it,
    since more digits than that are not computed. The average is made in
    float64. The bytes do not depend on the number of threads (RFOUT_NUM_THREADS), and a layer at a
    time gives those of the flat vector. From four million values on the rule is compiled, if Numba
    is installed. Values of 64 bits whose squares exceed float64 are decided slowly.
    Source: doi:10.1016/j.knosys.2022.108588.

    Examples
    --------
    >>> import numpy as np
    >>> updates = np.append(np.zeros((11, 1)), [[12.0]], axis=0)
    >>> rfout1d(updates).round(3)  # the outlier counts as the mean, which is 1
    array([0.083])
    """
    rule = read_rule(threshold, center, scale, replacement)
    check_choice("on_invalid", on_invalid, ("raise", "drop"))
    given = inputs.read(updates, on_invalid)
    done = walk.through(
        given.layers, len(given.kept), rule, drop=on_invalid == "drop", count=return_report
    )
    bad = {given.kept[row]: given.not_finite(row, *at) for row, at in done.not_finite.items()}
    if bad and on_invalid == "raise":
        raise inputs.NotFiniteError(next(iter(bad.values())))
    left_out = given.left_out | bad
    if len(left_out) == given.n_given:
        raise inputs.nobody_left(left_out)
    _warn(left_out, given.n_given - len(left_out), rule)
    aggregate = done.aggregates if given.layered else done.aggregates[0]
    if done.tally is None:
        return aggregate
    return aggregate, _report(given, left_out, done.tally)


def _warn(left_out: dict[int, str], n: int, rule: Rule) -> None:
    """Once for each place in the caller's code, by Python's own habit."""
    for client in sorted(left_out):
        warnings.warn(f"left out of the aggregate: {left_out[client]}", stacklevel=3)
    if rule.is_papers and rule.threshold >= math.sqrt(n - 1):
        warnings.warn(
            f"nothing can be flagged: of {n} values none is further than sqrt({n} - 1) = "
            f"{math.sqrt(n - 1):.2f} standard deviations from their mean, and the threshold is "
            f"{rule.threshold:g}. The aggregate is the plain mean.",
            stacklevel=3,
        )


def _report(given: inputs.Given, left_out: dict[int, str], tally: Tally) -> Report:
    n_params = sum(math.prod(layer.shape) for layer in given.layers)
    report = Report(np.ones(given.n_given), np.full(given.n_given, np.inf), left_out)
    stayed = [client for client in range(given.n_given) if client not in left_out]
    report.flagged[stayed] = tally.n_flagged / max(1, n_params)
    report.largest_z[stayed] = tally.largest_z
    return report
