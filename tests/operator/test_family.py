"""The family, its report, and its warning, against a plain NumPy reading of each member."""

import itertools
import warnings

import numpy as np
import pytest

from rfout import Report, rfout1d
from rfout.defences import clip_updates, mean, weak_dp
from rfout.operator import walk

FAMILY = list(itertools.product(("mean", "median"), ("std", "mad"), ("center", "drop")))


def definition(x, threshold, center, scale, replacement):
    x = x.astype(np.float64)
    median = np.median(x, axis=0)
    middle = x.mean(axis=0) if center == "mean" else median
    spread = x.std(axis=0) if scale == "std" else 1.4826 * np.median(abs(x - median), axis=0)
    flagged = abs(x - middle) > threshold * spread
    z = np.divide(abs(x - middle), spread, out=np.zeros_like(x), where=spread > 0)
    if replacement == "center":
        return np.where(flagged, middle, x).mean(axis=0), flagged, z
    return np.where(flagged, 0, x).sum(axis=0) / (~flagged).sum(axis=0), flagged, z


@pytest.fixture(params=["blocks", "compiled"], autouse=True)
def path(request, monkeypatch):
    if request.param == "compiled":
        pytest.importorskip("numba")
    monkeypatch.setattr(walk, "LARGE", 0 if request.param == "compiled" else 2**62)


@pytest.fixture
def updates():
    x = np.random.default_rng(0).standard_normal((30, 4, 500)).astype(np.float32)
    x[3] += 40
    x[4, :, ::3] -= 9
    return x


