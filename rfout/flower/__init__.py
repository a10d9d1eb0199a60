"""RFOut-1d for Flower: a strategy to import, and the book's experiment as a Flower app.

`from rfout.flower import RFOut1d` loads Flower and NumPy. The apps (`rfout.flower.client_app`,
`rfout.flower.server_app`) load TensorFlow when they first train.

Chapters: flower, flower-deployment.
"""

from .grid import InProcessGrid
from .strategy import RFOut1d

__all__ = ["InProcessGrid", "RFOut1d"]
