"""Files of image sets: downloaded whole or not at all, parsed, and kept.

Chapter: federated-learning.
"""

import contextlib
import gzip
import math
import os
import tempfile
import textwrap
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

Raw = list[NDArray[np.uint8]]  # x_train, y_train, x_test, y_test, as their source stores them


class DatasetUnavailable(RuntimeError):
    """The data cannot be had; the message says what to do. Chapter: federated-learning."""


def cache_dir() -> Path:
    """Directory of what is kept: RFOUT_CACHE, else the user's. Chapter: federated-learning."""
    if os.environ.get("RFOUT_CACHE"):
        return Path(os.environ["RFOUT_CACHE"]).expanduser()
    return Path(platformdirs.user_cache_dir("rfout"))


def download(name: str, url: str, sha256: str, path: Path, instead: str) -> None:
    """Have the file with this checksum at `path`, downloading it if it is not there already."""
    import pooch

    get = pooch.HTTPDownloader(progressbar=True, chunk_size=2**18)
    try:  # pooch writes to a file beside, and moves it here once its checksum is right
        pooch.retrieve(url, f"sha256:{sha256}", fname=path.name, path=path.parent, downloader=get)
    except (OSError, ValueError) as error:
        raise unavailable(name, url, path, instead, error) from None


def unavailable(
    name: str, url: str, path: Path, instead: str, error: Exception
) -> DatasetUnavailable:
    found = "The file that is there now is not the right one.\n" if path.is_file() else ""
    reason = textwrap.shorten(f"{type(error).__name__}: {error}", 240, placeholder=" ...")
    return DatasetUnavailable(
        f'"{name}" is not on this machine and could not be downloaded.\n'
        f"By hand: get\n    {url}\nand save it as\n    {path}\n{found}"
        f"Instead: {instead}.\nReason: {reason}"
    )


def cached(path: Path, make: Callable[[], Raw]) -> Raw:
    """The arrays kept in `path`; made, and kept there, if it is absent or damaged."""
    if path.is_file():
        with contextlib.suppress(Exception):  # damage has many names, and one repair: make it anew
            with np.load(path, allow_pickle=False) as kept:
                return [kept[f"arr_{i}"] for i in range(4)]
    raw = make()
    with contextlib.suppress(OSError):  # a cache that can't be written costs time, not the data
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as beside:
            np.savez(Path(beside) / path.name, *raw)
            os.replace(Path(beside) / path.name, path)
    return raw


def read_idx_set(read: Callable[[str], bytes], train: str, test: str) -> Raw:
    """The four gzipped IDX files that `read` gives, named in the way of MNIST."""
    kinds = (("images-idx3", 3), ("labels-idx1", 1))
    files = [(f"{part}-{kind}-ubyte.gz", n) for part in (train, test) for kind, n in kinds]
    return [parse_idx(read(file), file, n_dims) for file, n_dims in files]


def parse_idx(gzipped: bytes, file: str, n_dims: int) -> NDArray[np.uint8]:
    """IDX is: two zero bytes, the type (8: uint8), the number of axes, their lengths, the data."""
    try:
        data = gzip.decompress(gzipped)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{file}: truncated, or not a gzip file ({error})") from None
    header = 4 + 4 * n_dims
    if len(data) < header or data[:4] != bytes((0, 0, 8, n_dims)):
        raise ValueError(f"{file}: not an IDX file of bytes with {n_dims} axes")
    shape = np.frombuffer(data, ">u4", n_dims, offset=4).tolist()
    if len(data) != header + math.prod(shape):
        raise ValueError(f"{file}: has {len(data) - header} bytes, not {shape} as its header says")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)