@pytest.mark.parametrize("threshold", [1.5, 3.0])
@pytest.mark.parametrize(("center", "scale", "replacement"), FAMILY)
def test_each_member_is_its_definition(updates, threshold, center, scale, replacement):
    rule = {"center": center, "scale": scale, "replacement": replacement}
    aggregate, report = rfout1d(updates, threshold=threshold, return_report=True, **rule)
    expected, flagged, z = definition(updates, threshold, **rule)
    np.testing.assert_allclose(aggregate, expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(report.flagged, flagged.mean(axis=(1, 2)))
    np.testing.assert_allclose(report.largest_z, z.max(axis=(1, 2)), rtol=1e-12)
    assert report.left_out == {}


def test_the_defaults_are_the_papers_rule(updates):
    expected = definition(updates, 3.0, "mean", "std", "center")[0]
    np.testing.assert_allclose(rfout1d(updates), expected, rtol=1e-6, atol=1e-7)


def test_lists_of_layers(updates):
    layers = [[one[:2], one[2:].ravel(), np.float32(one[0, 0]).reshape(())] for one in updates]
    flat = np.stack([np.concatenate([np.ravel(part) for part in one]) for one in layers])
    aggregate, report = rfout1d(layers, return_report=True)
    whole, whole_report = rfout1d(flat, return_report=True)
    assert [one.shape for one in aggregate] == [(2, 500), (1000,), ()]
    assert np.concatenate([np.ravel(one) for one in aggregate]).tobytes() == whole.tobytes()
    np.testing.assert_array_equal(report.flagged, whole_report.flagged)
    np.testing.assert_array_equal(report.largest_z, whole_report.largest_z)
    assert isinstance(report, Report)


def test_many_adversaries_are_all_looked_at():
    x = np.random.default_rng(0).standard_normal((101, 300)).astype(np.float32)
    x[:3] += 100
    x[3:6] -= 100
    for rule in ({}, {"replacement": "drop"}):
        aggregate, report = rfout1d(x, return_report=True, **rule)
        expected = definition(x, 3.0, "mean", "std", rule.get("replacement", "center"))[0]
        np.testing.assert_allclose(aggregate, expected, rtol=1e-5, atol=1e-6)
        assert (report.flagged[:6] == 1).all()


def test_where_most_send_one_value_mad_flags_what_differs():
    x = np.zeros((20, 2), np.float32)
    x[0] = 1e6
    x[1:5, 1] = 0.5
    aggregate, report = rfout1d(x, center="median", scale="mad", return_report=True)
    np.testing.assert_array_equal(aggregate, [0, 0])
    np.testing.assert_array_equal(report.flagged[:6], [1, 0.5, 0.5, 0.5, 0.5, 0])
    assert not report.largest_z.any()  # there is no scale to measure in


def test_where_everything_is_flagged_drop_gives_the_center():
    x = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    np.testing.assert_array_equal(rfout1d(x, threshold=0.9, replacement="drop"), [0.0])


@pytest.mark.parametrize(
    ("n", "arguments", "warns"),
    [
        (10, {}, True),
        (11, {}, False),
        (1, {}, True),
        (10, {"replacement": "drop"}, True),
        (5, {"threshold": 2.0}, True),
        (6, {"threshold": 2.0}, False),
        (5, {"center": "median"}, False),
        (5, {"scale": "mad"}, False),
    ],
)
def test_a_rule_that_cannot_fire_says_so_once(n, arguments, warns):
    x = [[np.zeros(3), np.zeros((2, 2))]] * n
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            rfout1d(x, **arguments)
    assert [str(w.message)[:24] for w in caught] == ["nothing can be flagged: "] * warns
    assert all(w.filename == __file__ for w in caught)


def test_dropped_clients_count_for_the_warning():
    x = np.zeros((11, 3))
    x[2, 1] = np.nan
    with (
        pytest.warns(UserWarning, match="of 10 values"),
        pytest.warns(UserWarning, match="client 2"),
    ):
        rfout1d(x, on_invalid="drop")


class TestClipping:
    def test_a_long_update_is_shortened_and_a_short_one_is_left(self):
        x = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0], [1e200, 0.0]])
        clipped = clip_updates(x, 1.0)
        np.testing.assert_allclose(clipped, [[0.6, 0.8], [0.3, 0.4], [0, 0], [1, 0]])
        assert x[0, 0] == 3.0

    def test_the_norm_is_over_all_layers(self):
        clipped = clip_updates([[np.float32([3.0]), np.float32([[4.0]])]], 1.0)
        np.testing.assert_allclose([clipped[0][0][0], clipped[0][1][0, 0]], [0.6, 0.8], rtol=1e-6)
        assert clipped[0][0].dtype == np.float32

    def test_it_composes(self, updates):
        layers = [[one[0], one[1]] for one in updates]
        for aggregate in (rfout1d(clip_updates(layers, 1.0)), rfout1d(clip_updates(updates, 1.0))):
            assert np.isfinite(aggregate[0]).all()

    @pytest.mark.parametrize("norm", [0, -1, np.nan, np.inf])
    def test_no_such_norm(self, norm):
        with pytest.raises(ValueError, match="max_norm"):
            clip_updates(np.ones((3, 2)), norm)

    def test_not_finite(self):
        with pytest.raises(ValueError, match="client 1"):
            clip_updates([np.ones(2), np.array([np.nan, 1])], 1.0)


class TestWeakDP:
    def test_the_noise_is_of_the_size_asked_for(self):
        x = np.zeros((20, 50_000), np.float32)
        aggregate = weak_dp(x, 2.0, 0.5, np.random.default_rng(0), aggregator=rfout1d)
        assert aggregate.std() == pytest.approx(0.5 * 2.0 / 20, rel=0.02)
        assert aggregate.dtype == np.float32

    def test_without_noise_it_is_clipping_and_the_mean(self, updates):
        rng = np.random.default_rng(0)
        np.testing.assert_array_equal(
            weak_dp(updates, 1.0, 0.0, rng), mean(clip_updates(updates, 1.0))
        )

    def test_layers_and_seeds(self):
        x = [[np.zeros(3), np.zeros((2, 2))]] * 12
        a, b = (weak_dp(x, 1.0, 1.0, np.random.default_rng(1), aggregator=rfout1d) for _ in "ab")
        assert [one.shape for one in a] == [(3,), (2, 2)]
        np.testing.assert_array_equal(a[1], b[1])

    def test_negative_noise(self):
        with pytest.raises(ValueError, match="noise"):
            weak_dp(np.ones((3, 2)), 1.0, -1.0, np.random.default_rng(0))
