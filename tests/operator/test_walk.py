"""How the operator walks over memory: threads, files, sizes, and a compiler that may be absent."""

import os
import platform
import shutil
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from rfout import rfout1d
from rfout.operator import paths, threads, walk


@pytest.fixture
def x():
    x = np.random.default_rng(0).standard_normal((20, 3001)).astype(np.float32)
    x[2] *= 30
    return x


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_and_small_inputs_load_numpy_alone():
    code = """
import sys, numpy as np
before = set(sys.modules)
import rfout
rfout.rfout1d(np.zeros((20, 1000)))
heavy = {"numba", "llvmlite", "scipy", "tensorflow", "flwr", "matplotlib", "pandas"}
print(sorted(heavy & {name.split(".")[0] for name in sys.modules}))
"""
    assert run(code) == "[]"


@pytest.mark.parametrize("failure", ["ImportError", "ModuleNotFoundError"])
def test_without_numba_the_result_is_the_same(failure, x, tmp_path):
    numba = tmp_path / "numba"
    numba.mkdir()
    (numba / "__init__.py").write_text(f"raise {failure}('Numba needs another NumPy')")
    np.save(tmp_path / "x.npy", x)
    code = f"""
import sys, numpy as np
sys.path.insert(0, {str(tmp_path)!r})
from rfout import rfout1d
from rfout.operator import paths, walk
walk.LARGE = 0
print(rfout1d(np.load({str(tmp_path / "x.npy")!r})).tobytes().hex(), paths.kernels())
"""
    assert run(code) == f"{rfout1d(x).tobytes().hex()} None"


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    pytest.importorskip("numba")
    source = Path(walk.__file__).parents[1]
    package = tmp_path / "site" / "rfout"
    shutil.copytree(source / "operator", package / "operator", ignore=lambda *_: ["__pycache__"])
    shutil.copy(source / "__init__.py", package)
    code = """
from numba.core import caching
caching.CacheImpl._locator_classes = []   # no place to keep it
import numpy as np
from rfout import rfout1d
from rfout.operator import walk
walk.LARGE = 0
print(rfout1d(np.ones((12, 3))))
"""
    assert run(code, PYTHONPATH=str(package.parent)) == "[1. 1. 1.]"


@pytest.mark.parametrize("large", [0, 2**62])
def test_the_number_of_threads_changes_no_byte(monkeypatch, x, large):
    monkeypatch.setattr(walk, "LARGE", large)
    monkeypatch.setattr(paths, "BLOCK", 1000)
    results = set()
    for number in ("1", "2", "7", "", "none", "0"):
        monkeypatch.setenv("RFOUT_NUM_THREADS", number)
        results.add(rfout1d(x).tobytes())
    assert len(results) == 1


def test_the_number_of_threads(monkeypatch):
    monkeypatch.setenv("RFOUT_NUM_THREADS", "5")
    assert threads.n_threads() == 5
    monkeypatch.setenv("RFOUT_NUM_THREADS", "many")
    assert 1 <= threads.n_threads() <= 8
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert threads.n_threads() == 1


def test_an_error_in_a_thread_stops_the_others():
    seen = []

    def work(start):
        seen.append(start)
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        threads.run(work, range(1000), None, 2)
    assert len(seen) <= 2


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
@pytest.mark.parametrize("large", [0, 2**62])
def test_memory_mapped_files(monkeypatch, tmp_path, x, mode, large):
    monkeypatch.setattr(walk, "LARGE", large)
    monkeypatch.setattr(walk, "WINDOW", 5000)
    np.save(tmp_path / "x.npy", x)
    for client, row in enumerate(x):
        np.save(tmp_path / f"{client}.npy", row)
    one = np.load(tmp_path / "x.npy", mmap_mode=mode)
    many = [np.load(tmp_path / f"{i}.npy", mmap_mode=mode) for i in range(len(x))]
    if mode == "c":  # changes that were never written must survive
        one += 1
        for row in many:
            row += 1
        x = x + 1
    for updates in (one, many):
        assert rfout1d(updates).tobytes() == rfout1d(x).tobytes()
        np.testing.assert_array_equal(np.stack(list(updates)), x)


