"""What a hostile client may send: a right answer, or an error with a sentence; nothing else."""

import contextlib
import math
import warnings

import numpy as np
import oracle
import pytest

from rfout import rfout1d
from rfout.operator import paths, walk

pytestmark = pytest.mark.filterwarnings("ignore:nothing can be flagged:UserWarning")


def honest(n=12, shape=(3, 4), dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for _ in range(n)]


def layers(n=12):
    return [[a, b] for a, b in zip(honest(n), honest(n, (5,), seed=1), strict=True)]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("large", [0, 2**62])
@pytest.mark.parametrize("rule", [{}, {"center": "median", "scale": "mad"}, {"scale": "mad"}])
def test_a_value_that_is_not_finite(monkeypatch, value, large, rule):
    monkeypatch.setattr(walk, "LARGE", large)
    for bad in (0, 7):
        updates = layers()
        updates[bad][1][3] = value
        with pytest.raises(ValueError, match=rf"client {bad}, layer 1: .*{value}.* \(3,\)"):
            rfout1d(updates, **rule)
        with pytest.warns(UserWarning, match=f"left out .* client {bad}, layer 1"):
            aggregate, report = rfout1d(updates, on_invalid="drop", return_report=True, **rule)
        without = rfout1d([one for i, one in enumerate(updates) if i != bad], **rule)
        for a, b in zip(aggregate, without, strict=True):
            np.testing.assert_array_equal(a, b)
        assert list(report.left_out) == [bad]
        assert report.flagged[bad] == 1
        assert report.largest_z[bad] == np.inf
        assert np.isfinite(np.delete(report.largest_z, bad)).all()


def test_everyone_not_finite_raises_whatever_the_policy():
    x = np.full((12, 5), np.nan)
    for policy in ("raise", "drop"):
        with pytest.raises(ValueError, match="client 0"):
            rfout1d(x, on_invalid=policy)


