"""What adversaries do: triggers, poisoned samples, boosted updates, collusion.

A trigger makes triggered images of clean ones. An `Adversary` is a client with one more method,
`attack`; `recruit` puts it into a federation.
"""

from .adversaries import Adversary, Backdoor, distribute, recruit
from .colluders import LittleIsEnough, SmallColluder, collude
from .collusion import Collusion, into_ball, into_band, largest_boost, unlucky_z
from .constrained import InsideBall, InsideBand
from .edge_cases import EdgeCases, rarest, rarity
from .poisoning import Window, poison, replace_model
from .triggers import InstanceKey, PatternKey, PatternPart, split_pattern

__all__ = [
    "Adversary",
    "Backdoor",
    "Collusion",
    "EdgeCases",
    "InsideBall",
    "InsideBand",
    "InstanceKey",
    "LittleIsEnough",
    "PatternKey",
    "PatternPart",
    "SmallColluder",
    "Window",
    "collude",
    "distribute",
    "into_ball",
    "into_band",
    "largest_boost",
    "poison",
    "rarest",
    "rarity",
    "recruit",
    "replace_model",
    "split_pattern",
    "unlucky_z",
]
