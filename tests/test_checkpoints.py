"""A run kept in a file: the same experiment is known again, and no half file is ever seen."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rfout import rfout1d
from rfout.attacks import InstanceKey, PatternKey, Window
from rfout.checkpoints import fingerprint, load_checkpoint, save_checkpoint
from rfout.defences import mean

PARAMS = np.linspace(-1, 1, 7).astype(np.float32)
RECORDS = [
    {"round": 1, "accuracy": 1 / 3, "backdoor": float("nan"), "sampled": (0, 2), "flagged": ()},
    {"round": 2, "accuracy": 0.1 + 0.2, "backdoor": 1e-300, "sampled": (1,), "flagged": (0.7,)},
]


@dataclass(frozen=True, eq=False)
class Pair:
    a: object
    b: object


@dataclass(frozen=True, eq=False)
class OtherPair:
    a: object
    b: object


def two_lambdas():
    return (lambda x: x.mean(axis=0)), (lambda x: x.max(axis=0))


# The fingerprint


def experiments():
    """Experiments of which no two are the same, by name."""
    seven = np.arange(7, dtype=np.float32)
    return {
        "seed 1": (1, seven, mean),
        "seed 2": (2, seven, mean),
        "seed as a number with a point": (1.0, seven, mean),
        "seed as text": ("1", seven, mean),
        "operator": (1, seven, rfout1d),
        "operator with its own threshold": (1, seven, partial(rfout1d, threshold=3.0)),
        "operator with a lower threshold": (1, seven, partial(rfout1d, threshold=2.0)),
        "operator with a report": (1, seven, partial(rfout1d, return_report=True)),
        "mean with a report": (1, seven, partial(mean, return_report=True)),
        "other values": (1, seven + 1, mean),
        "other type of values": (1, seven.astype(np.float64), mean),
        "other shape of values": (1, seven[None], mean),
        "trigger": (1, Pair(seven, PatternKey(2)), Window(1)),
        "other trigger": (1, Pair(seven, PatternKey(3)), Window(1)),
        "trigger with a key": (1, Pair(seven, InstanceKey(seven)), Window(1)),
        "trigger with another key": (1, Pair(seven, InstanceKey(seven[::-1])), Window(1)),
        "other window": (1, Pair(seven, PatternKey(2)), Window(1, 5)),
        "other role": (1, OtherPair(seven, PatternKey(2)), Window(1)),
        "no boost": (Pair(None, 0), mean),
        "boost": (Pair(1.0, 0), mean),
        "two clients": ([seven, seven], mean),
        "one client": ([seven], mean),
        "two clients in a tuple": ((seven, seven), mean),
        "two clients without a list": (seven, seven, mean),
        "nothing": (),
    }


def test_every_difference_makes_another_fingerprint():
    found = {name: fingerprint(*parts) for name, parts in experiments().items()}
    names = {}
    for name, print_ in found.items():
        assert print_ not in names, f"{name} is taken for {names[print_]}"
        names[print_] = name


def test_an_equal_experiment_has_the_same_fingerprint():
    first, again = experiments(), experiments()
    assert [fingerprint(*p) for p in first.values()] == [fingerprint(*p) for p in again.values()]


def test_neither_memory_order_nor_the_order_of_settings_matters():
    table = np.arange(6.0).reshape(2, 3)
    assert fingerprint(table) == fingerprint(np.asfortranarray(table))
    assert fingerprint(partial(rfout1d, threshold=2.0, return_report=True)) == fingerprint(
        partial(rfout1d, return_report=True, threshold=2.0)
    )


def test_the_fingerprint_is_the_same_in_every_process():
    program = """
from functools import partial
import numpy as np
from rfout import rfout1d
from rfout.attacks import InstanceKey, PatternKey, Window
from rfout.checkpoints import fingerprint
from rfout.defences import mean
key = InstanceKey(np.linspace(0, 1, 5, dtype=np.float32))
print(fingerprint(7, [key, PatternKey(2)], Window(3), mean, partial(rfout1d, threshold=2.0)))
"""
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    key = InstanceKey(np.linspace(0, 1, 5, dtype=np.float32))
    parts = 7, [key, PatternKey(2)], Window(3), mean, partial(rfout1d, threshold=2.0)
    assert found == {fingerprint(*parts) + "\n"}


def test_what_has_no_lasting_name_is_refused():
    for nameless in (*two_lambdas(), object()):
        with pytest.raises(ValueError, match="use a function of a module or a frozen dataclass"):
            fingerprint(nameless)


# The file


@pytest.fixture
def file(tmp_path):
    return tmp_path / "run.npz"


def assert_is_saved(file, identity="me", params=PARAMS, records=RECORDS):
    found, rows = load_checkpoint(file, identity)
    assert found.tobytes() == params.tobytes()
    assert found.dtype == params.dtype
    assert repr(rows) == repr(records)  # to the last digit, and tuples are tuples


def test_what_is_saved_is_loaded(file):
    save_checkpoint(file, "me", PARAMS, RECORDS)
    assert_is_saved(file)


def test_a_later_save_takes_the_place_of_an_earlier(file):
    save_checkpoint(file, "me", PARAMS, RECORDS[:1])
    save_checkpoint(file, "me", PARAMS + 1, RECORDS)
    assert_is_saved(file, params=PARAMS + 1)
    assert os.listdir(file.parent) == [file.name]


def test_folders_are_made_and_any_name_will_do(tmp_path):
    file = tmp_path / "a" / "b" / "run.checkpoint"
    save_checkpoint(file, "me", PARAMS, RECORDS)
    assert os.listdir(file.parent) == ["run.checkpoint"]
    assert_is_saved(file)


class Interrupted(BaseException):
    """As KeyboardInterrupt is, and not to be taken for the tester's own."""


