"""How the book's own processes start: TensorFlow in half the time, and without its greeting.

Importing this package changes nothing in the process. What is here does, and is called by name: by
the chapters, by `rfout.standard`, and so by the nodes of a federation.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def load_tensorflow() -> None:
    """Load TensorFlow and Keras, if they are not loaded yet, for a process that only trains.

    What it changes for the rest of the process:

    - TF_CPP_MIN_LOG_LEVEL is 3 and TF_NUM_INTRAOP_THREADS is 1, unless they are set. On batches of
      twenty small images, splitting one operation over two cores costs more than it saves: the
      clients are what is spread over the cores.
    - While the two load, standard error is closed to other libraries: TensorFlow writes two lines
      there whatever its log level says, and they would stand in every chapter. Python's own errors
      come through.
    - Keras finds no scikit-learn. It would take it along, and SciPy, for `keras.wrappers`.
    - Python's garbage collector waits, and never looks at what was loaded. What a hundred thousand
      functions and classes leave behind is not garbage.

    The last two take a third off the start of each chapter and node.

    Examples
    --------
    >>> load_tensorflow()
    >>> import keras
    >>> keras.backend.backend()
    'tensorflow'
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    if {"keras", "tensorflow"} <= set(sys.modules):
        return
    with _quiet_stderr(), _as_if_absent("sklearn"), _uncollected():
        import keras  # noqa: F401
        import tensorflow  # noqa: F401


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
