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


PURE = """
import gc, importlib, json, logging, os, pkgutil, random, signal, sys, threading, warnings
import flwr.serverapp, flwr.clientapp, flwr.supercore.address
import keras, matplotlib.pyplot, numpy, pandas, pooch, scipy.stats, sklearn.cluster, tensorflow
import tqdm
import numba.extending

def state():
    return {
        "environment": [sorted(os.environ), hash(str(sorted(os.environ.items())))],
        "folder": os.getcwd(),
        "path": list(sys.path),
        "streams": [id(sys.stdout), id(sys.stderr), *os.fstat(1), *os.fstat(2)],
        "hidden": [name for name, module in sys.modules.items() if module is None],
        "collector": [gc.isenabled(), gc.get_freeze_count(), *gc.get_threshold()],
        "warnings": [str(one) for one in warnings.filters],
        "arithmetic": numpy.geterr(),
        "draws": [hash(str(numpy.random.get_state())), hash(random.getstate())],
        "figures": {k: str(v) for k, v in matplotlib.rcParams.items()},
        "signals": {str(one): str(signal.getsignal(one)) for one in signal.valid_signals()},
        "hook": str(sys.excepthook),
        "threads": threading.active_count(),
        "logs": [logging.root.level, str(logging.root.handlers), logging.getLogger("flwr").level],
        "tensorflow": [tensorflow.config.threading.get_intra_op_parallelism_threads()],
    }

meanwhile = []
def watch(module, name):
    plain = getattr(module, name)
    def watched(*args, **kwargs):
        if sys._getframe(1).f_globals["__name__"].startswith("rfout"):
            meanwhile.append(name)
        return plain(*args, **kwargs)
    setattr(module, name, watched)

for module, name in ((os, "dup2"), (os, "putenv"), (gc, "disable"), (gc, "freeze")):
    watch(module, name)
before = state()
import rfout
for found in pkgutil.walk_packages(rfout.__path__, "rfout."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
after = state()
print(json.dumps([{k: [v, after[k]] for k, v in before.items() if v != after[k]}, meanwhile]))
"""


@pytest.mark.slow
def test_importing_any_part_changes_nothing_in_the_process():
    """Other libraries may change something when they are loaded: they are loaded before."""
    assert run(PURE) == [{}, []]
