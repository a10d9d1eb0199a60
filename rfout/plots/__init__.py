"""Every figure of the book, in its one style.

The Okabe-Ito colours go together with line styles, markers or hatches, so that no figure needs
colour to be read. A function draws, closes the figure for pyplot (a notebook would show it twice)
and returns it: make it a cell's last line.
"""

from .flower import nodes
from .rounds import by_round, flagged, multiples, rounds
from .samples import coordinate, coordinates, histograms, images, label_counts
from .style import BLACK, BLUE, GREEN, ORANGE, PURPLE, SERIES, SKY, VERMILLION, band, style
from .tables import bars, curves, dots, heat

__all__ = [
    "BLACK",
    "BLUE",
    "GREEN",
    "ORANGE",
    "PURPLE",
    "SERIES",
    "SKY",
    "VERMILLION",
    "band",
    "bars",
    "by_round",
    "coordinate",
    "coordinates",
    "curves",
    "dots",
    "flagged",
    "heat",
    "histograms",
    "images",
    "label_counts",
    "multiples",
    "nodes",
    "rounds",
    "style",
]
