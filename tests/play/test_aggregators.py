"""The page's aggregators give what their namesakes in `rfout` give."""

from functools import partial

import numpy as np
import pytest

from rfout import rfout1d
from rfout.defences import lineup

IDS = {
    "mean": "mean",
    "rfout1d": "RFOut-1d",
    "median-mad": "RFOut-1d, median/MAD",
    "drop": "RFOut-1d, drop",
    "median": "median",
    "trimmed-mean": "trimmed mean",
    "norm-clipping": "norm clipping",
    "krum": "Krum",
}
FORMS = {
    "rfout1d": {},
    "median-mad": {"center": "median", "scale": "mad"},
    "drop": {"replacement": "drop"},
}


def random(seed, n, d=200, scale=1.0):
    return (np.random.default_rng(seed).standard_t(3, (n, d)) * scale).astype(np.float32)


def hostile(value, n=20, client=3):
    updates = random(5, n)
    updates[client] = value
    return updates


def small_numbers(n):
    """Few distinct values, as of dead units: ties, zero scales, and a lone one among equals."""
    updates = np.random.default_rng(n).integers(-1, 2, (n, 300)).astype(np.float32)
    updates[:, :50] = 0
    updates[0, :50] = 7
    return updates


ARRAYS = {
    "random": random(1, 20),
    "many": random(2, 40, scale=1e-3),
    "few": random(3, 5),
    "ten": small_numbers(10),
    "eleven": small_numbers(11),
    "twenty": small_numbers(20),
    "boosted": np.concatenate([random(4, 18), 20 * random(6, 2)]),
    "huge": hostile(1e30),
    "huge, both ways": np.concatenate([hostile(1e30), hostile(-3e38, 1, 0)]),
    "tiny": random(7, 15, scale=1e-30),
}


@pytest.fixture(scope="module")
def theirs(script):
    """Every aggregator on every array, in one process."""
    keys = [(name, one) for name in ARRAYS for one in IDS]
    calls = [["core/aggregators.js", "aggregate", one, ARRAYS[name], 3] for name, one in keys]
    return dict(zip(keys, script(calls), strict=True))


@pytest.mark.filterwarnings("ignore:nothing can be flagged")
@pytest.mark.parametrize("aggregator", IDS)
@pytest.mark.parametrize("name", ARRAYS)
def test_the_aggregate_is_that_of_the_package(theirs, name, aggregator):
    updates = ARRAYS[name]
    ours = lineup(len(updates))[IDS[aggregator]](updates)
    typical = np.median(np.abs(updates).astype(np.float64))
    found = theirs[name, aggregator]["aggregate"]
    np.testing.assert_allclose(found, ours, rtol=1e-6, atol=1e-6 * typical)


@pytest.mark.filterwarnings("ignore:nothing can be flagged")
@pytest.mark.parametrize("aggregator", FORMS)
@pytest.mark.parametrize("name", ARRAYS)
def test_the_same_values_are_flagged(theirs, name, aggregator):
    _, report = rfout1d(ARRAYS[name], return_report=True, **FORMS[aggregator])
    found = theirs[name, aggregator]["report"]
    np.testing.assert_allclose(found["flagged"], report.flagged, atol=1e-12)
    assert sum(found["flags"]) == round(report.flagged.sum() * ARRAYS[name].shape[1])


@pytest.mark.parametrize("threshold", [1.0, 2.5, 4.0])
def test_the_threshold_is_that_of_the_package(script, threshold):
    updates = ARRAYS["boosted"]
    calls = [["core/aggregators.js", "aggregate", one, updates, threshold] for one in FORMS]
    for rule, found in zip(FORMS.values(), script(calls), strict=True):
        ours = rfout1d(updates, threshold=threshold, **rule)
        np.testing.assert_allclose(found["aggregate"], ours, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_as_the_package_refuses_it(script, value):
    updates = random(8, 20)
    updates[3, 7] = value
    calls = {
        "rfout1d": ["core/aggregators.js", "rfout1d", updates],
        "median": ["core/aggregators.js", "median", updates],
        "trimmed mean": ["core/aggregators.js", "trimmedMean", updates, 4],
        "norm clipping": ["core/aggregators.js", "normClipping", updates],
        "Krum": ["core/aggregators.js", "krum", updates, 4],
    }
    defences = lineup(20)
    for (name, found), ours in zip(
        zip(calls, script(list(calls.values())), strict=True),
        [rfout1d, *(defences[name] for name in list(calls)[1:])],
        strict=True,
    ):
        with pytest.raises(ValueError, match="client 3") as refused:
            ours(updates)
        if name != "norm clipping":  # whose own words do not tell the place
            assert found == {"error": str(refused.value)}
        assert "client 3" in found["error"]
    (found,) = script([["core/aggregators.js", "mean", updates]])
    assert np.isfinite(found).sum() == 199, "the mean checks nothing, and loses one coordinate"


@pytest.mark.filterwarnings("ignore:nothing can be flagged")
def test_one_client_is_the_aggregate(script):
    updates = random(9, 1)
    calls = [["core/aggregators.js", name, updates] for name in ("mean", "median", "normClipping")]
    calls += [["core/aggregators.js", "rfout1d", updates, rule] for rule in FORMS.values()]
    calls += [["core/aggregators.js", "trimmedMean", updates, 0]]
    for found in script(calls):
        aggregate = found["aggregate"] if isinstance(found, dict) else found
        np.testing.assert_array_equal(aggregate, updates[0])
    (krum,) = script([["core/aggregators.js", "krum", updates, 0]])
    assert "3 clients" in krum["error"]
    with pytest.raises(ValueError, match="3 clients"):
        partial(lineup(3)["Krum"].func, n_adversaries=0)(updates)
