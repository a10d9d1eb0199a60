"""The rivals, each against its definition written out."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rfout.defences import mean


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([np.float32, np.float64]).flatmap(
        lambda dtype: arrays(
            dtype,
            array_shapes(min_dims=1, max_dims=4, max_side=12),
            elements=st.floats(-(2.0**100), 2.0**100, width=32),
        )
    )
)
def test_mean_is_the_sum_over_the_clients_divided_by_their_number(updates):
    before = updates.copy()
    got = mean(updates)
    assert got.shape == updates.shape[1:]
    assert got.dtype == updates.dtype
    np.testing.assert_array_equal(updates, before)
    n = len(updates)
    for g, column in zip(got.ravel(), updates.reshape(n, -1).T, strict=True):
        want = sum((Fraction(float(v)) for v in column), Fraction(0)) / n
        lost = 4 * n * 2.0**-52 * float(np.abs(column).max())
        last_place = float(np.spacing(np.abs(updates.dtype.type(float(want)))))
        assert abs(Fraction(float(g)) - want) <= Fraction(lost + last_place)


def test_mean_sums_in_double():
    updates = np.array([[2.0**30], [1.0], [-(2.0**30)], [1.0]], np.float32)
    assert mean(updates).tolist() == [0.5]  # in float32 the first 1 is lost


def test_every_client_counts_once():
    assert mean(np.array([[0.0, 3.0], [0.0, 3.0], [6.0, 0.0]])).tolist() == [2.0, 2.0]


@pytest.mark.parametrize("boost", [1.0, 1e6])
def test_mean_is_no_defence(boost):
    updates = np.zeros((20, 3))
    updates[0] = boost
    np.testing.assert_allclose(mean(updates), boost / 20)
