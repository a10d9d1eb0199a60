"""What the adapter and the chapter rest on, held to by the stand-in and by `shfl` itself."""

import copy
import random

import numpy as np
import pytest
from toy import Toy, samples

from rfout import rfout1d
from rfout.sherpa import RFOut1d, standin


@pytest.fixture
def nodes(api):
    return api.federate(*samples())


@pytest.fixture(autouse=True)
def _ambient_seed():
    np.random.seed(7)  # noqa: NPY002 (the framework draws from it)
    random.seed(7)


def params(n=12, seed=1):
    rng = np.random.default_rng(seed)
    return [[rng.normal(size=(3, 2)).astype(np.float32), rng.normal(size=2)] for _ in range(n)]


def same(given, expected):
    assert type(given) is type(expected)
    for a, b in zip(given, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


# The aggregator


def test_it_is_a_fedavg_aggregator_where_the_framework_is(api):
    assert isinstance(RFOut1d(), api.fedavg) == api.real


def test_structure_and_dtypes_are_those_of_fedavg(api):
    sent = params()
    ours, theirs = (api.aggregate(one, sent) for one in (RFOut1d(), api.fedavg()))
    assert type(ours) is type(theirs) is list
    assert [(a.shape, a.dtype) for a in ours] == [(a.shape, a.dtype) for a in theirs]


def test_it_equals_fedavg_when_nothing_is_flagged(api):
    sent, aggregator = params(), RFOut1d()
    ours, theirs = (api.aggregate(one, sent) for one in (aggregator, api.fedavg()))
    assert aggregator.reports[-1].flagged.max() == 0
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_it_equals_rfout1d_and_not_fedavg_when_something_is(api):
    sent = params()
    sent[5][0][1] = 50.0
    aggregator = RFOut1d()
    ours = api.aggregate(aggregator, sent)
    same(ours, rfout1d(sent))
    assert aggregator.reports[-1].flagged.tolist() == [0.25 if i == 5 else 0 for i in range(12)]
    assert not np.allclose(ours[0], api.aggregate(api.fedavg(), sent)[0])


# The nodes


def test_data_are_copied_and_transformed_in_the_node_alone(api, nodes):
    features, labels = samples()
    nodes = api.federate(features, labels)
    features[0][:] = 0  # what happens outside does not reach the node

    def double(data):
        data.data = data.data * 2

    nodes[1].apply_data_transformation(api.function(double))
    for node in nodes:
        node.configure_data_access(api.function(lambda data: data))
    expected = samples()[0]
    np.testing.assert_array_equal(nodes[0].query().data, expected[0])
    np.testing.assert_array_equal(nodes[1].query().data, 2 * expected[1])
    np.testing.assert_array_equal(nodes[2].query().data, expected[2])
    np.testing.assert_array_equal(features[1], expected[1])


def test_data_need_a_policy_and_give_what_it_says(api, nodes):
    with pytest.raises(ValueError, match="access"):
        nodes[0].query()
    nodes[0].configure_data_access(api.function(lambda data: len(data.label)))
    assert nodes[0].query() == 8
    with pytest.raises(ValueError, match="access"):
        nodes[1].query()


def test_training_one_node_leaves_the_others_alone(api, nodes):
    model = Toy()
    for node in nodes:
        api.give_model(node, model)
    nodes[3].train_model()
    trained = [bool(np.any(node.query_model_params()[0])) for node in nodes]
    assert trained == [i == 3 for i in range(12)]
    assert not model.weights.any()


def test_a_params_policy_speaks_for_its_node_alone(api, nodes):
    for node in nodes:
        api.give_model(node, Toy())
    nodes[0].configure_model_params_access(api.function(lambda sent: [p + 9 for p in sent]))
    sums = [float(node.query_model_params()[0].sum()) for node in nodes]
    assert sums == [54.0] + [0.0] * 11
    nodes[0].train_model()
    assert abs(nodes[0].query_model_params()[0] - 9).max() < 2, "the policy changed the model"


def test_a_node_gets_parameters_of_its_own(api, nodes):
    for node in nodes:
        api.give_model(node, Toy())
    sent = params(1)[0]
    nodes[0].set_model_params(sent)
    sent[0][:] = 0
    same(nodes[0].query_model_params(), params(1)[0])


# The round


class Spy(RFOut1d):
    """Writes down what it was given and gave, and looks whether that has changed."""

    def __init__(self, log, **settings):
        super().__init__(**settings)
        self.log, self.given, self.gave = log, [], []

    def __call__(self, clients_params):
        before = copy.deepcopy(clients_params)
        result = super().__call__(clients_params)
        for one, two in zip(clients_params, before, strict=True):
            same(one, two)
            for layer, new in zip(one, result, strict=True):
                assert not np.shares_memory(layer, new)
        self.given.append(before)
        self.gave.append(copy.deepcopy(result))
        self.log.append(("aggregate", None))
        return result


def run(api, nodes, n_rounds=3, **settings):
    model = Toy()
    spy = Spy(model.log, **settings)
    rounds, global_params = api.govern(model, nodes, spy)
    features, labels = samples(1, seed=9)
    rounds(n_rounds, features[0], labels[0])
    return spy, global_params(), model.log


def test_in_a_round_all_train_and_then_one_aggregates(api, nodes, capsys):
    spy, last, log = run(api, nodes)
    assert [kind for kind, _ in log if kind != "evaluate"] == (["train"] * 12 + ["aggregate"]) * 3
    assert "evaluate" in {kind for kind, _ in log}
    starts = [weights for kind, weights in log if kind == "train"]
    same(last, spy.gave[-1])
    for number, weights in enumerate(starts):
        expected = spy.gave[number // 12 - 1][0] if number >= 12 else np.zeros((3, 2), np.float32)
        np.testing.assert_array_equal(weights, expected)
    assert capsys.readouterr().out.strip(), "the framework prints how a round went"


@pytest.mark.parametrize("on_updates", [False, True])
def test_an_attacked_federation_equals_the_same_by_hand(api, nodes, on_updates, capsys):
    nodes[4].configure_model_params_access(api.function(lambda sent: [100 * p for p in sent]))
    start = {"start": Toy().get_model_params()} if on_updates else {}
    spy, last, _ = run(api, nodes, **start)

    expected, features = Toy(), list(zip(*samples(), strict=True))
    for _ in range(3):
        sent = []
        for number, (own, labels) in enumerate(features):
            node = copy.deepcopy(expected)
            node.train(own, labels)
            sent.append([(100 if number == 4 else 1) * p for p in node.get_model_params()])
        expected.set_model_params(rfout1d(sent))
    for a, b in zip(last, expected.get_model_params(), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-5)
    assert all(report.flagged.argmax() == 4 for report in spy.reports)
    assert abs(last[1]).max() < 100


# The distribution of data, and the attack on it


def data(n=240):
    return np.arange(n)[:, None] + np.zeros((1, 3)), np.arange(n) % 4


def held(api, nodes):
    for node in nodes:
        node.configure_data_access(api.function(lambda own: own))
    return [node.query() for node in nodes]


def test_iid_gives_every_training_sample_to_one_node(api):
    distribution = api.distribution("IidDataDistribution", *data())
    nodes, test, test_labels = api.nodes(distribution, num_nodes=16)
    owned = held(api, nodes)
    rows = np.concatenate([own.data[:, 0] for own in owned])
    assert [len(own.label) for own in owned] == [12] * 16
    assert sorted([*rows, *test[:, 0]]) == list(range(240))
    for own in owned:
        np.testing.assert_array_equal(own.data[:, 0] % 4, own.label)
    np.testing.assert_array_equal(test[:, 0] % 4, test_labels)


def test_iid_keeps_the_percentage_asked_for(api):
    distribution = api.distribution("IidDataDistribution", *data())
    nodes, *_ = api.nodes(distribution, num_nodes=16, percent=50)
    assert [len(own.label) for own in held(api, nodes)] == [6] * 16


def test_non_iid_leaves_classes_out(api):
    features, labels = data(4000)
    distribution = api.distribution("NonIidDataDistribution", features, labels)
    owned = held(api, api.nodes(distribution, num_nodes=12)[0])
    classes = [set(own.label.tolist()) for own in owned]
    assert all(2 <= len(own) <= 4 for own in classes)
    assert min(map(len, classes)) < 4
    assert len(set(map(frozenset, classes))) > 1
    for own in owned:
        np.testing.assert_array_equal(own.data[:, 0] % 4, own.label)


def deal(shfl, n_nodes):
    np.random.seed(11)  # noqa: NPY002
    distribution = shfl.data_distribution.IidDataDistribution(None)
    return distribution.make_data_federated(*data(4000), percent=90, num_nodes=n_nodes)


def same_deal(api, n_nodes):
    for ours, theirs in zip(deal(standin, n_nodes), deal(api.shfl, n_nodes), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_stand_in_deals_iid_as_the_framework_does(api):
    """One seed, one federation: the chapter's numbers do not depend on where it ran."""
    same_deal(api, 16)


def test_the_share_of_twenty_nodes_is_rounded_alike(api):
    assert {len(part) for part in deal(standin, 20)[1]} == {179, 180, 181}
    if api.old:  # makes one array of all parts, which must then be of one size
        with pytest.raises(ValueError, match="inhomogeneous"):
            deal(api.shfl, 20)
    else:
        same_deal(api, 20)


def test_poisoning_shuffles_the_labels_of_the_nodes_it_names(api):
    features, _ = samples(n=40)
    nodes = api.federate(features, [np.arange(40)] * 12)
    adversaries = api.attack(25, nodes)
    assert len(set(adversaries)) == 3
    for number, own in enumerate(held(api, nodes)):
        assert sorted(own.label) == list(range(40))
        assert (own.label.tolist() != list(range(40))) == (number in adversaries)
        np.testing.assert_array_equal(own.data, features[number])
