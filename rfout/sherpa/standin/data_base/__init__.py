"""Not Sherpa.ai. Labelled data in one place, before they are spread."""

from . import data_base
from .data_base import LabeledDatabase

__all__ = ["LabeledDatabase", "data_base"]
