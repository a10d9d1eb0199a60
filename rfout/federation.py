"""Federated learning in one process: clients, rounds, history.

Every chapter runs its experiments here, on two cores and without a framework. A round: sample
clients, let each make its update, aggregate, add the aggregate to the parameters, evaluate.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from .checkpoints import fingerprint, load_checkpoint, save_checkpoint
from .clients import Client, Round, RoundResult, Sent, collect
from .defences import mean
from .vocabulary import Aggregator, Params, Predict

if TYPE_CHECKING:  # it loads TensorFlow
    from .models import LocalTrainer

__all__ = ["Client", "Federation", "Round", "RoundResult"]


class Federation:
    """Clients, a global model and an aggregator, advanced round by round.

    Parameters
    ----------
    trainer
        The shared model and its compiled step.
    clients
        By position: client i is ``clients[i]``.
    aggregator
        Any callable from (n_clients, n_params) updates to the (n_params,) aggregate. One that
        gives a pair (aggregate, `Report`), as ``partial(rfout1d, return_report=True)`` does, has
        what it flagged written to the history.
    evaluate
        Called after every round with a predictor and a generator; its dict of numbers joins the
        history. `rfout.evaluation.Evaluation` is one.
    rng
        Gives the federation its seed. Each client's generator follows from that seed, the round
        and the client's number alone, so who else was sampled changes nothing for it.
    params
        (n_params,) the initial global parameters; None takes those that the trainer's model came
        with.
    clients_per_round
        How many clients are sampled a round; None takes all.
    always
        Numbers of clients that take part in every round; the rest of a round's places is sampled
        from the others. An adversary that is always there is the worst case of its attack.
    epochs
        Local epochs of an honest client.

    Raises
    ------
    ValueError
        If there are no clients, more are to be sampled than there are, or `always` names clients
        that do not exist or are more than a round takes.

    Notes
    -----
    McMahan et al. (2017), arXiv 1602.05629.

    Examples
    --------
    >>> import numpy as np
    >>> from rfout.standard import standard_federation
    >>> rng = np.random.default_rng(0)
    >>> federation = standard_federation(rng=rng, n_clients=2, n_train=40, n_test=20)
    >>> federation.run(2)["round"].tolist()
    [1, 2]
    """

    def __init__(
        self,
        trainer: "LocalTrainer",
        clients: Sequence[Client],
        aggregator: Aggregator = mean,
        *,
        evaluate: Callable[[Predict, np.random.Generator], Mapping[str, float]],
        rng: np.random.Generator,
        params: Params | None = None,
        clients_per_round: int | None = None,
        always: Collection[int] = (),
        epochs: int = 1,
    ) -> None:
        self.trainer, self.aggregator = trainer, aggregator
        self.evaluate, self.clients_per_round, self.epochs = evaluate, clients_per_round, epochs
        self.seed = int(rng.integers(2**63))
        self.params = (trainer.initial_params if params is None else params).copy()
        self.records: list[dict[str, Any]] = []
        self._next: Sent = {}
        self._start_here(clients, always)

    def _start_here(self, clients: Sequence[Client], always: Collection[int]) -> None:
        n = len(clients) if self.clients_per_round is None else self.clients_per_round
        if not 1 <= n <= len(clients):
            raise ValueError(f"cannot sample {n} clients a round out of {len(clients)}")
        self.always = tuple(sorted(set(always)))
        strangers = [c for c in self.always if not 0 <= c < len(clients)]
        if strangers or len(self.always) > n:
            raise ValueError(
                f"cannot have clients {list(self.always)} in every round of {n}, where clients are "
                f"0 to {len(clients) - 1}"
            )
        self.clients, self._n_sampled = list(clients), n
        self._origin = (self.params, self.round_number)  # a checkpoint belongs to a start

    @property
    def round_number(self) -> int:
        """How many rounds are done."""
        return self.records[-1]["round"] if self.records else 0

    @property
    def history(self) -> pd.DataFrame:
        """A row a round: round, the evaluation's numbers, sampled, adversaries, flagged.

        `flagged` holds, in the order of `sampled`, the share of each client's coordinates that
        was flagged; it is empty where the aggregator gives no report.
        """
        return pd.DataFrame(self.records)

    def fork(
        self,
        *,
        clients: Sequence[Client] | None = None,
        aggregator: Aggregator | None = None,
        always: Collection[int] | None = None,
    ) -> "Federation":
        """Copy the federation where it stands, with what is to be different from here on.

        Forks of one place share what its honest clients send next: that is trained once.
        """
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.params, copy.records = self.params.copy(), list(self.records)
        copy.aggregator = self.aggregator if aggregator is None else aggregator
        clients = self.clients if clients is None else clients
        copy._start_here(clients, self.always if always is None else always)
        return copy

    def _rng(self, *key: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *key])

    def step(self) -> RoundResult:
        """Run one round."""
        number, n = self.round_number + 1, len(self.clients)
        # Keys of one length: NumPy pads a shorter one with 0, and would repeat client 0's stream.
        others = np.setdiff1d(np.arange(n), self.always)
        places = self._n_sampled - len(self.always)
        drawn = self._rng(number, n + 1).choice(others, size=places, replace=False)
        sampled = tuple(sorted([*self.always, *drawn.tolist()]))
        adversaries = tuple(c for c in sampled if self.clients[c].attacks(number))
        now = Round(number, sampled, adversaries, self.epochs)

        updates = collect(
            self.clients,
            self.trainer,
            self.params,
            now,
            rng=lambda client: self._rng(number, client),
            sent=self._next,
        )
        result = self.aggregator(updates)
        aggregate, report = result if isinstance(result, tuple) else (result, None)
        params = self.params + aggregate

        measured = self.evaluate(lambda x: self.trainer.predict(params, x), self._rng(number, n))
        metrics = {
            "round": number,
            **{name: float(value) for name, value in measured.items()},
            "sampled": sampled,
            "adversaries": adversaries,
            "flagged": () if report is None else tuple(report.flagged.tolist()),
        }
        # Only now: a round that fails leaves the federation as it was.
        self.params, self._next = params, {}
        self.records.append(metrics)
        return RoundResult(number, sampled, adversaries, updates, aggregate, metrics)

    def rounds(self, n_rounds: int) -> Iterator[RoundResult]:
        """Run rounds one by one, and give each with its updates: for looking inside."""
        for _ in range(n_rounds):
            yield self.step()

    def run(self, n_rounds: int, *, checkpoint: Path | str | None = None) -> pd.DataFrame:
        """Run `n_rounds` rounds and give the history.

        Parameters
        ----------
        n_rounds
            How many rounds from here.
        checkpoint
            A file (.npz) written whole after every round. If it is there, made by this same
            experiment, the run goes on from its last round. In a folder that is there, the
            file is named after the experiment, so that many may share the folder.

        Raises
        ------
        ValueError
            If the file was made by another experiment, is further on, or is no checkpoint.
        """
        last = self.round_number + n_rounds
        identity = "" if checkpoint is None else self._identity()
        if checkpoint is not None and Path(checkpoint).is_dir():
            checkpoint = Path(checkpoint) / f"{identity[:16]}-{last}.npz"
        if checkpoint is not None and Path(checkpoint).exists():
            params, records = load_checkpoint(Path(checkpoint), identity)
            if len(records) > last:
                raise ValueError(
                    f"{checkpoint} is at round {len(records)}, past the round {last} asked for: "
                    "ask for more rounds, or delete the file"
                )
            self.params, self.records = params, records
        with tqdm(total=n_rounds, unit="round", leave=False) as bar:
            bar.update(n_rounds - (last - self.round_number))
            while self.round_number < last:
                self.step()
                bar.update()
                if checkpoint is not None:
                    save_checkpoint(Path(checkpoint), identity, self.params, self.records)
        return self.history

    def _identity(self) -> str:
        """Tell this experiment, from where it was made or forked, from any other."""
        trainer = self.trainer
        return fingerprint(
            self.seed,
            *self._origin,
            self.clients,
            self.aggregator,
            self.clients_per_round,
            self.always,
            self.epochs,
            self.evaluate,
            trainer.learning_rate,
            trainer.batch_size,
        )
