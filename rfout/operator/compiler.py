"""What the compiled paths share: the compiler itself, and clients' values read where they lie."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba import carray  # type: ignore[attr-defined, unused-ignore]
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from .rule import band

Array = NDArray[Any]
SOURCES = ("compiler", "compiled", "compiled_medians", "rule")


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on the first call, and keep the result on disk where there is a place for it."""
    try:
        kept = numba.njit(nogil=True, error_model="numpy", cache=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return numba.njit(nogil=True, error_model="numpy")(function)
    if kept.stats.cache_path is not None:
        forget_outdated(Path(kept.stats.cache_path), Path(__file__).parent)
    return kept


@cache
def forget_outdated(folder: Path, package: Path) -> None:
    """Delete from the cache `folder` what was compiled before one of the sources was changed.

    The compiler looks at a function's own file alone, and these call each other across files.
    """
    changed = max((package / f"{name}.py").stat().st_mtime for name in SOURCES)
    for index in (one for name in SOURCES for one in folder.glob(f"{name}.*.nbi")):
        with suppress(FileNotFoundError):  # another process does the same
            if index.stat().st_mtime < changed:
                index.unlink()


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
