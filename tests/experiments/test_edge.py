"""Edge cases: taken out of what honest clients hold and of what the main task is measured on."""

import numpy as np
import pytest

from rfout.attacks import rarity
from rfout.datasets import load
from rfout.experiments.edge import LABEL, federation_without_tail, split_tail


@pytest.fixture(scope="module")
def data():
    return load("digits", rng=np.random.default_rng(0), n_train=1000, n_test=500)


def test_the_tail_is_gone_from_both_sets_and_is_rarer_than_what_stays(data):
    rest, train, test = split_tail(data)
    assert len(train) == pytest.approx(0.1 * np.sum(data.y_train == LABEL), abs=1)
    assert len(rest.y_train) + len(train) == len(data.y_train)
    assert len(rest.y_test) + len(test) == len(data.y_test)
    known = data.x_train[data.y_train == LABEL]
    stayed = rarity(rest.x_train[rest.y_train == LABEL], known)
    assert rarity(test, known).min() > stayed.max() * 0.8
    held = {image.tobytes() for image in rest.x_train}
    assert not held & {image.tobytes() for image in train}


@pytest.mark.parametrize("honest_tail", [0.0, 0.5])
def test_a_fraction_of_the_clients_holds_half_of_the_tail(honest_tail):
    federation = federation_without_tail(
        rng=np.random.default_rng(1), honest_tail=honest_tail, dataset="digits", n_train=2000,
        n_test=500, n_clients=10, alpha=None,
    )  # fmt: skip
    own = {image.tobytes() for image in federation.evaluate.tail_train}
    assert not own & {image.tobytes() for client in federation.clients for image in client.x}
    sizes = [len(client.y) for client in federation.clients]
    assert sum(size > min(sizes) + 1 for size in sizes) <= round(10 * honest_tail)
    half = len(federation.evaluate.tail_train)
    assert sum(sizes) in ((2000 - half,) if honest_tail else (2000 - 2 * half, 2001 - 2 * half))


def test_a_test_set_without_edge_cases_is_an_error(data):
    with pytest.raises(ValueError, match="no test image of class 7"):
        split_tail(data, share=0.0)
