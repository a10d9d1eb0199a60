"""Data sets with natural clients: the writers of FEMNIST, and the celebrities of CelebA.

Nothing is shared out here: every client holds the samples of one person. `load_natural` is the one
way in.
"""

from .kinds import KINDS, Kind
from .load import NaturalClients, load_natural, source_name

__all__ = ["KINDS", "Kind", "NaturalClients", "load_natural", "source_name"]
