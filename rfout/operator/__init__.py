"""The operator: NumPy in, NumPy out, no framework.

`rfout1d` reads its arguments (`inputs`), takes each layer as rows, one a client (`rows`), and walks
over them (`walk`) in blocks of coordinates (`paths`, `threads`). The rule itself is in `blocks` and
`medians` for NumPy, and in `compiled` and `compiled_medians` for Numba; `exact` decides what is too
near the threshold for float64. `sharding` spreads one aggregation over processes or machines.
"""

from .filter import Report, rfout1d
from .rule import Center, Replacement, Scale

__all__ = ["Center", "Replacement", "Report", "Scale", "rfout1d"]
