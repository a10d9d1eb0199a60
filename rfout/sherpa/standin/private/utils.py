"""Not Sherpa.ai. The access policy that hides nothing."""

from typing import Any


def unprotected_query(data: Any) -> Any:
    """Give what is asked for as it is."""
    return data
