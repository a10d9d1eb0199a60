"""Where the framework is: installed, in the folder that SHFL_PATH names, or stood in for."""

import importlib
import importlib.util
import os
import sys
import warnings
from pathlib import Path
from types import ModuleType

COMMIT = "d80cb8d"  # the last API, and the last commit of it under Apache-2.0
HOW_TO_GET_IT = (
    "git clone https://github.com/sherpaai/Sherpa.ai-Federated-Learning-Framework ../shfl && "
    f"git -C ../shfl checkout {COMMIT} && "
    ".venv/bin/pip install -r requirements-sherpa.txt && export SHFL_PATH=../shfl"
)


def is_here() -> bool:
    """Whether `shfl` is installed, or in the folder that SHFL_PATH names; does not import it.

    Raises
    ------
    FileNotFoundError
        If SHFL_PATH is set, and the framework is not in the folder it names.

    Notes
    -----
    A relative SHFL_PATH is also tried from the folders above, since a chapter runs in its own.

    Examples
    --------
    >>> isinstance(is_here(), bool)
    True
    """
    named = os.environ.get("SHFL_PATH")
    if named:
        places = [folder / named for folder in (Path.cwd(), *Path.cwd().parents)]
        found = [place for place in places if (place / "shfl" / "__init__.py").is_file()]
        if not found:
            raise FileNotFoundError(
                f"SHFL_PATH is {named!r}, and there is no shfl/__init__.py in that folder: name "
                f"the folder of the checkout, or unset it. To get the framework: {HOW_TO_GET_IT}"
            )
        checkout = str(found[0].resolve())
        if checkout not in sys.path:
            sys.path.insert(0, checkout)
    return importlib.util.find_spec("shfl") is not None


def load() -> ModuleType | None:
    """Import the framework itself, in whatever version; None where there is none.

    Raises
    ------
    ImportError
        If it is there and cannot be imported.

    Examples
    --------
    >>> is_here() == (load() is not None)
    True
    """
    if not is_here():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of 2021's code on today's Python
            return importlib.import_module("shfl")
    except Exception as error:
        raise ImportError(
            f"shfl is there and does not import ({type(error).__name__}: {error}). What it needs: "
            "pip install -r requirements-sherpa.txt"
        ) from error


def framework() -> ModuleType:
    """Give `shfl` where it is to be had, else the stand-in: a chapter runs on either, unchanged.

    Raises
    ------
    RuntimeError
        If the version found has the API of January 2021, which names other things.
    FileNotFoundError, ImportError
        As `is_here` and `load`.

    Examples
    --------
    >>> framework().data_distribution.IidDataDistribution.__name__
    'IidDataDistribution'
    """
    found = load()
    if found is None:
        from . import standin

        return standin
    if not hasattr(found.private, "NodesFederation"):
        raise RuntimeError(
            "this shfl has the API of January 2021: RFOut1d works with it, the book's chapter is "
            f"written for the last one (git checkout {COMMIT} in the folder of the framework)"
        )
    return found


def describe(module: ModuleType) -> str:
    """Say in a sentence what `framework` gave.

    Examples
    --------
    >>> from rfout.sherpa import standin
    >>> describe(standin)
    "This is the book's stand-in with shfl's names. It is not Sherpa.ai."
    """
    if module.__name__ == "shfl":
        return "This is shfl, the framework of Sherpa.ai itself."
    return "This is the book's stand-in with shfl's names. It is not Sherpa.ai."
