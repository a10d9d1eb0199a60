"""The rule that sets the rivals: the strongest setting that costs less than a point."""

import pandas as pd

from rfout.defences import lineup
from rfout.experiments.tuning import chosen, read_tuning


def table(*rows):
    return pd.DataFrame(rows, columns=["defence", "value", "partition", "cost"])


def test_the_worse_partition_decides():
    six, eight = ("RLR", 6, "IID", 0.0), ("RLR", 8, "IID", 0.0)
    assert chosen(table(six, eight, ("RLR", 8, "Dirichlet", 0.02))) == {"RLR": 6}


def test_the_mean_over_seeds_decides_and_not_one_seed():
    one, other = ("FLAME", 0.1, "IID", 0.015), ("FLAME", 0.1, "IID", 0.0)
    assert chosen(table(one, other)) == {"FLAME": 0.1}


def test_the_lineup_is_set_as_the_committed_table_says():
    best, aggregators = chosen(read_tuning()), lineup(20)
    assert aggregators["weak DP"].keywords["noise"] == best["weak DP"]
    assert aggregators["FLAME"].keywords["noise"] == best["FLAME"]
    assert aggregators["RLR"].keywords["aggregator"].keywords["threshold"] == best["RLR"]
