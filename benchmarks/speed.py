"""One aggregation of 50 clients x 1.2 million float32, one adversary: the table."""

import functools

import contenders
import numpy as np
import timing

from rfout import rfout1d

N_CLIENTS, N_PARAMS = 50, 1_200_000
SLICE = 4000  # coordinates on which the double loop is timed


def table(rounds: int, n_clients: int = N_CLIENTS, n_params: int = N_PARAMS) -> list[dict]:
    from scipy import stats

    x = contenders.updates(n_clients, n_params)
    rows = list(x)
    replies = contenders.FlowerReplies(x)
    mean, flower = "numpy.mean(x, axis=0)", "Flower FedAvg (aggregate_arrayrecords)"
    quick = {
        mean: lambda: x.mean(axis=0),
        flower: replies.fedavg,
        "rfout1d": lambda: rfout1d(x),
        "rfout1d, list of arrays": lambda: rfout1d(rows),
        "rfout1d, Flower's replies where they lie": lambda: rfout1d(replies.viewed()),
        "rfout1d, Flower's replies copied by .numpy()": lambda: rfout1d(replies.copied()),
        "rfout1d, with report": lambda: rfout1d(x, return_report=True),
        'rfout1d, replacement="drop"': lambda: rfout1d(x, replacement="drop"),
        "rfout1d, block-wise NumPy": contenders.without_compiler(lambda: rfout1d(x)),
    }
    slow = {
        mean: quick[mean],
        flower: quick[flower],
        'rfout1d, center="median", scale="mad"': lambda: rfout1d(x, center="median", scale="mad"),
        "the three-line definition": lambda: contenders.definition(x),
        "numpy.median(x, axis=0)": lambda: np.median(x, axis=0),
        "scipy.stats.trim_mean(x, 0.1)": lambda: stats.trim_mean(x, 0.1),
    }
    few = np.ascontiguousarray(x[:, :SLICE])
    loop = {
        mean: quick[mean],
        flower: quick[flower],
        f"double loop (from {SLICE} coordinates)": functools.partial(contenders.double_loop, few),
    }
    result, ours = [], None
    for cases, n in ((quick, rounds), (slow, max(3, rounds // 6)), (loop, 3)):
        seconds = timing.interleaved(cases, n)
        for name, measured in seconds.items():
            if cases is not quick and name in (mean, flower):
                continue
            scale = n_params / SLICE if cases is loop and name.startswith("double") else 1.0
            against_mean = scale * timing.ratio(measured, seconds[mean])
            ours = against_mean if name == "rfout1d" else ours
            result.append(
                {
                    "case": name,
                    "n_clients": n_clients,
                    "n_params": n_params,
                    "milliseconds": 1e3 * scale * float(np.median(measured)),
                    "times_mean": against_mean,
                    "times_flower": scale * timing.ratio(measured, seconds[flower]),
                    "times_rfout1d": None,
                    "rounds": n,
                }
            )
    for row in result:
        row["times_rfout1d"] = row["times_mean"] / ours
    return result
