"""What adversaries do: triggers, poisoned samples, boosted updates, collusion.

A trigger makes triggered images of clean ones. An `Adversary` is a client with one more method,
`attack`; `recruit` puts it into a federation.
"""

from .adversaries import Adversary, Backdoor, distribute, recruit
from .colluders import InsideBand, LittleIsEnough, SmallColluder, collude
from .collusion import Collusion, into_band, largest_boost, unlucky_z
from .poisoning import Window, poison, replace_model
from .triggers import EdgeCases, InstanceKey, PatternKey, PatternPart, rarest, split_pattern

__all__ = [
    "Adversary",
    "Backdoor",
    "Collusion",
    "EdgeCases",
    "InsideBand",
    "InstanceKey",
    "LittleIsEnough",
    "PatternKey",
    "PatternPart",
    "SmallColluder",
    "Window",
    "collude",
    "distribute",
    "into_band",
    "largest_boost",
    "poison",
    "rarest",
    "recruit",
    "replace_model",
    "split_pattern",
    "unlucky_z",
]
