"""What a round of `rfout.federation` costs beside the training in it.

    python benchmarks/federation_overhead.py

One round of 20 clients of 200 images on the small CNN (batches of 20, one epoch, nothing
evaluated) is compared with the bare training steps: the same compiled step on batches of the same
sizes, already cut out and turned into tensors. Both are measured in turn, so that a machine that
slows down slows down both, and the ratio is the median over the pairs. The target is 1.3.
"""

import argparse
import gc
import os
import platform
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rfout import rfout1d
from rfout.defences import mean
from rfout.federation import Client, Federation
from rfout.startup import load_tensorflow

load_tensorflow()
import tensorflow as tf

from rfout.models import LocalTrainer, small_cnn

BATCH_SIZE = 20
TARGET = 1.3


def evaluate_nothing(predict: object, rng: np.random.Generator) -> dict[str, float]:
    return {}


def clients_of(n_clients: int, n_images: int, rng: np.random.Generator) -> list[Client]:
    shape = (n_images, 28, 28, 1)
    return [
        Client(rng.random(shape, dtype=np.float32), rng.integers(10, size=n_images))
        for _ in range(n_clients)
    ]


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--images", type=int, default=200, help="of each client")
    parser.add_argument("--repetitions", type=int, default=15)
    wanted = parser.parse_args()

    rng = np.random.default_rng(0)
    clients = clients_of(wanted.clients, wanted.images, rng)
    trainer = LocalTrainer(small_cnn(rng=rng), learning_rate=0.01, batch_size=BATCH_SIZE)
    samples = [(tf.constant(client.x), tf.constant(client.y)) for client in clients]

    start = tf.constant(trainer.initial_params)
    pool = ThreadPoolExecutor(os.cpu_count())

    def bare_steps() -> None:
        # The compiled steps of the clients on tensors made before, on the same cores as a round's.
        list(pool.map(lambda sample: trainer._epoch(start, *sample).numpy(), samples))

    def federation(aggregator: Callable) -> Federation:
        return Federation(trainer, clients, aggregator, evaluate=evaluate_nothing, rng=rng)

    work = {
        "bare training steps": bare_steps,
        "round, mean": federation(mean).step,
        "round, rfout1d": federation(rfout1d).step,
    }
    for run in work.values():  # traces and caches
        run()
    times: dict[str, list[float]] = {name: [] for name in work}
    for repetition in range(wanted.repetitions):
        # Back and forth: neither is always the first.
        for name in list(work)[:: 1 if repetition % 2 else -1]:
            times[name].append(seconds(work[name]))

    print(
        f"{wanted.clients} clients of {wanted.images} images, {trainer.n_params:,} parameters, "
        f"steps of {BATCH_SIZE} images, {wanted.repetitions} repetitions"
    )
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, TensorFlow {tf.__version__}, "
        f"{os.cpu_count()} cores\n"
    )
    print(f"{'':24}{'median ms':>10}{'fastest ms':>12}{'ratio':>8}{'10 % to 90 %':>15}")
    bare = times["bare training steps"]
    for name, measured in times.items():
        ratios = np.divide(measured, bare)
        low, high = np.quantile(ratios, [0.1, 0.9])
        print(
            f"{name:24}{1e3 * statistics.median(measured):10.1f}{1e3 * min(measured):12.1f}"
            f"{np.median(ratios):8.3f}{low:8.3f}{high:7.3f}"
        )
    ratio = float(np.median(np.divide(times["round, mean"], bare)))
    verdict = "within" if ratio <= TARGET else "ABOVE"
    print(f"\nA round takes {ratio:.2f} times the bare steps: {verdict} the target of {TARGET}.")


if __name__ == "__main__":
    main()
