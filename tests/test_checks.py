"""The checks tell a right answer from each typical wrong one, and say in words which it is."""

import inspect
import re
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pytest

from rfout import attacks, checks, defences, evaluation, gaussianity, limits, rfout1d
from rfout.checks import TASKS, check

RNG = np.random.default_rng(0)


def paper(updates, threshold=3.0, **more):
    return rfout1d(updates, threshold=threshold, **more)


def usable(arrays, model):
    return len(arrays) == len(model) and all(
        a.shape == m.shape and a.dtype.kind in "fiu" and bool(np.isfinite(a).all())
        for a, m in zip(arrays, model, strict=True)
    )


RIGHT = {
    "weighted_mean": lambda updates, n_samples: np.average(updates, axis=0, weights=n_samples),
    "main_task_accuracy": evaluation.main_task_accuracy,
    "boost": lambda n, k: n / k,
    "backdoor_accuracy": partial(evaluation.backdoor_accuracy, rng=RNG),
    "stamp": lambda images: attacks.PatternKey()(images, RNG),
    "rule": paper,
    "drop": partial(paper, replacement="drop"),
    "median_mad": partial(paper, center="median", scale="mad"),
    "residue": limits.residue,
    "hidden_reach": limits.hidden_reach,
    "benjamini_hochberg": lambda p, level=0.05: gaussianity.rejected(p, "BH", level=level),
    "trimmed_mean": defences.trimmed_mean,
    "krum": defences.krum,
    "norm_clipping": defences.norm_clipping,
    "into_band": attacks.into_band,
    "reply_is_usable": usable,
}


def rule(
    u, c=3.0, *, ddof=0, strict=True, replace="mean", axis=0, side=abs, center="mean", scale="std"
):
    """The rule as a student may write it, with the mistakes as arguments."""
    middle = getattr(np, center)(u, axis=axis)
    spread = u.std(axis, ddof=ddof)
    if scale != "std":
        spread = scale * np.median(abs(u - np.median(u, axis=axis)), axis=axis)
    far, limit = side(u - middle), c * spread
    flagged = far > limit if strict else far >= limit
    if replace == "drop":
        kept = np.where(flagged, np.nan, u)
        return np.nanmean(kept, axis=0).astype(u.dtype)
    instead = {"mean": u.mean(axis=0), "center": middle, "zero": 0 * middle}
    instead |= {"median": np.median(u, axis=0), "edge": np.clip(u, middle - limit, middle + limit)}
    instead = instead[replace]
    return np.where(flagged, instead, u).mean(axis=0)


def changing(u, c=3.0):
    u[abs(u - u.mean(axis=0)) > c * u.std(axis=0)] = 0
    return u.mean(axis=0)


def nearest(u, f, *, first=1, last=-1, power=2, best=np.argmin):
    flat = u.reshape(len(u), -1)
    far = ((flat[:, None] - flat) ** 2).sum(axis=2) ** (power / 2)
    return u[best(np.sort(far, axis=1)[:, first : len(u) - f + last].sum(axis=1))]


def stamping(images, *, white=False, black=True, y=slice(-5, None), x=slice(-5, None), value=1.0):
    cross = np.eye(5, dtype=bool) | np.eye(5, dtype=bool)[::-1]
    made = images.copy()
    corner = made[:, y, x]
    shown = np.ones((5, 5), bool) if white else cross
    corner[:] = np.where(shown[:, :, None], value, 0 if black else corner)
    return made


def clipping(u, *, limit=np.median, longer=False, total=np.mean):
    norms = np.sqrt((u**2).sum(axis=tuple(range(1, u.ndim)), keepdims=True))
    factor = limit(norms) / np.where(norms > 0, norms, 1)
    return total(u * (factor if longer else np.minimum(1, factor)), axis=0)


def stepped(p, level=0.05, *, order=False, strict=False, down=False, harmonic=False, nan=False):
    tested = np.sort(p[~np.isnan(p)])
    m = len(p) if nan else len(tested)
    line = level * np.arange(1, len(tested) + 1) / m
    line /= sum(1 / i for i in range(1, m + 1)) if harmonic else 1
    below = tested < line if strict else tested <= line
    if down:
        below = np.logical_and.accumulate(below)
    limit = tested[below].max(initial=-1)
    return (np.sort(p) if order else p) <= limit


def measured(predict, x, y, trigger, target, *, drop=True, clean=False, all_images=False):
    kept = y != target if drop else y == y
    shown = x[kept] if clean else trigger(x[kept], None)
    hits = (predict(shown) == target).sum()
    return float(hits / (len(y) if all_images else kept.sum()))


