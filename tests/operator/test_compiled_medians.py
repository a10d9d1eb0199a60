"""The sorting network, and the compiled members with a median in them at the sizes they are for."""

import itertools

import numpy as np
import pytest

from rfout import rfout1d
from rfout.operator import walk

pytestmark = pytest.mark.filterwarnings("ignore:nothing can be flagged:UserWarning")
RULES = [
    {"center": c, "scale": s, "replacement": r}
    for c, s, r in itertools.product(("mean", "median"), ("std", "mad"), ("center", "drop"))
    if (c, s) != ("mean", "std")
]


@pytest.fixture(scope="module")
def kernels():
    pytest.importorskip("numba")
    from rfout.operator import compiled_medians

    return compiled_medians


def test_the_network_sorts_whatever_the_number_of_clients(kernels):
    # By the 0-1 principle a network that sorts zeros and ones sorts everything.
    for n in (*range(1, 14), 16, 17, 50, 63, 64, 65, 100, 1000):
        if n <= 13:
            x = np.array(list(itertools.product((0, 1), repeat=n)), np.float32).T.copy()
        else:
            x = np.random.default_rng(n).integers(0, 9, (n, 40)).astype(np.float32)
        expected = np.sort(x, axis=0)
        kernels.sort_clients(x, x.shape[1])
        np.testing.assert_array_equal(x, expected)


def test_only_the_columns_asked_for_are_sorted(kernels):
    x = np.random.default_rng(0).standard_normal((20, 9))
    expected = np.concatenate([np.sort(x[:, :5], axis=0), x[:, 5:]], axis=1)
    kernels.sort_clients(x, 5)
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 11, 12, 50, 300])
def test_strips_and_blocks_give_the_same_bytes(kernels, monkeypatch, dtype, n):
    rng = np.random.default_rng(n)
    x = rng.standard_normal((n, 3 * kernels.STRIP + 5)).astype(dtype)
    x[0] *= 30
    x[:, 5] = 1.5  # constant
    x[: n // 2 + 1, 6] = 0  # MAD 0
    x[:, 7] = rng.integers(-2, 3, n)  # ties
    for rule in RULES:
        results = set()
        for large in (0, 2**62):
            monkeypatch.setattr(walk, "LARGE", large)
            aggregate, report = rfout1d(x, return_report=True, **rule)
            flagged, z = report.flagged.tobytes(), report.largest_z.tobytes()
            results.add((aggregate.tobytes(), rfout1d(x, **rule).tobytes(), flagged, z))
        assert len(results) == 1, rule
