"""How the book's own processes load TensorFlow: quietly, and without what they do not need."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

BOOK = """
import gc, json, os, sys, weakref
class Node: pass
def lost():
    node = Node()
    node.itself = node
    return weakref.ref(node)
earlier = lost()
os.environ.pop("TF_NUM_INTRAOP_THREADS", None)
from rfout.startup import load_tensorflow
load_tensorflow()
import rfout.models
hidden = "sklearn" not in sys.modules
frozen, later = gc.get_freeze_count(), lost()
gc.collect()
import sklearn.base
os.write(2, b"said later")
print(json.dumps([hidden, sklearn.base.BaseEstimator.__name__, frozen > 100_000, gc.isenabled(),
                  earlier() is None, later() is None, os.environ["TF_NUM_INTRAOP_THREADS"]]))
"""

STRANGER = """
import gc, json, os
os.environ["TF_NUM_INTRAOP_THREADS"] = "3"
gc.disable()
frozen = gc.get_freeze_count()  # of Python 3.12 itself
import keras
from rfout.startup import load_tensorflow
load_tensorflow()
import rfout.models
from sklearn.base import BaseEstimator
wraps = issubclass(keras.wrappers.SKLearnClassifier, BaseEstimator)
print(json.dumps([wraps, gc.isenabled(), gc.get_freeze_count() - frozen,
                  os.environ["TF_NUM_INTRAOP_THREADS"]]))
"""


def run(program):
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_tensorflow_comes_quietly_without_scikit_learn_and_without_garbage_collection():
    """All of them stay to be had: what is made later is collected, what is said later is heard."""
    done = run(BOOK)
    assert json.loads(done.stdout) == [True, "BaseEstimator", True, True, True, True, "1"]
    assert done.stderr == b"said later"


def test_who_loaded_keras_first_has_it_whole_and_who_chose_keeps_the_choice():
    assert json.loads(run(STRANGER).stdout) == [True, False, 0, "3"]