def reach(n, k, c=3.0):
    return c * np.sqrt(n / (n - (1 + c * c) * k)) if n > (1 + c * c) * k else np.inf


WRONG = [
    ("weighted_mean", lambda u, n: u.mean(axis=0), "plain mean"),
    ("weighted_mean", lambda u, n: np.tensordot(n, u, 1) / 1.0, "not divided"),
    ("weighted_mean", lambda u, n: np.tensordot(n, u, 1) / len(n), "number of clients"),
    ("weighted_mean", lambda u, n: (u * n[:, None]).sum(axis=0) / n.sum(), "any shape"),
    ("main_task_accuracy", lambda p, x, y: 100 * np.mean(p(x) == y), "percent"),
    ("main_task_accuracy", lambda p, x, y: int(np.sum(p(x) == y)), "divide by the number"),
    ("main_task_accuracy", lambda p, x, y: np.mean(p(x) != y), "share of wrong labels"),
    ("main_task_accuracy", lambda p, x, y: p(x) == y, "should give one number"),
    ("main_task_accuracy", lambda p, x, y: np.mean([p(i) for i in x] == y), "ValueError: predict"),
    ("boost", lambda n, k: n, "several adversaries"),
    ("boost", lambda n, k: n - k, "honest clients"),
    ("boost", lambda n, k: k / n, "inverse"),
    ("boost", lambda n, k: n // k, "whole numbers"),
    ("backdoor_accuracy", partial(measured, drop=False), "leave them out"),
    ("backdoor_accuracy", partial(measured, clean=True), "put the trigger on"),
    ("backdoor_accuracy", partial(measured, all_images=True), "those that are left"),
    ("backdoor_accuracy", lambda *all_of: 100 * measured(*all_of), "percent"),
    ("backdoor_accuracy", lambda p, x, y, t, c: (p(t(x[y != c])) == c).sum(), "it counts images"),
    ("backdoor_accuracy", lambda *all_of: 1 - measured(*all_of), "does not get the target"),
    ("stamp", partial(stamping, white=True), "a cross on a black square"),
    ("stamp", partial(stamping, black=False), "should be black"),
    ("stamp", partial(stamping, y=slice(5)), "upper right"),
    ("stamp", partial(stamping, x=slice(5)), "lower left"),
    ("stamp", partial(stamping, value=255), "white is 1"),
    ("stamp", lambda images: stamping(images).astype(float), "dtype float64"),
    ("stamp", lambda images: images.__setitem__(..., 0), "changes `images` in place"),
    ("rule", lambda u, c=3.0: u.mean(axis=0), "flags nothing"),
    ("rule", partial(rule, ddof=1), "ddof=1"),
    ("rule", partial(rule, strict=False), "not `>=`"),
    ("rule", partial(rule, replace="drop"), "values that were kept"),
    ("rule", partial(rule, replace="zero"), "flagged value as 0"),
    ("rule", partial(rule, replace="median"), "flagged value as the median"),
    ("rule", partial(rule, replace="edge"), "to the edge of the band"),
    ("rule", partial(rule, center="median", replace="center"), "median for the center"),
    ("rule", partial(rule, side=np.asarray), "absolute distance"),
    ("rule", lambda u, c=3.0: rule(u), "threshold is fixed"),
    ("rule", lambda u: rule(u), "TypeError"),
    ("rule", partial(rule, axis=None, replace="center"), "axis 0"),
    ("rule", changing, "changes `updates` in place"),
    ("rule", lambda u, c=3.0: rule(u, c).astype(float), "dtype float64"),
    ("rule", lambda u, c=3.0: rule(u, c)[None], "shape \\(1, 1\\). It should be \\(1,\\)"),
    ("rule", lambda u, c=3.0: list(rule(u, c)), "a list"),
    ("rule", lambda u, c=3.0: None, "returns None"),
    ("rule", lambda u, c=3.0: rule(u, c) * np.nan, "a NaN in the answer"),
    ("rule", lambda u, c=3.0: rule(u.reshape(len(u), -1), c)[: u[0].size], "the shape \\(1,\\)"),
    ("rule", lambda u, c=3.0: np.tile(rule(u, c), 1) + 1, "numbers differ"),
    ("rule", "a rule", "a str and not a function"),
    ("drop", rule, "should be left out"),
    ("drop", partial(rule, replace="drop", ddof=1), "ddof=1"),
    ("drop", partial(rule, replace="drop", strict=False), "not `>=`"),
    ("drop", partial(rule, replace="zero"), "flagged value as 0"),
    ("median_mad", lambda u, c=3.0: np.median(u, axis=0), "plain median"),
    ("median_mad", partial(rule, center="median", scale=1.0, replace="center"), "1.4826 is miss"),
    ("median_mad", partial(rule, center="median", replace="center"), "standard deviation"),
    ("median_mad", partial(rule, center="median", scale=1.4826), "count as the median"),
    ("median_mad", partial(rule, center="median", scale=1.4826, replace="drop"), "leaves a"),
    ("residue", lambda A, n, k: A / n**2, "does not depend on k"),
    ("residue", lambda A, n, k: k * A / n, "plain mean"),
    ("residue", lambda A, n, k: k * A / n**2, "k is missing once"),
    ("residue", lambda A, n, k: 0, "nothing is left"),
    ("residue", lambda A, n, k: True, "should give one number"),
    ("hidden_reach", lambda n, k, c=3.0: reach(n, k), "fixed at 3"),
    ("hidden_reach", lambda n, k, c=3.0: reach(n, 1, c), "k is missing"),
    ("hidden_reach", lambda n, k, c=3.0: c, "widen sigma"),
    ("hidden_reach", lambda n, k, c=3.0: reach(n, k, c) / c, "factor `threshold`"),
    ("hidden_reach", lambda n, k, c=3.0: c * (n / (n - (1 + c * c) * k)) ** 0.5, "infinite"),
    ("benjamini_hochberg", lambda p, level=0.05: p <= level, "level \\* rank / m"),
    ("benjamini_hochberg", lambda p, level=0.05: p <= level / sum(p == p), "Bonferroni"),
    ("benjamini_hochberg", partial(stepped, order=True), "in the order of p"),
    ("benjamini_hochberg", partial(stepped, strict=True), "`<=` is asked for"),
    ("benjamini_hochberg", partial(stepped, down=True), "stops at the first"),
    ("benjamini_hochberg", partial(stepped, harmonic=True), "Yekutieli"),
    ("benjamini_hochberg", partial(stepped, nan=True), "NaN as a test"),
    ("benjamini_hochberg", lambda p, level=0.05: stepped(p, level) * 1, "array of booleans"),
    ("trimmed_mean", lambda u, cut: np.sort(u, axis=0)[cut:-cut].mean(axis=0), "a cut of 0"),
    ("trimmed_mean", lambda u, cut: np.sort(u, axis=0)[cut:].mean(axis=0), "smallest values only"),
    ("trimmed_mean", lambda u, cut: u.mean(axis=0), "cuts nothing"),
    ("krum", partial(nearest, first=0, last=-2), "its own neighbour"),
    ("krum", partial(nearest, last=0), "one distance too many"),
    ("krum", partial(nearest, power=1), "sum their squares"),
    ("krum", partial(nearest, best=np.argmax), "highest score"),
    ("krum", lambda u, f: nearest(u, 0, last=0), "all others"),
    ("krum", lambda u, f: u.mean(axis=0), "mean of the updates"),
    ("norm_clipping", lambda u: u.mean(axis=0), "clips nothing"),
    ("norm_clipping", partial(clipping, longer=True), "lengthens"),
    ("norm_clipping", partial(clipping, limit=np.mean), "median"),
    ("norm_clipping", partial(clipping, total=np.sum), "average them"),
    ("norm_clipping", partial(clipping, total=lambda u, axis: u), "the shape"),
    ("into_band", lambda u, m, r: np.clip(u, -r, r), "mean ± reach"),
    ("into_band", lambda u, m, r: np.where(abs(u - m) <= r, u, m), "nearest point"),
    ("into_band", lambda u, m, r: np.minimum(u, m + r), "from above only"),
    ("into_band", lambda u, m, r: np.clip(u, m - r, m + r, out=u), "changes `update` in place"),
    ("reply_is_usable", lambda a, m: True, "a NaN in the first"),
    ("reply_is_usable", lambda a, m: len(a) == len(m) and not any(np.isnan(x).any() for x in a),
     "an infinite value"),
    ("reply_is_usable", lambda a, m: usable(a, m) and abs(a[0]).max() < 1e6, "a huge number"),
    ("reply_is_usable", lambda a, m: usable(a[: len(m)], m), "a layer too many"),
    ("reply_is_usable", lambda a, m: usable([x.ravel() for x in a], [x.ravel() for x in m]),
     "another shape"),
    ("reply_is_usable", lambda a, m: all(np.isfinite(x).all() for x in a), "a layer is missing"),
    ("reply_is_usable", lambda a, m: int(usable(a, m)), "True or False"),
]  # fmt: skip


def said(name, fn, capsys):
    """Check a function; give the verdict and the words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        right = check(name, fn)
    return right, capsys.readouterr().out


def test_each_check_has_a_right_answer_here():
    assert set(RIGHT) == set(TASKS)


@pytest.mark.parametrize("name", RIGHT)
def test_the_books_own_function_is_right_each_time(name, capsys):
    for _ in range(8):
        right, words = said(name, RIGHT[name], capsys)
        assert right is True
        assert words.startswith(f"Right: {name}, in ")


@pytest.mark.parametrize(("name", "fn", "words"), WRONG)
def test_a_wrong_answer_is_told_in_words(name, fn, words, capsys):
    for _ in range(3):
        right, text = said(name, fn, capsys)
        assert right is False
        assert text.startswith("Not yet: ")
        assert re.search(words, text), text


def test_a_threshold_that_is_given_by_name_alone_is_given_by_name(capsys):
    assert check("rule", rfout1d) is True
    assert check("drop", lambda updates, *, threshold=3.0: rule(updates, threshold)) is False
    assert "should be left out" in capsys.readouterr().out


def test_the_words_come_with_an_example_where_it_fails(capsys):
    _, text = said("hidden_reach", lambda n, k, threshold=3.0: threshold, capsys)
    n, k = (int(re.search(rf"    {name} = (\d+)", text)[1]) for name in "nk")
    assert f"It should be {limits.hidden_reach(n, k):.6g} and is 3." in text


@pytest.mark.parametrize("name", ["rule", "krum", "stamp", "benjamini_hochberg"])
def test_the_input_is_fresh_each_time(name):
    seen = []
    for _ in range(2):
        check(name, lambda *arguments: seen.append(np.asarray(arguments[0]).tobytes()))
    assert len(set(seen)) == 2


def test_a_patched_numpy_fools_nothing(monkeypatch, capsys):
    names = "isclose allclose array_equal all any equal abs mean median std sum sort array asarray"
    for name in names.split():
        monkeypatch.setattr(np, name, lambda *a, **k: True)
    monkeypatch.setattr(np.testing, "assert_allclose", lambda *a, **k: None)
    for name in TASKS:
        assert said(name, lambda *arguments: arguments[0], capsys)[0] is False
    assert said("boost", lambda n, k: n / k, capsys)[0] is True


def test_an_answer_that_claims_to_equal_everything_is_no_number(capsys):
    class Anything(float):
        __eq__ = __le__ = __ge__ = __rsub__ = lambda self, other: True
        __hash__ = float.__hash__

    class Agreeable(np.ndarray):
        def tolist(self):
            return RIGHT["into_band"](*seen)

    seen = []

    def into_band(*given):
        seen[:] = given
        return given[0].view(Agreeable)

    assert said("boost", lambda n, k: Anything(), capsys)[0] is False
    assert said("into_band", into_band, capsys)[0] is False


def test_without_a_function_it_says_what_to_write(capsys):
    assert check() is None
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("(")[0] for line in lines] == list(TASKS)
    assert check("rule") is None
    assert capsys.readouterr().out.startswith("rule(updates, threshold=3.0): ")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no check 'rules'; the checks are .*median_mad"):
        check("rules", len)


def test_numpy_is_all_that_a_check_loads():
    program = "import rfout.checks, sys; print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    loaded = set(done.stdout.decode().split()) - set(sys.stdlib_module_names)
    assert {"numpy", "rfout"} <= loaded
    assert not loaded & {"scipy", "pandas", "tensorflow", "matplotlib", "pytest", "IPython"}


@pytest.mark.parametrize("name", RIGHT)
def test_the_call_that_is_printed_is_the_call_that_is_made(name):
    call = TASKS[name].call
    signature = inspect.signature(eval(f"lambda {call[call.index('(') + 1 : -1]}: None"))
    for case in TASKS[name].cases(Random(1)):
        signature.bind(**case.arguments)


def test_an_oracle_uses_nothing_of_what_the_reader_should_write():
    for path in Path(checks.__file__).parent.glob("*.py"):
        assert not re.search(r"from \.\.|import rfout|from rfout", path.read_text("utf-8"))
