"""RFOut-1d, the operator: NumPy in, NumPy out, no framework.

The whole rule is three lines. For one array with clients on axis 0:

    mean, std = updates.mean(axis=0), updates.std(axis=0)
    flagged = abs(updates - mean) > 3.0 * std
    aggregate = np.where(flagged, mean, updates).mean(axis=0)

`rfout1d` is these lines with the sums in float64 and an optional report.

Source: Rodríguez-Barroso, Martínez-Cámara, Luzón, Herrera (2022),
doi:10.1016/j.knosys.2022.108588. Chapter: rfout-1d.
"""

from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Report:
    """What RFOut-1d did to each client in one aggregation. Chapter: rfout-1d.

    Attributes
    ----------
    flagged
        (n_clients,) float64 in [0, 1]: the share of the client's coordinates that was flagged.
    largest_z
        (n_clients,) float64: the client's largest distance from the mean, in standard deviations,
        over its coordinates; 0 where no coordinate varies between clients.
    """

    flagged: NDArray[np.float64]
    largest_z: NDArray[np.float64]


@overload
def rfout1d(
    updates: ArrayLike, *, threshold: float = ..., return_report: Literal[False] = ...
) -> NDArray[np.floating]: ...
@overload
def rfout1d(
    updates: ArrayLike, *, threshold: float = ..., return_report: Literal[True]
) -> tuple[NDArray[np.floating], Report]: ...
def rfout1d(
    updates: ArrayLike, *, threshold: float = 3.0, return_report: bool = False
) -> NDArray[np.floating] | tuple[NDArray[np.floating], Report]:
    """Aggregate client updates by the paper's rule, each coordinate on its own.

    A value further than `threshold` population standard deviations from its coordinate's mean is
    replaced by that mean (which the outlier helped to make); the aggregate is the plain,
    unweighted mean of what results.

    Parameters
    ----------
    updates
        (n_clients, ...) real numbers: clients on axis 0, any trailing shape, as for
        ``numpy.mean(updates, axis=0)``. Full parameters do as well: the rule moves with a shift.
    threshold
        How many standard deviations from the mean a value may lie, positive; the paper's is 3.
    return_report
        Also return a `Report` on every client.

    Returns
    -------
    aggregate
        Trailing shape of `updates`, in their floating dtype (float64 for integers).
    report
        Only with `return_report=True`.

    Raises
    ------
    ValueError
        If there is no client, or `threshold` is not a positive number.
    TypeError
        If the values are not real numbers.

    Notes
    -----
    With ten clients or fewer nothing is ever flagged: see the chapter rfout-1d.
    Source: doi:10.1016/j.knosys.2022.108588. Chapter: rfout-1d.
    """
    x = np.asarray(updates)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"updates must be real numbers, and these are of dtype {x.dtype}")
    if x.ndim == 0 or len(x) == 0:
        raise ValueError(f"updates need clients on axis 0, at least one; their shape is {x.shape}")
    if not threshold > 0:
        raise ValueError(f"threshold must be a positive number of sigmas, not {threshold!r}")

    mean = x.mean(axis=0, dtype=np.float64)
    distance = np.abs(x - mean)
    std = np.sqrt(np.mean(distance**2, axis=0))
    flagged = distance > threshold * std
    aggregate = np.where(flagged, mean, x).mean(axis=0)
    aggregate = aggregate.astype(x.dtype if x.dtype.kind == "f" else np.float64)
    if not return_report:
        return aggregate

    coordinates = tuple(range(1, x.ndim))
    z = np.divide(distance, std, out=np.zeros_like(distance), where=std > 0)
    return aggregate, Report(
        flagged=flagged.sum(axis=coordinates) / max(1, mean.size),
        largest_z=z.max(axis=coordinates, initial=0.0),
    )
