"""RFOut-1d: federated aggregation that filters outliers one coordinate at a time.

`import rfout` loads NumPy and nothing heavier. The other rooms are imported by name, where they
are used: `rfout.datasets`, `rfout.models`, `rfout.federation`, and so on.
"""

from .operator import Report, rfout1d

__all__ = ["Report", "rfout1d"]
__version__ = "0.1.0"
