"""`import rfout` is light: NumPy, and nothing that a user of the operator has not asked for."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "numba",
    "tensorflow",
    "keras",
    "flwr",
    "matplotlib",
    "pandas",
    "scipy",
    "sklearn",
    "tqdm",
    "pooch",
    "PIL",
    "flwr_datasets",
}
LIMIT = 0.3  # seconds


def run(program, *options):
    done = subprocess.run(
        [sys.executable, *options, "-c", program], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def test_import_loads_numpy_and_nothing_heavier():
    loaded = run("import rfout, sys, json; print(json.dumps(sorted(sys.modules)))")
    packages = {name.partition(".")[0] for name in loaded}
    assert "numpy" in packages
    assert not packages & HEAVY
    own = {name for name in loaded if name.startswith("rfout")}
    assert {name.split(".")[1] for name in own if "." in name} == {"operator"}


def test_import_loads_no_package_but_numpy():
    before = set(run("import sys, json; print(json.dumps(sorted(sys.modules)))"))
    after = set(run("import rfout, sys, json; print(json.dumps(sorted(sys.modules)))"))
    added = {name.partition(".")[0] for name in after - before}
    assert added - set(sys.stdlib_module_names) == {"numpy", "rfout"}


@pytest.mark.parametrize(
    "room",
    [
        "attacks",
        "checkpoints",
        "defences",
        "evaluation",
        "limits",
        "natural",
        "partitions",
        "datasets",
        "vocabulary",
    ],
)
def test_rooms_of_arrays_load_no_framework(room):
    loaded = run(f"import rfout.{room}, sys, json; print(json.dumps(sorted(sys.modules)))")
    assert f"rfout.{room}" in loaded
    assert not {name.partition(".")[0] for name in loaded} & HEAVY


def test_keras_comes_without_scikit_learn_and_without_garbage_collection():
    """Both stay to be had: what is made later is collected."""
    program = """
import gc, json, sys, weakref
class Node: pass
def lost():
    node = Node()
    node.itself = node
    return weakref.ref(node)
earlier = lost()
import rfout.models
before = "sklearn" in sys.modules
frozen, later = gc.get_freeze_count(), lost()
gc.collect()
import sklearn.base
print(json.dumps([before, sklearn.base.BaseEstimator.__name__, frozen, gc.isenabled(),
                  earlier() is None, later() is None]))
"""
    before, base, frozen, *collected = run(program)
    assert not before
    assert base == "BaseEstimator"
    assert frozen > 100_000
    assert collected == [True, True, True]


def test_who_imports_keras_first_has_its_wrappers_and_who_stopped_the_collector_finds_it_stopped():
    program = """
import gc, json
gc.disable()
import keras, rfout.models
from sklearn.base import BaseEstimator
wraps = issubclass(keras.wrappers.SKLearnClassifier, BaseEstimator)
print(json.dumps([wraps, gc.isenabled()]))
"""
    assert run(program) == [True, False]


def test_import_is_fast():
    """On top of NumPy's own import; a busy machine gets a few tries, a slow package fails all."""
    program = """
import json, time
import numpy
start = time.perf_counter()
import rfout
print(json.dumps(time.perf_counter() - start))
"""
    seconds = []
    while len(seconds) < 5 and min(seconds, default=LIMIT) >= LIMIT:
        seconds.append(run(program))
    assert min(seconds) < LIMIT


def test_the_operator_is_the_packages_front_door():
    names = run("import rfout, json; print(json.dumps([rfout.__all__, rfout.__version__]))")
    assert "rfout1d" in names[0]
    assert "Report" in names[0]
    assert names[1]
    assert run("from rfout import rfout1d; print(rfout1d([[1.0], [3.0]]).tolist())") == [2.0]


def test_no_warning_on_import():
    assert run("import rfout; print(1)", "-W", "error") == 1
