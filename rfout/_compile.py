"""What the compiled paths share: the compiler itself, and clients' values read where they lie."""

from collections.abc import Callable
from typing import Any

import numba
from numba import carray  # type: ignore[attr-defined, unused-ignore]
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from ._rule import band

Array = NDArray[Any]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on the first call, and keep the result on disk where there is a place for it."""
    try:
        return numba.njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return numba.njit(nogil=True, error_model="numpy")(function)


@intrinsic
def _at(_: Any, address: Any) -> Any:
    """An address as a pointer: clients' arrays lie anywhere, and are not stacked into a copy."""

    def code(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), code


pointer: Any = _at  # as compiled code calls it: with the address alone
compiled_band = compiled(band)


@compiled
def row(addresses: Array, like: Array, client: int, start: int, width: int) -> Any:
    """Some of a client's values, of the dtype of `like`, as a view."""
    return carray(pointer(addresses[client] + start * like.itemsize), width, like.dtype)