def interrupt(*args, **kwargs):
    raise Interrupted


def half_written(file, **arrays):
    file.write(b"PK\x03\x04 half a file")
    file.flush()
    raise Interrupted


@pytest.mark.parametrize("module", [np, os], ids=["writing", "renaming"])
@pytest.mark.parametrize("existed", [True, False])
def test_an_interrupted_save_leaves_the_old_file_whole(file, monkeypatch, module, existed):
    if existed:
        save_checkpoint(file, "me", PARAMS, RECORDS)
    with monkeypatch.context() as patch:
        if module is np:
            patch.setattr(np, "savez", half_written)
        else:
            patch.setattr(os, "replace", interrupt)
        with pytest.raises(Interrupted):
            save_checkpoint(file, "me", PARAMS + 1, RECORDS[:1])
    assert os.listdir(file.parent) == ([file.name] if existed else [])
    if existed:
        assert_is_saved(file)


def test_while_it_writes_the_old_file_can_be_read(file, monkeypatch):
    save_checkpoint(file, "me", PARAMS, RECORDS)
    savez, looked = np.savez, []

    def look(handle, **arrays):
        savez(handle, **arrays)
        assert_is_saved(file)
        looked.append(True)

    monkeypatch.setattr(np, "savez", look)
    save_checkpoint(file, "me", PARAMS + 1, RECORDS)
    assert looked == [True]
    assert_is_saved(file, params=PARAMS + 1)


def test_another_experiments_file_is_an_error_that_says_so(file):
    save_checkpoint(file, "me", PARAMS, RECORDS)
    with pytest.raises(ValueError, match=r"run\.npz belongs to another experiment .*name another"):
        load_checkpoint(file, "you")
    assert_is_saved(file)


def write_npy(file):
    np.save(file.with_suffix(".npy"), PARAMS)
    file.with_suffix(".npy").rename(file)


GARBAGE = {
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_text("round,accuracy\n1,0.9\n"),
    "bytes": lambda file: file.write_bytes(bytes(range(256))),
    "one array": write_npy,
    "other arrays": lambda file: np.savez(file, weights=PARAMS),
    "no records": lambda file: np.savez(file, identity="me", params=PARAMS),
    "records that are no JSON": lambda file: np.savez(
        file, identity="me", params=PARAMS, records="[{"
    ),
    "pickled": lambda file: np.savez(file, identity="me", params=np.array([None]), records="[]"),
    "a folder": Path.mkdir,
}


@pytest.mark.parametrize("write", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_checkpoint_is_an_error_that_says_so(file, write):
    write(file)
    with pytest.raises(ValueError, match=r"run\.npz is not a checkpoint: delete it, or name"):
        load_checkpoint(file, "me")


def test_a_damaged_file_is_an_error_or_still_right(file):
    save_checkpoint(file, "me", PARAMS, RECORDS)
    whole = file.read_bytes()
    damaged = [whole[:n] for n in range(0, len(whole), 7)]
    damaged += [
        whole[:i] + bytes([whole[i] ^ bit]) + whole[i + 1 :]
        for i in range(0, len(whole), 3)
        for bit in (1, 32)
    ]
    n_refused = 0
    for data in damaged:
        file.write_bytes(data)
        try:
            assert_is_saved(file)
        except ValueError:
            n_refused += 1
    assert n_refused > len(damaged) / 2


def test_a_pickle_is_never_run(file, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "went off",))

    np.savez(file, identity="me", params=np.array([Bomb()]), records="[]")
    with pytest.raises(ValueError, match="not a checkpoint"):
        load_checkpoint(file, "me")
    assert not (tmp_path / "went off").exists()
