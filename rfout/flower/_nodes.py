"""Waiting for nodes, with an end."""

import time
from logging import INFO

from flwr.common import log
from flwr.serverapp import Grid
from flwr.serverapp.exception import AggregationError


def wait_for_nodes(grid: Grid, wanted: int, seconds: float) -> None:
    """Wait until enough nodes are there, with a line whenever their number changes.

    Raises
    ------
    flwr.serverapp.exception.AggregationError
        If they are not there in time.
    """
    end, said = time.monotonic() + seconds, -1
    while (there := len(list(grid.get_node_ids()))) < wanted:
        if there != said:
            log(INFO, "waiting for %d more nodes: %d of %d", wanted - there, there, wanted)
            said = there
        if time.monotonic() >= end:
            raise AggregationError(
                f"gave up: {there} of {wanted} nodes after {seconds:g} s. Start more nodes (in a "
                f"simulation: --federation-config num-supernodes={wanted}), ask for fewer "
                "(min_available_nodes), or wait longer (node_timeout)"
            )
        time.sleep(0.5)
