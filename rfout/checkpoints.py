"""Where a run stands, kept in a file: nothing is lost when it is killed half-way."""

import dataclasses
import functools
import hashlib
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# All that NumPy, zipfile and json raise on a file that is no checkpoint, or a damaged one.
_UNREADABLE = (
    OSError,
    EOFError,
    KeyError,
    TypeError,
    ValueError,
    RuntimeError,
    zipfile.BadZipFile,
)


def fingerprint(*parts: Any) -> str:
    """Hash what makes an experiment the one it is: the same in every process.

    Arrays count by their bytes, dataclasses by their fields, functions by their name (and a
    `functools.partial` by its arguments), and any other object by its `repr`.

    Raises
    ------
    ValueError
        For what has no lasting name: a lambda, a local function, an object with Python's own repr.

    Examples
    --------
    >>> import numpy as np
    >>> fingerprint("seed", 3, np.zeros(2)) == fingerprint("seed", 3, np.zeros(2))
    True
    >>> fingerprint("seed", 3, np.zeros(2)) == fingerprint("seed", 4, np.zeros(2))
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype}{part.shape}".encode() + part.tobytes())
        elif dataclasses.is_dataclass(part):
            values = [getattr(part, f.name) for f in dataclasses.fields(part)]
            digest.update(fingerprint(type(part).__qualname__, *values).encode())
        elif isinstance(part, functools.partial):
            items = [part.func, *part.args, *sorted(part.keywords.items())]
            digest.update(fingerprint("partial", *items).encode())
        elif isinstance(part, list | tuple):
            digest.update(fingerprint(type(part).__name__, len(part), *part).encode())
        elif hasattr(part, "__self__"):
            digest.update(fingerprint("method", part.__name__, part.__self__).encode())
        elif hasattr(part, "__qualname__"):
            _known_by_name(part.__qualname__)
            digest.update(f"{part.__module__}.{part.__qualname__};".encode())
        else:
            _known_by_name(repr(part))
            digest.update(f"{type(part).__name__}:{part!r};".encode())
    return digest.hexdigest()


def _known_by_name(text: str) -> None:
    if any(sign in text for sign in ("<lambda>", "<locals>", " at 0x")):
        raise ValueError(
            f"a checkpoint cannot tell {text} from another of its kind: "
            "use a function of a module or a frozen dataclass instead"
        )


def save_checkpoint(
    path: Path, identity: str, params: NDArray[np.float32], records: list[dict[str, Any]]
) -> None:
    """Write beside `path`, then rename: a reader sees the old file or the new one, whole.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "run.npz"
    ...     save_checkpoint(path, "one experiment", np.ones(2), [{"round": 1}])
    ...     print([file.name for file in path.parent.iterdir()])
    ['run.npz']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, identity=identity, params=params, records=json.dumps(records))
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def load_checkpoint(path: Path, identity: str) -> tuple[NDArray[np.float32], list[dict[str, Any]]]:
    """Read what `save_checkpoint` wrote for the experiment with this identity.

    Raises
    ------
    ValueError
        If the file is no checkpoint, or another experiment's.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "run.npz"
    ...     save_checkpoint(path, "one experiment", np.ones(2), [{"round": 1}])
    ...     load_checkpoint(path, "one experiment")
    (array([1., 1.]), [{'round': 1}])
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found, params = str(file["identity"]), file["params"]
            records = json.loads(str(file["records"]))
    except _UNREADABLE as error:
        raise ValueError(f"{path} is not a checkpoint: delete it, or name another file") from error
    if found != identity:
        raise ValueError(
            f"{path} belongs to another experiment (other seed, clients, data, aggregator or "
            "settings): name another file, or delete this one"
        )
    for record in records:
        record.update({k: tuple(v) for k, v in record.items() if isinstance(v, list)})
    return params, records
