"""Puts the repository's folder on the path, so that `coursework` is found."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
