"""Measure the operator: prints tables and writes them to benchmarks/results as CSV.

python benchmarks/aggregation.py [--rounds 31] [speed flower memory scaling out_of_core shards]
"""

import argparse
import os

os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")

import flower_aggregation
import memory
import scaling
import shards
import speed
import timing

PARTS = {
    "speed": ("50 clients x 1.2 million float32, one adversary", lambda r: speed.table(r)),
    "speed_many_clients": (
        "200 clients x 400,000 float32, one adversary",
        lambda r: speed.table(r, 200, 400_000),
    ),
    "flower": ("Flower: 50 nodes' replies to a new model", lambda r: flower_aggregation.table(r)),
    "memory": ("Memory beyond input and output", lambda _: memory.table()),
    "scaling": ("Cost against clients and values", lambda r: scaling.table(r)),
    "out_of_core": ("Memory-mapped files", lambda _: memory.out_of_core()),
    "shards": ("Several processes", lambda _: shards.table()),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; or all")
    parser.add_argument("--rounds", type=int, default=31, help="interleaved rounds (default 31)")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for name in arguments.parts or PARTS:
        title, measure = PARTS[name]
        rows = measure(arguments.rounds)
        timing.show(title, rows)
        print(f"  -> {timing.write(name, rows).relative_to(timing.RESULTS.parents[1])}")


if __name__ == "__main__":
    main()
