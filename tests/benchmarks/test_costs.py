"""The cost model: what must hold whatever was measured."""

import pytest
import tables as benchmarks
from costs import cost

N, D, NETWORK = 1e6, 1e8, 1.25e9


@pytest.fixture(scope="module")
def tables(root):
    return benchmarks.read_tables(root / "benchmarks" / "results")


@pytest.mark.parametrize("by", ["coordinate", "client"])
def test_servers_share_the_bytes_and_the_work(tables, by):
    one, ten = (cost(tables, N, D, n, by=by, network=NETWORK) for n in (1, 10))
    assert one.received == one.stored == 4 * N * D
    assert one.between == one.exchanging == 0
    for part in ("received", "stored", "receiving", "computing"):
        assert getattr(one, part) == pytest.approx(10 * getattr(ten, part))
    assert one.receiving == 4 * N * D / NETWORK
    assert ten.seconds == ten.receiving + ten.computing + ten.exchanging


def test_a_server_computes_at_the_measured_rates(tables):
    files = tables["out_of_core"].iloc[0]
    price = cost(tables, files.n_clients, files.n_params, 1, by="coordinate", network=NETWORK)
    assert price.computing == pytest.approx(files.seconds)
    by_client = cost(tables, files.n_clients, files.n_params, 1, by="client", network=NETWORK)
    assert by_client.computing >= price.computing


def test_client_shards_talk_as_the_benchmark_counts_and_up_a_tree(tables):
    shards = tables["shards"][tables["shards"]["sharded_by"] == "client"].iloc[0]
    n = shards.n_processes
    price = cost(tables, N, shards.n_params, n, by="client", network=NETWORK)
    # The benchmark's coordinator is a process of its own; in the tree it is one of the servers.
    assert price.between == shards.bytes_between_servers / n * (n - 1)
    few, many = (cost(tables, N, D, n, by="client", network=NETWORK) for n in (2, 1024))
    assert many.exchanging == pytest.approx(10 * few.exchanging)


def test_coordinate_shards_only_hand_in_their_slices(tables):
    price = cost(tables, N, D, 100, by="coordinate", network=NETWORK)
    assert price.between == pytest.approx(4 * D * 99 / 100)
    assert price.between < cost(tables, N, D, 100, by="client", network=NETWORK).between


@pytest.mark.parametrize(
    ("change", "word"),
    [({"by": "layer"}, "by"), ({"n_servers": 0}, "positive"), ({"network": 0}, "positive")],
)
def test_what_makes_no_sense(tables, change, word):
    given = {"n_clients": N, "n_params": D, "n_servers": 2, "by": "client", "network": NETWORK}
    with pytest.raises(ValueError, match=word):
        cost(tables, **{**given, **change})
