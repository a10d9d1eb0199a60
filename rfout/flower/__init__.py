"""RFOut-1d for Flower: a strategy to import, and the book's experiment as a Flower app.

`from rfout.flower import RFOut1d` loads NumPy and of Flower what a strategy needs: any version from
1.24 on will do. Everything else here needs 1.41. The apps (`rfout.flower.client_app`,
`rfout.flower.server_app`) load TensorFlow when they first train.
"""

from typing import TYPE_CHECKING, Any

from .strategy import RFOut1d

if TYPE_CHECKING:
    from .grid import InProcessGrid

__all__ = ["InProcessGrid", "RFOut1d"]


def __getattr__(name: str) -> Any:
    """Load the grid, which rests on insides of newer versions of Flower, for who asks for it."""
    if name != "InProcessGrid":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from .grid import InProcessGrid
    except ImportError as error:
        raise ImportError(f"InProcessGrid needs flwr 1.41 or newer: {error}") from error
    return InProcessGrid
