"""TensorFlow, loaded without its greeting, without scikit-learn, and with one thread an operation.

The library writes two lines to the process's standard error while it loads, whatever its log
level says, and they would stand in every chapter. Python's own errors come through.

On batches of twenty small images, splitting one operation over two cores costs more than it
saves: the book's clients are what is spread over the cores. Set TF_NUM_INTRAOP_THREADS yourself
where the models are large.

Keras takes scikit-learn along where it finds it, for `keras.wrappers`, and with it SciPy: a quarter
of the time that every chapter and every node of a federation takes to start. Nothing here uses the
wrappers. Import keras before this package in a program that does.

What a hundred thousand functions and classes of two libraries leave behind is not garbage, and
looking through it again and again takes as long as loading it: Python's collector waits until they
are loaded, and never looks at them again.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _as_if_absent(name: str) -> Iterator[None]:
    """Let imports of `name` fail that can do without, unless it is loaded already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules.pop(name, None)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from what is loaded here, now and later."""
    if not gc.isenabled():
        yield
        return
    gc.collect()  # what is garbage already would be kept for good
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


with _quiet_stderr(), _as_if_absent("sklearn"), _uncollected():
    import keras
    import tensorflow as tf

__all__ = ["keras", "tf"]
