"""What an aggregation over many servers would cost, by the constants that were measured."""

import math
from dataclasses import dataclass

from tables import BYTES, Tables, of_shards


@dataclass(frozen=True)
class Cost:
    """What one aggregation over several servers takes. Seconds are those of the slowest server.

    Attributes
    ----------
    received, stored
        Bytes that one server receives from clients, and keeps until it has filtered.
    between
        Bytes between servers, all together.
    receiving, computing, exchanging
        Seconds: of receiving the updates, of reading and filtering them, of talking.
    """

    received: float
    stored: float
    between: float
    receiving: float
    computing: float
    exchanging: float

    @property
    def seconds(self) -> float:
        """All three, one after the other."""
        return self.receiving + self.computing + self.exchanging


def cost(
    tables: Tables, n_clients: float, n_params: float, n_servers: int, *, by: str, network: float
) -> Cost:
    """Expect what an aggregation costs, from the constants in the tables.

    Parameters
    ----------
    tables
        From `read_tables`.
    n_clients, n_params
        Of the aggregation.
    n_servers
        Each like the machine of the tables, with room on disk for its share of the updates.
    by
        "coordinate": a server has a slice of every update, reads it once and sends its slice of
        the aggregate. "client": a server has whole updates of some clients; moments go up and down
        a binary tree, and what is not flagged goes up.
    network
        Bytes per second that a server receives or sends.

    Returns
    -------
    Cost

    Raises
    ------
    ValueError
        If `by` is neither, or a number is not positive.
    """
    if by not in ("coordinate", "client"):
        raise ValueError(f'by must be "coordinate" or "client", not {by!r}')
    if not min(n_clients, n_params, n_servers, network) > 0:
        raise ValueError("clients, parameters, servers and network must all be positive")
    files = tables["out_of_core"].iloc[0]
    values = n_clients * n_params / n_servers
    reading = files["seconds"] / (files["n_clients"] * files["n_params"])  # and filtering, a value
    if by == "coordinate":
        computing, steps, words = values * reading, 1, BYTES / n_servers
        between = BYTES * n_params * (n_servers - 1) / n_servers
    else:
        passes = 1e-9 * of_shards(tables, "client", "nanoseconds_per_value").min()
        computing, steps = values * max(passes, reading), math.ceil(math.log2(n_servers))
        words = 8 * (2 + 2 + 1)  # mean and squares up, both down, and the unflagged sum up
        between = words * n_params * (n_servers - 1)
    received = BYTES * values
    return Cost(
        received,
        received,
        between,
        received / network,
        float(computing),
        0.0 if n_servers == 1 else steps * words * n_params / network,
    )