BAD = {
    "another shape": (np.zeros((4, 3), np.float32), ValueError, r"shape is \(4, 3\)"),
    "complex": (np.zeros((3, 4), complex), TypeError, "complex128"),
    "object": (np.array([[None] * 4] * 3), TypeError, "object"),
    "text": (np.array([["a"] * 4] * 3), TypeError, "<U1"),
    "masked": (np.ma.masked_array(np.zeros((3, 4)), True), TypeError, "masked"),
    "dates": (np.zeros((3, 4), "M8[s]"), TypeError, "datetime64"),
    "structured": (np.zeros((3, 4), [("a", "f4")]), TypeError, "dtype"),
    "a ragged list": ([[1.0, 2.0], [3.0]], ValueError, "cannot be read"),
    "nothing": (None, TypeError, "object"),
    "a dictionary": ({"w": 1.0}, TypeError, "object"),
}
if np.dtype(np.longdouble).itemsize > 8:
    BAD["long double"] = (np.zeros((3, 4), np.longdouble), TypeError, "at most 64 bits")


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("bad", [0, 4])
def test_an_update_that_cannot_be_read(case, bad):
    sent, error, words = BAD[case]
    updates = honest()
    expected = rfout1d(updates[:bad] + updates[bad + 1 :])
    updates[bad] = sent
    with pytest.raises(error, match=rf"client {bad}: .*{words}"):
        rfout1d(updates)
    with pytest.warns(UserWarning, match=f"client {bad}"):
        aggregate = rfout1d(updates, on_invalid="drop")
    np.testing.assert_array_equal(aggregate, expected)


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda u: u[2].pop(), ValueError, "client 2, layer 1: 1 layers .* have 2"),
        (lambda u: u[2].append(u[2][0]), ValueError, "client 2, layer 2: 3 layers .* have 2"),
        (lambda u: u[2].reverse(), ValueError, r"client 2, layer 0: the shape is \(5,\)"),
        (lambda u: u.__setitem__(2, u[2][0]), TypeError, "client 2: a list of layers"),
        (lambda u: u.__setitem__(2, []), ValueError, "client 2, layer 0: 0 layers"),
        (lambda u: u[2].__setitem__(1, None), TypeError, "client 2, layer 1"),
    ],
)
def test_lists_of_layers_that_do_not_agree(spoil, error, words):
    updates = layers()
    spoil(updates)
    with pytest.raises(error, match=words):
        rfout1d(updates)
    with pytest.warns(UserWarning, match="client 2"):
        aggregate = rfout1d(updates, on_invalid="drop")
    expected = rfout1d([one for i, one in enumerate(layers()) if i != 2])
    for a, b in zip(aggregate, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", [name for name in BAD if name not in ("another shape", "nothing")])
def test_one_array_of_all_clients_that_cannot_be_read(case):
    sent, _, words = BAD[case]
    if isinstance(sent, np.ndarray):
        for policy in ("raise", "drop"):  # there is nobody to leave out
            with pytest.raises(TypeError, match=f"updates: .*{words}"):
                rfout1d(sent, on_invalid=policy)
    else:
        with pytest.raises((ValueError, TypeError), match=r"client|updates"):
            rfout1d(sent)


def test_without_a_majority_no_shape_is_right():
    updates = [np.zeros(3), np.zeros(3), np.zeros(4), np.zeros(4)]
    for policy in ("raise", "drop"):
        with pytest.raises(ValueError, match=r"client 2: .*shape"):
            rfout1d(updates, on_invalid=policy)


def test_an_object_whose_array_raises():
    class Trap:
        def __array__(self, *_, **__):
            raise RuntimeError("boom")

    updates = honest()
    updates[3] = Trap()
    with pytest.raises(ValueError, match=r"client 3: .*boom"):
        rfout1d(updates)


def test_a_list_that_holds_itself():
    endless = []
    endless.append(endless)
    for updates in (endless, [endless, endless], [[endless, np.zeros(3)]] * 3):
        with pytest.raises((ValueError, TypeError), match=r"client|updates"):
            rfout1d(updates)


@pytest.mark.parametrize(
    "updates", [[], (), None, "abc", {}, {1, 2}, 3.0, np.float64(3), np.zeros((0, 3)), iter([])]
)
def test_no_clients(updates):
    with pytest.raises((ValueError, TypeError), match="updates"):
        rfout1d(updates)


@pytest.mark.parametrize(
    "arguments",
    [
        {"threshold": 0},
        {"threshold": -1},
        {"threshold": math.nan},
        {"threshold": math.inf},
        {"threshold": "3"},
        {"threshold": None},
        {"threshold": True},
        {"center": "mode"},
        {"center": None},
        {"scale": 1},
        {"replacement": "nan"},
        {"on_invalid": "ignore"},
    ],
)
def test_arguments_that_make_no_sense(arguments):
    with pytest.raises((ValueError, TypeError), match=next(iter(arguments))):
        rfout1d(np.zeros((12, 2)), **arguments)


@pytest.mark.parametrize("large", [0, 2**62])
def test_any_layout_gives_the_same_bytes_and_stays_as_it_was(monkeypatch, large):
    monkeypatch.setattr(walk, "LARGE", large)
    monkeypatch.setattr(paths, "BUFFER", 500)
    x = np.random.default_rng(0).standard_normal((13, 6, 7)).astype(np.float32)
    x[0] *= 30
    expected = rfout1d(x).tobytes()
    wide = np.zeros((13, 12, 7), np.float32)
    wide[:, ::2] = x
    unaligned = np.frombuffer(b"." + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape)
    read_only = x.copy()
    read_only.flags.writeable = False
    forms = {
        "read-only": read_only,
        "Fortran": np.asfortranarray(x),
        "strided": wide[:, ::2],
        "backwards": x[:, ::-1, ::-1].copy()[:, ::-1, ::-1],
        "big-endian": x.astype(">f4"),
        "unaligned": unaligned,
        "list": list(x),
        "list of views": list(wide[:, ::2]),
        "list of Fortran": [np.asfortranarray(one) for one in x],
        "tuple": tuple(x),
        "mixed byte orders": [one.astype(">f4") if i % 2 else one for i, one in enumerate(x)],
    }
    for name, form in forms.items():
        copy = [np.array(one, copy=True) for one in form]
        aggregate = rfout1d(form)
        assert aggregate.tobytes() == expected, name
        assert aggregate.dtype == np.float32
        assert aggregate.shape == (6, 7)
        for before, after in zip(copy, form, strict=True):
            np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint16, np.bool_, np.float16])
def test_integers_and_half_precision(dtype):
    x = np.random.default_rng(0).integers(0, 2, (15, 9)).astype(dtype)
    aggregate = rfout1d(x)
    assert aggregate.dtype == (np.float16 if dtype == np.float16 else np.float64)
    np.testing.assert_allclose(aggregate, rfout1d(x.astype(np.float64)), rtol=1e-3)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 4), ()])
def test_layers_without_values_and_without_axes(shape):
    aggregate, report = rfout1d([[np.ones(shape)]] * 12, return_report=True)
    assert aggregate[0].shape == shape
    assert not report.flagged.any()
    assert rfout1d(np.ones((12, *shape))).shape == shape
    assert rfout1d([np.ones(shape)] * 12).shape == shape


def test_plain_lists_of_numbers_are_arrays():
    np.testing.assert_array_equal(rfout1d([[1, 2], [3, 4]]), [2.0, 3.0])
    assert rfout1d([1.0, 2.0, 3.0]) == 2.0
    assert rfout1d([np.float32(1), np.float32(2)]) == 1.5


# The fuzz: each draw is a well-formed call that is spoiled in zero to three ways.

