"""The lineup: the book's aggregators, one contract, settings that a checkpoint can tell apart."""

import numpy as np
import pytest

from rfout import Report, rfout1d
from rfout.checkpoints import fingerprint
from rfout.defences import FAMILY, NAMES, clip_first, lineup


def updates(n=20):
    return np.random.default_rng(0).normal(size=(n, 40)).astype(np.float32)


def test_every_aggregator_has_the_contract_of_a_mean():
    x = updates()
    before = x.copy()
    aggregators = lineup(20)
    assert tuple(aggregators) == NAMES
    for name, aggregator in aggregators.items():
        aggregate = aggregator(x)
        assert aggregate.shape == (40,), name
        assert aggregate.dtype == np.float32, name
        assert np.isfinite(aggregate).all(), name
        np.testing.assert_array_equal(x, before, name)
        np.testing.assert_array_equal(aggregate, aggregator(x), name)  # no state between calls


def test_all_differ_and_each_has_a_fingerprint_that_lasts():
    results = {aggregator(updates()).tobytes() for aggregator in lineup(20).values()}
    assert len(results) >= 9  # RFOut-1d flags next to nothing here, in either form
    prints = [fingerprint(aggregator) for aggregator in lineup(20).values()]
    assert len(set(prints)) == len(NAMES)
    assert prints == [fingerprint(aggregator) for aggregator in lineup(20).values()]
    other = lineup(20, seed=1)
    assert fingerprint(other["weak DP"]) not in prints


def test_the_forms_of_rfout_report_when_asked():
    reporting = [
        name
        for name, aggregator in lineup(20, report=True).items()
        if isinstance(aggregator(updates()), tuple)
    ]
    assert reporting == list(FAMILY)
    assert isinstance(lineup(20, report=True)["RFOut-1d"](updates())[1], Report)


@pytest.mark.parametrize(("n_clients", "provided"), [(20, 4), (30, 6), (19, 4), (18, 3), (11, 2)])
def test_it_provides_for_the_most_that_bulyan_can(n_clients, provided):
    aggregators = lineup(n_clients)
    for name in ("Krum", "Multi-Krum", "Bulyan"):
        assert aggregators[name].keywords["n_adversaries"] == provided
        aggregators[name](updates(n_clients))
    assert aggregators["trimmed mean"].keywords["cut"] == provided
    with pytest.raises(ValueError, match="Bulyan needs"):
        lineup(n_clients, provided + 1)


# Krum gives one client's update, and FoolsGold looks for several of one direction.
@pytest.mark.parametrize("name", sorted({*NAMES} - {"mean", "Krum", "FoolsGold"}))
def test_one_far_adversary_moves_every_defence_less_than_the_mean(name):
    x = updates()
    honest = x[1:].mean(axis=0)
    x[0] = 100.0

    def moved(aggregator):
        return np.linalg.norm(aggregator(x) - honest)

    assert moved(lineup(20)[name]) < moved(lineup(20)["mean"]) / 5


@pytest.mark.parametrize(("n_clients", "n_adversaries"), [(2, None), (20, -1), (20, 5)])
def test_settings_out_of_range(n_clients, n_adversaries):
    with pytest.raises(ValueError, match="Bulyan needs"):
        lineup(n_clients, n_adversaries)


def test_clipping_first_leaves_nothing_of_a_length_that_no_honest_client_has():
    x = updates()
    x[0] *= 1e6
    clipped = x.astype(np.float64)
    norms = np.linalg.norm(clipped, axis=1, keepdims=True)
    clipped *= np.minimum(1, np.median(norms) / norms)
    np.testing.assert_allclose(clip_first(x, rfout1d), rfout1d(clipped), rtol=1e-4, atol=1e-6)