def test_pages_that_were_read_are_given_back(monkeypatch, tmp_path):
    psutil = pytest.importorskip("psutil")
    if sys.platform != "linux":
        pytest.skip("Linux counts the pages of a file as resident")
    file = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (64, 2**20))
    file[:] = 1.5
    file.flush()
    del file
    updates = np.load(tmp_path / "x.npy", mmap_mode="r")
    before = psutil.Process().memory_info().rss
    rfout1d(updates, center="median")
    assert psutil.Process().memory_info().rss - before < 96 * 2**20  # of 256 MiB


@pytest.mark.parametrize("rule", [{}, {"center": "median", "scale": "mad"}])
@pytest.mark.parametrize(("n", "d"), [(50, 400_000), (2000, 4000), (10, 1_500_000)])
@pytest.mark.filterwarnings("ignore:nothing can be flagged")
def test_a_list_is_not_stacked_into_a_copy(monkeypatch, rule, n, d):
    monkeypatch.setattr(walk, "LARGE", 2**62)
    updates = [np.ones(d, np.float32) for _ in range(n)]
    tracemalloc.start()
    rfout1d(updates, **rule)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 2**20 + 4 * d


def test_a_client_that_makes_every_coordinate_doubtful_costs_bounded_time():
    x = np.random.default_rng(0).standard_normal((12, 20_000))
    x[0] = 1e200
    aggregate, report = rfout1d(x, return_report=True)
    assert report.flagged[0] == 1
    np.testing.assert_allclose(aggregate, 1e200 / 144, rtol=1e-12)


def sources_and_cache(tmp_path):
    """Give the compiler, a folder with its sources, made now, and an empty folder."""
    compiler = pytest.importorskip("rfout.operator.compiler")
    package, folder = tmp_path / "rfout", tmp_path / "cache"
    for made in (package, folder):
        made.mkdir()
    for name in compiler.SOURCES:
        (package / f"{name}.py").touch()
    return compiler, package, folder


def test_what_was_compiled_from_older_sources_is_forgotten(tmp_path):
    compiler, package, folder = sources_and_cache(tmp_path)
    old, new, another = (
        folder / f"{name}.nbi" for name in ("compiled.f-1", "rule.band-2", "other.f-1")
    )
    for index, age in ((old, 60), (new, -60), (another, 60)):
        index.touch()
        os.utime(index, (time.time() - age,) * 2)
    compiler.forget_outdated(folder, package)
    assert sorted(folder.iterdir()) == [another, new]


def test_a_file_that_another_process_has_just_forgotten_is_no_error(tmp_path):
    compiler, package, folder = sources_and_cache(tmp_path)
    gone, old = (folder / f"{name}.nbi" for name in ("compiled.f-1", "compiled.g-1"))
    gone.symlink_to(tmp_path / "nowhere")  # it is listed, and is not there
    old.touch()
    os.utime(old, (time.time() - 60,) * 2)
    compiler.forget_outdated(folder, package)
    assert not old.exists()


FEATURES = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
ELSEWHERE = {
    "NumPy without AVX2 and AVX-512": {"NPY_DISABLE_CPU_FEATURES": " ".join(FEATURES)},
    "another OpenBLAS": {"OPENBLAS_CORETYPE": "Haswell"},
    "Numba for another processor": {"NUMBA_CPU_NAME": "nehalem"},
}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these switches are of x86 processors")
def test_another_processor_changes_no_byte(tmp_path):
    """The rule's decisions are exact and its sums are in a fixed order, on whatever kernels."""
    path = tmp_path / "x.npy"
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(20, 20_001)) * 10.0 ** rng.integers(-8, 8, 20_001)).astype(np.float32)
    x[3] *= 40
    np.save(path, x)
    code = f"""
import hashlib, numpy as np
from rfout import rfout1d
from rfout.operator import walk
x = np.load({str(path)!r})
robust = {{"center": "median", "scale": "mad"}}
digest = hashlib.sha256()
for compiled, form in ((True, {{}}), (True, robust), (False, {{}}), (False, robust)):
    walk.LARGE = 0 if compiled else 2**62
    aggregate, report = rfout1d(x, return_report=True, **form)
    digest.update(aggregate.tobytes() + report.flagged.tobytes())
print(digest.hexdigest())
"""
    here = run(code)
    assert {name: run(code, **switch) for name, switch in ELSEWHERE.items()} == dict.fromkeys(
        ELSEWHERE, here
    )
