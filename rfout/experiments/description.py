"""What an experiment is: a setting, an attack, a defence and a seed, as plain values."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from ..natural import KINDS


@dataclass(frozen=True)
class Setting:
    """A federation before any attack.

    Attributes
    ----------
    dataset, n_train, n_test
        As for `rfout.datasets.load`; None takes all images. Or "femnist" or "celeba", whose clients
        are people (`rfout.natural`): they bring their own images, all of them.
    n_clients, clients_per_round
        Size of the federation, and of a round; None takes all clients.
    alpha
        Concentration of the Dirichlet partition; None is IID, or no partition where clients are
        people.
    warm_up
        Rounds under the mean before the attack.
    learning_rate, batch_size
        Of local training.
    honest_tail
        None, or the fraction of clients that hold edge cases: see `rfout.experiments.edge`.

    Raises
    ------
    ValueError
        If clients are people, and `alpha` or `honest_tail` asks for a partition.

    Examples
    --------
    >>> from rfout.experiments import Setting
    >>> Setting(alpha=0.5).partition
    'Dirichlet 0.5'
    """

    dataset: str = "digits"
    n_train: int | None = 4000
    n_test: int | None = 1000
    n_clients: int = 20
    clients_per_round: int | None = None
    alpha: float | None = None
    warm_up: int = 20
    learning_rate: float = 0.2
    batch_size: int = 20
    honest_tail: float | None = None

    def __post_init__(self) -> None:
        if self.dataset in KINDS and (self.alpha, self.honest_tail) != (None, None):
            raise ValueError(
                f"the clients of {self.dataset} are people, and nothing is shared out: alpha and "
                f"honest_tail must be None, not {self.alpha} and {self.honest_tail}"
            )

    @property
    def partition(self) -> str:
        """The partition in words."""
        if self.dataset in KINDS:
            return f"by {KINDS[self.dataset].by}"
        dealt = "IID" if self.alpha is None else f"Dirichlet {self.alpha:g}"
        if self.honest_tail is None:
            return dealt
        return f"{dealt}, {self.honest_tail:.0%} hold edge cases"


@dataclass(frozen=True)
class Attack:
    """What the adversaries of an experiment do, and for how long it is observed.

    Attributes
    ----------
    name
        Of the attack, in tables and figures.
    kind
        "replacement", "distributed", "small colluders", "inside band", "inside ball" or "little is
        enough".
    trigger
        "pattern", "instance" (a test image of the class `key`), "rare instance" (the rarest test
        image of a seven) or "edge cases" (sevens that honest clients lack; for a setting with
        `honest_tail`).
    key
        Class of the image that is an instance key: the first test image of it.
    target
        The label that the adversaries want.
    n_adversaries
        How many there are; 0 is no attack.
    chosen
        "random" draws them by the seed of the run; "first" takes those with the lowest numbers.
    boost
        Factor on the update; None is n_clients / n_adversaries, 1 is no boost.
    rate, epochs
        Share of poisoned samples, and local epochs of the adversaries.
    reach
        For the kinds that hide: how far they go, in the honest standard deviations that they
        estimate; for "inside ball", in the length of their vector. None is 0.8 of the detection
        threshold (`rfout.limits.hidden_reach`).
    n_rounds
        How many rounds are attacked: 1 is a single shot.
    until
        The attack ends early once backdoor accuracy was this high in three rounds in a row; None
        runs all rounds.
    gives_up
        The attack ends early once backdoor accuracy was below 0.1 in this many rounds in a row;
        None runs all rounds.
    after
        How many rounds without an attack are observed at most, if the attack got in (backdoor
        accuracy above one half): until backdoor accuracy is half of what it was at the end.

    Examples
    --------
    >>> from rfout.experiments import Attack
    >>> Attack("four colluders", kind="small colluders", n_adversaries=4).rate
    0.5
    """

    name: str
    kind: str = "replacement"
    trigger: str = "pattern"
    key: int = 3
    target: int = 0
    n_adversaries: int = 1
    chosen: str = "random"
    boost: float | None = None
    rate: float = 0.5
    epochs: int = 5
    reach: float | None = None
    n_rounds: int = 10
    until: float | None = None
    gives_up: int | None = None
    after: int = 0


@dataclass(frozen=True)
class Run:
    """One experiment: two runs that are equal give the same numbers on one machine.

    Attributes
    ----------
    setting, attack
        What is attacked, and how.
    defence
        A name of `rfout.defences.lineup`.
    seed
        Of everything.

    Examples
    --------
    >>> from rfout.experiments import Attack, Run, Setting
    >>> Run(Setting(), Attack("boosted"), "RFOut-1d", seed=1).attack.boost is None
    True
    """

    setting: Setting
    attack: Attack
    defence: str
    seed: int


def described(run: Run) -> dict[str, Any]:
    """Describe a run in plain values, as JSON keeps them.

    Examples
    --------
    >>> run = Run(Setting(), Attack("boosted"), "mean", seed=1)
    >>> restored(described(run)) == run
    True
    """
    plain: dict[str, Any] = json.loads(json.dumps(asdict(run)))
    return plain


def restored(description: dict[str, Any]) -> Run | None:
    """Make the run of a description again; None if runs are no longer described like that.

    A field that was added since has its default: what it is by default is what was run.

    Examples
    --------
    >>> run = Run(Setting(), Attack("boosted"), "mean", seed=1)
    >>> restored(described(run) | {"seed": 2}).seed
    2
    """
    setting, attack = description["setting"], description["attack"]
    try:
        return Run(
            Setting(**setting), Attack(**attack), description["defence"], description["seed"]
        )
    except TypeError:
        return None