WILD = [np.nan, np.inf, -np.inf, 1e308, -1e308, 3e38, 1e-310, 5e-324, 0.0, -0.0, 1e30]
KINDS = [complex, object, "m8[s]", "S3", bool, np.longdouble]


def junk():
    return [None, "x", b"x", {}, object(), 1j, [], [[]], [None], np.ma.masked_all(3), slice(3), 2.5]


def choose(rng, some):
    return some[rng.integers(len(some))]


def shape(rng):
    return tuple(rng.integers(0, 4, rng.integers(0, 3)))


def spoiled(rng, one):
    """Something else in place of a client's update or layer."""
    how = rng.integers(6)
    if how == 0:
        return choose(rng, junk())
    if how == 1:
        return np.zeros(shape(rng))
    if not isinstance(one, np.ndarray):
        return one[:-1] if isinstance(one, list) else one
    if how == 2:
        return np.zeros(one.shape, choose(rng, KINDS))
    if how == 3:
        other = np.asfortranarray(one)
        other.flags.writeable = False
        return other
    other = np.zeros(one.shape)
    if other.size:
        other.flat[rng.integers(other.size)] = choose(rng, WILD)
    return other


def draw(rng):
    """One call: the updates and the keyword arguments."""
    n = int(rng.integers(0, 16))
    dtype = choose(rng, [np.float32, np.float64, np.float16, np.int32, ">f8"])
    shapes = [shape(rng) for _ in range(rng.integers(1, 4))]
    updates = [[(rng.standard_normal(s) * 9).astype(dtype) for s in shapes] for _ in range(n)]
    layered = rng.random() < 0.5
    if not layered:
        updates = [one[0] for one in updates]
    for _ in range(rng.integers(0, 4) if n else 0):
        client = rng.integers(n)
        sent = updates[client]
        if isinstance(sent, list) and sent and rng.random() < 0.7:
            layer = rng.integers(len(sent))
            sent[layer] = spoiled(rng, sent[layer])
        else:
            updates[client] = spoiled(rng, sent)
    if not layered and rng.random() < 0.3:
        with contextlib.suppress(ValueError, TypeError):
            updates = np.array(updates)
    rare = rng.random() < 0.05
    rule = {
        "threshold": choose(rng, [0, -1.0, np.nan, "3", None] if rare else [3.0, 3, 2.0, 1.0, 0.5]),
        "center": choose(rng, ["mean", "median"] + ["mode"] * rare),
        "scale": choose(rng, ["std", "mad"] + [None] * rare),
        "replacement": choose(rng, ["center", "drop"] + [0] * rare),
        "on_invalid": choose(rng, ["raise", "drop"] + ["ignore"] * rare),
    }
    return updates, rule


def snapshot(updates):
    if isinstance(updates, (list, tuple)):
        return [snapshot(one) for one in updates]
    if isinstance(updates, np.ndarray) and updates.dtype != object:
        return updates.tobytes()
    return None


def is_right(updates, aggregate, report, rule):
    """Compare with the oracle on the clients that were kept."""
    family = {name: rule[name] for name in ("center", "scale", "replacement")}
    layered = isinstance(aggregate, list)
    kept = [one for i, one in enumerate(updates) if i not in report.left_out]
    for layer, got in enumerate(aggregate if layered else [aggregate]):
        x = np.stack([np.asarray(one[layer] if layered else one) for one in kept])
        x = x.reshape(len(kept), -1).astype(np.result_type(x.dtype, np.float16))
        for column, value in zip(x.T, np.ravel(got), strict=True):
            exact, flagged, nearest = oracle.rfout1d(column, **rule)
            if nearest is not None and 0 < nearest < oracle.TIE:
                continue
            small = oracle.rounding(column, flagged, np.asarray(got).dtype, **family)
            if not np.isfinite(value) or abs(oracle.Fraction(float(value)) - exact) > small:
                return False
    return True


@pytest.mark.parametrize("seed", range(20))
def test_a_thousand_malformed_calls(monkeypatch, seed):
    if seed % 2:  # compiled code reads from addresses: half of the calls go through it
        monkeypatch.setattr(walk, "LARGE", 0)
    rng = np.random.default_rng(seed)
    answered = 0
    for _ in range(1000):
        updates, rule = draw(rng)
        before = snapshot(updates)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", UserWarning)
            try:
                aggregate, report = rfout1d(updates, return_report=True, **rule)
            except (ValueError, TypeError) as error:
                sentence = str(error)
                assert len(sentence.split()) >= 5, sentence
                assert any(word in sentence for word in ("client", "updates", *rule)), sentence
            else:
                answered += 1
                rule.pop("on_invalid")
                assert is_right(updates, aggregate, report, rule), (updates, rule, aggregate)
                assert not np.isnan(report.flagged).any()
                assert not np.isnan(report.largest_z).any()
        assert snapshot(updates) == before
    assert answered > 200
