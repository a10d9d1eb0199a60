"""What a run of the book's experiment in Flower can be set to, and its defaults.

Flower's configuration holds plain numbers and words under names with hyphens.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

STRATEGIES = (
    "rfout1d",
    "fedavg",
    "fedmedian",
    "fedtrimmedavg",
    "krum",
    "multikrum",
    "bulyan",
)


@dataclass(frozen=True)
class Settings:
    """What ``flwr run --run-config`` can set, a hyphen for each underscore.

    Attributes
    ----------
    num_server_rounds
        How many rounds.
    result_file
        A .npz file that the server writes after each round: ``params``, the global model before
        the first round and after each, a row each; "" writes none.
    num_clients
        How many clients the data are dealt to.
    min_nodes, node_timeout
        How many nodes a round needs, and how many seconds it waits for them before it gives up.
    round_timeout
        How many seconds a round waits for the replies.
    seed
        Of everything: data, partition, model, training.
    alpha
        Concentration of a Dirichlet partition; 0 deals IID.
    local_epochs
        An honest client's passes over its samples.
    strategy
        "rfout1d", or one of Flower's own: "fedavg", "fedmedian", "fedtrimmedavg", "krum",
        "multikrum", "bulyan".
    threshold, center, scale, sends, clip_norm, noise
        As `rfout.flower.RFOut1d` takes them; `clip_norm` 0 does not clip.
    adversaries
        Numbers of the partitions whose clients attack, with blanks between; "" for none.
    attack_from
        The first attacked round.
    attack_epochs, poison_rate, boost, trigger_size, target
        As `rfout.clients.Adversary` takes them; `boost` 0 is clients over adversaries.

    Examples
    --------
    >>> from rfout.flower.settings import Settings
    >>> Settings(num_clients=50, adversaries="0 7").attackers
    [0, 7]
    """

    num_server_rounds: int = 3
    result_file: str = ""
    num_clients: int = 20
    min_nodes: int = 2
    node_timeout: float = 60.0
    round_timeout: float = 600.0
    seed: int = 2022
    alpha: float = 0.0
    local_epochs: int = 1
    strategy: str = "rfout1d"
    threshold: float = 3.0
    center: str = "mean"
    scale: str = "std"
    sends: str = "parameters"
    clip_norm: float = 0.0
    noise: float = 0.0
    adversaries: str = ""
    attack_from: int = 1
    attack_epochs: int = 5
    poison_rate: float = 0.5
    boost: float = 0.0
    trigger_size: int = 5
    target: int = 0

    @property
    def attackers(self) -> list[int]:
        """The numbers in `adversaries`."""
        return [int(number) for number in self.adversaries.split()]


def read_settings(run_config: Mapping[str, Any]) -> Settings:
    """Check a run's configuration; what it does not name has its default.

    Raises
    ------
    ValueError
        For an unknown name, or a value that the setting cannot have.

    Examples
    --------
    >>> from rfout.flower.settings import read_settings
    >>> read_settings({"strategy": "krum", "node-timeout": 30}).node_timeout
    30.0
    """
    known = {field.name.replace("_", "-"): field for field in fields(Settings)}
    given: dict[str, Any] = {}
    for name, value in run_config.items():
        if name not in known:
            raise ValueError(f"there is no setting {name!r}; there are {', '.join(known)}")
        kind: Any = type(known[name].default)
        fits = isinstance(value, kind) or (kind is float and isinstance(value, int))
        if not fits or isinstance(value, bool):
            raise ValueError(f"{name} must be of type {kind.__name__}, not {value!r}")
        given[known[name].name] = kind(value)
    settings = Settings(**given)
    if settings.strategy not in STRATEGIES:
        raise ValueError(
            f"strategy must be one of {', '.join(STRATEGIES)}, not {settings.strategy!r}"
        )
    if settings.sends == "updates" and settings.strategy != "rfout1d":
        raise ValueError(f"{settings.strategy} takes parameters: sends must not be 'updates'")
    if not 0 <= settings.node_timeout < math.inf:
        raise ValueError(f"node-timeout must be seconds, at least 0, not {settings.node_timeout}")
    if settings.seed < 0:
        raise ValueError(f"seed must not be negative, and is {settings.seed}")
    for name in ("num-server-rounds", "num-clients", "min-nodes", "local-epochs", "round-timeout"):
        if not 0 < getattr(settings, name.replace("-", "_")) < math.inf:
            raise ValueError(f"{name} must be positive")
    try:
        attackers = settings.attackers
    except ValueError:
        attackers = [-1]
    if not all(0 <= number < settings.num_clients for number in attackers):
        raise ValueError(
            f"adversaries must be numbers from 0 to {settings.num_clients - 1} with blanks "
            f"between, not {settings.adversaries!r}"
        )
    return settings
