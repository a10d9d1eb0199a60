"""Files of image sets: downloaded whole or not at all, parsed, and kept."""

import atexit
import contextlib
import gzip
import math
import os
import tempfile
import textwrap
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

Raw = list[NDArray[np.uint8]]  # x_train, y_train, x_test, y_test, as their source stores them


class DatasetUnavailable(RuntimeError):
    """The data cannot be had; the message says what to do."""


def cache_dir() -> Path:
    """Directory of what is kept: RFOUT_CACHE, else the user's.

    Where that cannot be written, as without a home, it is a temporary one, and goes with the
    process.
    """
    return wanted_dir() if is_writable(wanted_dir()) else _temporary()


def kept(name: str) -> Path:
    """Where something is kept, in a cache that may be read only, or is to be put."""
    there = wanted_dir() / name
    return there if there.exists() else cache_dir() / name


def wanted_dir() -> Path:
    """Where the user wants the cache; below "~" if the machine knows no home of theirs."""
    if os.environ.get("RFOUT_CACHE"):
        return Path(os.path.expanduser(os.environ["RFOUT_CACHE"]))
    try:
        return Path(platformdirs.user_cache_dir("rfout"))
    except RuntimeError:
        return Path("~/.cache/rfout")


def is_writable(folder: Path) -> bool:
    """Whether files can be put there, once the folder is made."""
    there = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    homeless = folder.parts[:1] == ("~",)
    return not homeless and there.is_dir() and os.access(there, os.W_OK | os.X_OK)


@cache
def _temporary() -> Path:
    made = tempfile.TemporaryDirectory(prefix="rfout-cache-", ignore_cleanup_errors=True)
    atexit.register(made.cleanup)
    return Path(made.name)


@dataclass(frozen=True)
class Remote:
    """A file that can be downloaded, and where it is kept."""

    url: str
    sha256: str
    path: Path


def download(name: str, files: Sequence[Remote], instead: str) -> None:
    """Have these files, downloading those that are not there already."""
    import pooch

    get = pooch.HTTPDownloader(progressbar=True, chunk_size=2**18)
    for i, file in enumerate(files):
        known, where = f"sha256:{file.sha256}", file.path
        try:  # pooch writes to a file beside, and moves it here once its checksum is right
            pooch.retrieve(file.url, known, fname=where.name, path=where.parent, downloader=get)
        except (OSError, ValueError) as error:
            raise unavailable(name, files[i:], instead, error) from None


def unavailable(
    name: str, files: Sequence[Remote], instead: str, error: Exception
) -> DatasetUnavailable:
    """Say what to do about files of which the first could not be had."""
    first = files[0].path
    said = f'"{name}" is not on this machine and could not be downloaded.\n'
    here = {file: file.path for file in files}
    lost = first.is_relative_to(cache_dir()) and cache_dir() != wanted_dir()
    if lost or not is_writable(first.parent):
        said += f"{wanted_dir()} cannot be written: name a folder that can in RFOUT_CACHE.\n"
    if lost:  # with this process: the advice is about the folder that will be named
        here = {file: wanted_dir() / file.path.relative_to(cache_dir()) for file in files}
    for how, file in zip(["By hand: get", *["and get"] * len(files)], files, strict=False):
        said += f"{how}\n    {file.url}\nand save it as\n    {here[file]}\n"
    if first.is_file():
        said += f"The file that is there now is not the right one: {first.name}\n"
    reason = textwrap.shorten(f"{type(error).__name__}: {error}", 240, placeholder=" ...")
    return DatasetUnavailable(f"{said}Instead: {instead}.\nReason: {reason}")


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
