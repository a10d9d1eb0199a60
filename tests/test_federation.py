"""Rounds in one process: who trains, what is added up, and how a killed run goes on."""

from copy import deepcopy
from functools import partial

import keras
import numpy as np
import pytest

from rfout import rfout1d
from rfout.attacks import InstanceKey, PatternKey, Window, recruit
from rfout.defences import mean
from rfout.evaluation import Evaluation
from rfout.federation import Client, Federation, RoundResult
from rfout.models import LocalTrainer

N, COLUMNS = 12, ["round", "main_task_accuracy", "backdoor_accuracy"]
COLUMNS += ["sampled", "adversaries", "flagged"]
TRIGGER = PatternKey(size=2)


# Few clients are tested on purpose; tests/test_rfout1d_family.py holds the warning itself.
pytestmark = pytest.mark.filterwarnings("ignore:nothing can be flagged")


def rng(seed=0):
    return np.random.default_rng(seed)


def samples(n=20, seed=0):
    random = rng(seed)
    return random.random((n, 8, 8, 1), dtype=np.float32), random.integers(3, size=n)


def learnable(n, seed=0):
    """Images of three classes: the class's pair of rows is bright. The last pair never is."""
    y = np.arange(n) % 3
    x = rng(seed).uniform(0, 0.3, size=(n, 8, 8, 1)).astype(np.float32)
    for i, label in enumerate(y):
        x[i, 2 * label : 2 * label + 2] += 0.6
    return x, y


def tiny_trainer(**settings):
    layers = keras.layers
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(3)])
    return LocalTrainer(model, **settings)


@pytest.fixture(scope="module")
def trainer():
    return tiny_trainer()


@pytest.fixture(scope="module")
def other_trainers():
    return {
        "learning_rate": tiny_trainer(learning_rate=0.1),
        "batch_size": tiny_trainer(batch_size=7),
    }


CLIENTS = [Client(*samples(seed=100 + c)) for c in range(N)]
START = rng(7).normal(scale=0.1, size=195).astype(np.float32)
EVALUATE = Evaluation(*samples(60, seed=50), TRIGGER, 0)


@pytest.fixture(scope="module")
def federation(trainer):
    """Make a federation at round 0; everything has a default."""

    def make(clients=CLIENTS, aggregator=mean, *, seed=1, trainer=trainer, **settings):
        settings = {"evaluate": EVALUATE, "params": START, **settings}
        return Federation(trainer, clients, aggregator, rng=rng(seed), **settings)

    return make


def state(federation):
    """All that a run leaves behind, to compare byte for byte."""
    return federation.params.tobytes(), repr(federation.history.to_dict("list"))


class Killed(Exception):
    """The end of the process, as near as a test gets."""


class Mortal:
    """An evaluation that kills the run when it is asked for the `last`-th time."""

    def __init__(self, last):
        self.left = last

    def __repr__(self):
        return "the same evaluation"

    def __call__(self, predict, rng):
        self.left -= 1
        if self.left == 0:
            raise Killed
        return EVALUATE(predict, rng)


class Probe:
    """A client that trains nothing and remembers what it was given."""

    def __init__(self, attacked=(), value=0.0):
        self.attacked, self.value, self.seen = attacked, value, []

    def attacks(self, number):
        return number in self.attacked

    def update(self, trainer, params, now, rng):
        self.seen.append((params.copy(), now, rng))
        return np.full(trainer.n_params, self.value, np.float32)


# A round


def test_a_federation_of_one_is_training(federation, trainer):
    probe = Probe()
    federation([probe]).run(1)
    generator = probe.seen[0][2]  # what client 0 has in round 1 under this seed
    fed = federation(CLIENTS[:1], epochs=3)
    (result,) = fed.rounds(1)
    want = trainer.train(START, CLIENTS[0].x, CLIENTS[0].y, epochs=3, rng=generator)
    np.testing.assert_allclose(fed.params, want, atol=1e-6)
    np.testing.assert_array_equal(result.aggregate, result.updates[0])


def test_the_aggregate_of_the_updates_is_added_to_the_parameters(federation):
    fed = federation([Probe(value=v) for v in (1.0, 2.0, 6.0)])
    results = list(fed.rounds(2))
    assert results[0].updates[:, 0].tolist() == [1.0, 2.0, 6.0]
    np.testing.assert_array_equal(results[0].aggregate, np.full(195, 3.0))
    np.testing.assert_allclose(fed.params, START + 6.0, rtol=1e-6)


def test_every_client_gets_the_global_parameters_of_its_round(federation):
    clients = [Probe(value=1.0), Probe(value=1.0)]
    federation(clients, epochs=4).run(3)
    for client in clients:
        params, nows, _ = zip(*client.seen, strict=True)
        for number in range(3):
            np.testing.assert_allclose(params[number], START + number, rtol=1e-6)
        assert [now.number for now in nows] == [1, 2, 3]
        assert [now.epochs for now in nows] == [4, 4, 4]


def test_clients_learn_of_the_round_they_are_in(federation):
    clients = [Probe(attacked={2}), Probe(), Probe(attacked={1, 2})]
    federation(clients).run(3)
    nows = [now for _, now, _ in clients[1].seen]
    assert [now.sampled for now in nows] == [(0, 1, 2)] * 3
    assert [now.adversaries for now in nows] == [(2,), (0, 2), ()]


def test_a_role_needs_no_class_of_ours(federation):
    fed = federation([*CLIENTS[:3], Probe(attacked={1}, value=0.5)])
    assert fed.run(1)["adversaries"][0] == (3,)


def test_rounds_give_the_updates_with_what_became_of_them(federation):
    fed = federation(clients_per_round=5)
    results = list(fed.rounds(3))
    assert [type(r) for r in results] == [RoundResult] * 3
    assert [r.number for r in results] == [1, 2, 3]
    params = START
    for result, row in zip(results, fed.history.to_dict("records"), strict=True):
        assert result.updates.shape == (5, 195)
        assert result.updates.dtype == np.float32
        assert len(result.sampled) == 5
        assert np.all(np.abs(result.updates).max(axis=1) > 0)
        np.testing.assert_array_equal(result.aggregate, mean(result.updates))
        assert result.metrics == row
        params = params + result.aggregate
    np.testing.assert_array_equal(fed.params, params)


def test_rounds_run_one_by_one_as_they_are_asked_for(federation):
    fed = federation()
    rounds = fed.rounds(5)
    assert fed.round_number == 0
    next(rounds)
    assert fed.round_number == 1
    rounds.close()
    assert len(fed.history) == 1


def test_training_by_rounds_learns(federation):
    clients = [Client(*learnable(20, seed=c)) for c in range(N)]
    history = federation(clients, evaluate=Evaluation(*learnable(60, seed=50))).run(8)
    assert history["main_task_accuracy"].iloc[-1] > 0.9
    assert history["backdoor_accuracy"].isna().all()


def test_a_round_that_fails_leaves_the_federation_as_it_was(federation):
    unbroken, fed = federation(), federation(evaluate=Mortal(2))
    unbroken.run(3)
    fed.run(1)
    before = state(fed)
    with pytest.raises(Killed):
        fed.run(1)
    assert state(fed) == before
    fed.evaluate = EVALUATE
    fed.run(2)
    assert state(fed) == state(unbroken)


# The history


def test_the_history_has_a_row_a_round(federation):
    fed = federation(clients_per_round=4)
    assert fed.round_number == 0
    assert len(fed.history) == 0
    history = fed.run(3)
    assert list(history) == COLUMNS
    assert history["round"].tolist() == [1, 2, 3]
    assert fed.round_number == 3
    for column in COLUMNS[1:3]:
        assert history[column].between(0, 1).all()
    assert history["adversaries"].tolist() == [()] * 3
    assert history["flagged"].tolist() == [()] * 3
    assert repr(fed.history.to_dict()) == repr(history.to_dict())


def test_run_goes_on_from_where_it_stands(federation):
    fed, unbroken = federation(), federation()
    fed.run(2)
    assert fed.run(3)["round"].tolist() == [1, 2, 3, 4, 5]
    unbroken.run(5)
    assert state(fed) == state(unbroken)


def test_no_rounds_change_nothing(federation):
    fed = federation()
    assert len(fed.run(0)) == 0
    assert fed.params.tobytes() == START.tobytes()


def test_the_evaluation_sees_the_new_model_and_names_the_columns(federation, trainer):
    x = samples(30, seed=9)[0]

    def evaluate(predict, rng):
        return {"ones": float(np.mean(predict(x) == 1))}

    fed = federation(evaluate=evaluate)
    history = fed.run(2)
    assert list(history)[:2] == ["round", "ones"]
    assert history["ones"].iloc[-1] == np.mean(trainer.predict(fed.params, x) == 1)


def test_the_callers_params_are_copied_and_stay_as_they_are(federation):
    start = START.copy()
    fed = federation(params=start)
    fed.run(1)
    assert start.tobytes() == START.tobytes()
    fresh = federation(params=start)
    start[:] = 9
    assert fresh.params.tobytes() == START.tobytes()


# Sampling


def test_clients_are_sampled_anew_each_round(federation):
    probes = [Probe() for _ in range(N)]
    history = federation(probes, clients_per_round=4).run(40)
    for sampled in history["sampled"]:
        assert len(sampled) == len(set(sampled)) == 4
        assert set(sampled) <= set(range(N))
        assert all(type(c) is int for c in sampled)
    assert len(set(history["sampled"])) > 30
    counts = np.bincount(np.concatenate(history["sampled"].tolist()), minlength=N)
    assert counts.sum() == 160
    assert np.all((counts > 4) & (counts < 25))  # 13.3 expected, standard deviation 3
    assert counts.tolist() == [len(probe.seen) for probe in probes]


def test_by_default_all_take_part(federation):
    assert federation().run(2)["sampled"].tolist() == [tuple(range(N))] * 2


def test_updates_are_in_the_order_of_sampled(federation):
    fed = federation([Probe(value=float(c)) for c in range(N)], clients_per_round=5)
    for result in fed.rounds(4):
        assert result.updates[:, 0].tolist() == [float(c) for c in result.sampled]


def test_an_update_does_not_depend_on_who_else_was_sampled(federation):
    (everyone,) = federation().rounds(1)
    (some,) = federation(clients_per_round=5).rounds(1)
    for row, client in enumerate(some.sampled):
        assert some.updates[row].tobytes() == everyone.updates[client].tobytes()


def test_no_generator_is_used_twice(federation):
    """Neither by two clients, nor in two rounds, nor for the sampling or the evaluation."""
    probes, evaluations = [Probe() for _ in range(N)], []

    def evaluate(predict, rng):
        evaluations.append(rng)
        return {}

    results = list(federation(probes, evaluate=evaluate, clients_per_round=6).rounds(10))
    generators = evaluations + [seen[2] for probe in probes for seen in probe.seen]
    choices = [deepcopy(g).choice(N, size=6, replace=False) for g in generators]
    rounds = [*range(10), *(seen[1].number - 1 for probe in probes for seen in probe.seen)]
    as_sampled = [
        tuple(sorted(choice.tolist())) == results[number].sampled
        for choice, number in zip(choices, rounds, strict=True)
    ]
    assert len(as_sampled) == 70
    assert not any(as_sampled)  # by chance one in 924 is
    assert len({generator.random(4).tobytes() for generator in generators}) == 70


@pytest.mark.parametrize("n", [0, -1, N + 1])
def test_an_impossible_sample_is_an_error(federation, n):
    with pytest.raises(ValueError, match=f"cannot sample {n} clients a round out of {N}"):
        federation(clients_per_round=n)


def test_no_clients_is_an_error(federation):
    with pytest.raises(ValueError, match="cannot sample 0 clients"):
        federation([])


# Seeds


def test_the_same_seed_gives_the_same_numbers_twice(federation):
    key = InstanceKey(samples()[0][0])
    attacked = recruit(CLIENTS, [2, 3], trigger=key, window=Window(2))
    evaluate = Evaluation(*samples(60, seed=50), key, 0)
    runs = []
    for seed in (1, 1, 2):
        fed = federation(attacked, seed=seed, clients_per_round=8, evaluate=evaluate)
        fed.run(4)
        runs.append(state(fed))
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[2][0]
    assert runs[0][1] != runs[2][1]


def test_the_noise_of_the_evaluation_follows_from_the_seed_and_the_round(federation):
    def evaluate(predict, rng):
        return {"noise": rng.random()}

    first, again, other = (
        federation(seed=seed, evaluate=evaluate).run(3)["noise"].tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert len({*first, *other}) == 6


@pytest.mark.parametrize("n_cores", [1, 3, None])
def test_the_same_bytes_on_any_number_of_cores(trainer, monkeypatch, n_cores):
    def run():
        fed = Federation(trainer, CLIENTS, evaluate=EVALUATE, rng=rng())
        fed.run(2)
        return state(fed)

    here = run()
    monkeypatch.setattr("os.cpu_count", lambda: n_cores)
    assert run() == here


def test_the_same_numbers_even_where_the_trainer_was_used_in_between():
    trainer = tiny_trainer()
    initial = trainer.initial_params
    runs = []
    for _ in range(2):
        fed = Federation(trainer, CLIENTS, evaluate=EVALUATE, rng=rng())
        assert fed.params.tobytes() == initial.tobytes()
        fed.run(2)
        runs.append(state(fed))
    assert runs[0] == runs[1]


def test_two_federations_of_one_trainer_may_take_turns(federation):
    alone, first, second = federation(), federation(), federation(seed=2)
    alone.run(3)
    for _ in range(3):
        first.step()
        second.step()
    assert state(first) == state(alone)


# Aggregators


def test_any_callable_aggregates(federation):
    (result,) = federation(aggregator=lambda updates: np.median(updates, axis=0)).rounds(1)
    np.testing.assert_array_equal(result.aggregate, np.median(result.updates, axis=0))
    assert result.metrics["flagged"] == ()


def test_the_operator_aggregates(federation):
    (result,) = federation(aggregator=rfout1d).rounds(1)
    np.testing.assert_array_equal(result.aggregate, rfout1d(result.updates))
    assert result.metrics["flagged"] == ()


def test_a_report_is_written_to_the_history(federation):
    attacked = recruit(CLIENTS, [4], trigger=TRIGGER, boost=100.0, window=Window(2, 2))
    fed = federation(attacked, partial(rfout1d, return_report=True))
    results = list(fed.rounds(3))
    for result, flagged in zip(results, fed.history["flagged"], strict=True):
        aggregate, report = rfout1d(result.updates, return_report=True)
        np.testing.assert_array_equal(result.aggregate, aggregate)
        assert flagged == tuple(report.flagged.tolist())
        assert all(type(share) is float for share in flagged)
    shares = np.array(fed.history["flagged"].tolist())
    assert shares[1, 4] > 0.9
    assert np.delete(shares, 1, axis=0).max() < 0.1


# Adversaries


def test_an_adversary_attacks_in_its_window_and_is_honest_outside(federation):
    honest = federation(clients_per_round=9)
    attacked = recruit(CLIENTS, [3], trigger=TRIGGER, window=Window(3, 3))
    fed = federation(attacked, clients_per_round=9)
    for want, got in zip(honest.rounds(4), fed.rounds(4), strict=True):
        present = 3 in got.sampled
        assert got.adversaries == ((3,) if got.number == 3 and present else ())
        assert got.sampled == want.sampled
        if got.number < 3:
            assert got.updates.tobytes() == want.updates.tobytes()
        if got.number == 3:
            assert present, "choose a seed that samples the adversary in its round"
            row = got.sampled.index(3)
            others = np.arange(9) != row
            assert got.updates[others].tobytes() == want.updates[others].tobytes()
            assert np.abs(got.updates[row]).max() > 3 * np.abs(want.updates[row]).max()


@pytest.mark.parametrize(("chosen", "boost"), [([3], 12.0), ([3, 5, 8], 4.0)])
def test_the_default_boost_is_clients_by_adversaries_of_the_round(federation, chosen, boost):
    (by_default,) = federation(recruit(CLIENTS, chosen, trigger=TRIGGER)).rounds(1)
    (given,) = federation(recruit(CLIENTS, chosen, trigger=TRIGGER, boost=boost)).rounds(1)
    assert by_default.adversaries == tuple(chosen)
    assert by_default.updates.tobytes() == given.updates.tobytes()


def test_the_boost_counts_only_who_takes_part(federation):
    attacked = recruit(CLIENTS, range(6), trigger=TRIGGER)
    plain = recruit(CLIENTS, range(6), trigger=TRIGGER, boost=1.0)
    results = federation(attacked, clients_per_round=5).rounds(1)
    (got,), (want,) = results, federation(plain, clients_per_round=5).rounds(1)
    k = len(got.adversaries)
    assert 1 <= k < 5, "choose a seed that samples both kinds"
    rows = [got.sampled.index(c) for c in got.adversaries]
    np.testing.assert_allclose(got.updates[rows], 5 / k * want.updates[rows], rtol=1e-5)


def test_one_shot_replaces_the_model_under_the_mean_and_not_under_the_operator(federation):
    honest = [Client(*learnable(20, seed=c)) for c in range(N)]
    shot = {"trigger": TRIGGER, "window": Window(9, 9), "epochs": 40}
    start = federation(honest, evaluate=Evaluation(*learnable(60, seed=50), TRIGGER, 0))
    start.run(8)
    attacked = recruit(honest, [0], **shot)
    histories = {
        "no attack": start.fork().run(1),
        "mean": start.fork(clients=attacked).run(1),
        "rfout1d": start.fork(clients=attacked, aggregator=rfout1d).run(1),
    }
    backdoor = {name: h["backdoor_accuracy"].iloc[-1] for name, h in histories.items()}
    assert backdoor["mean"] > 0.95
    assert backdoor["no attack"] < 0.05
    assert backdoor["rfout1d"] < 0.05


# Forks


def test_a_fork_leaves_its_parent_alone(federation):
    parent = federation()
    parent.run(2)
    before = state(parent)
    fork = parent.fork(aggregator=rfout1d, clients=recruit(CLIENTS, [1], trigger=TRIGGER))
    fork.run(2)
    fork.params[:] = 0
    assert state(parent) == before
    assert parent.round_number == 2
    assert parent.clients == CLIENTS
    assert parent.aggregator is mean


def test_a_fork_goes_on_from_its_parents_round(federation):
    parent = federation(clients_per_round=7)
    parent.run(2)
    fork = parent.fork()
    assert state(fork) == state(parent)
    assert fork.run(2)["round"].tolist() == [1, 2, 3, 4]
    parent.run(2)
    assert state(fork) == state(parent)


def test_a_fork_takes_other_clients_and_another_aggregator(federation):
    parent = federation()
    parent.run(1)
    attacked = recruit(CLIENTS, [1], trigger=TRIGGER)
    fork = parent.fork(clients=attacked, aggregator=partial(rfout1d, return_report=True))
    (result,) = fork.rounds(1)
    assert result.adversaries == (1,)
    np.testing.assert_array_equal(result.aggregate, rfout1d(result.updates))
    assert fork.history["adversaries"].tolist() == [(), (1,)]
    assert [len(flagged) for flagged in fork.history["flagged"]] == [0, N]


def test_forks_of_one_place_train_its_honest_clients_once(federation, monkeypatch):
    parent = federation()
    parent.run(1)
    train, calls = LocalTrainer.train, []
    monkeypatch.setattr(LocalTrainer, "train", lambda *a, **kw: calls.append(1) or train(*a, **kw))
    attacked = recruit(CLIENTS, [1], trigger=TRIGGER)
    results = [parent.fork(clients=attacked, aggregator=a).step() for a in (mean, rfout1d)]
    assert len(calls) == N + 1  # the adversary trains for each
    np.testing.assert_array_equal(results[0].updates, results[1].updates)


@pytest.mark.parametrize(("name", "other"), [("params", np.zeros), ("epochs", 2), ("seed", 5)])
def test_a_fork_that_was_changed_trains_anew(federation, name, other):
    parent = federation()
    parent.run(1)
    before = parent.fork().step()
    fork, alone = parent.fork(), federation()
    alone.run(1)
    for changed in (fork, alone):
        n = changed.trainer.n_params
        setattr(changed, name, other(n, np.float32) if name == "params" else other)
    assert not np.array_equal(fork.fork().step().updates, before.updates)
    np.testing.assert_array_equal(fork.step().updates, alone.step().updates)


@pytest.mark.parametrize("n", [N - 2, N + 2])
def test_where_all_take_part_all_clients_of_a_fork_do(federation, n):
    fork = federation().fork(clients=(CLIENTS * 2)[:n])
    assert fork.run(1)["sampled"][0] == tuple(range(n))


# Checkpoints


@pytest.fixture
def file(tmp_path):
    return tmp_path / "deeper" / "run.npz"


def attacked_run(federation, **settings):
    attacked = recruit(CLIENTS, [0, 6], trigger=TRIGGER, window=Window(3))
    settings = {"clients_per_round": 8, **settings}
    return federation(attacked, partial(rfout1d, return_report=True), **settings)


@pytest.mark.parametrize("done", [0, 1, 3, 5])
def test_a_killed_run_goes_on_as_if_it_had_not_been(federation, file, done):
    unbroken = attacked_run(federation)
    unbroken.run(6)
    killed = attacked_run(federation, evaluate=Mortal(done + 1))
    with pytest.raises(Killed):
        killed.run(6, checkpoint=file)
    assert file.exists() == (done > 0)
    resumed = attacked_run(federation, evaluate=Mortal(100))
    resumed.run(6, checkpoint=str(file))
    assert state(resumed) == state(unbroken)
    assert resumed.evaluate.left == 100 - (6 - done)  # no round was run again


def test_a_finished_run_is_read_and_not_run(federation, file):
    first, again = federation(evaluate=Mortal(100)), federation(evaluate=Mortal(1))
    first.run(3, checkpoint=file)
    again.run(3, checkpoint=file)
    assert state(again) == state(first)


def test_a_finished_run_may_be_made_longer(federation, file):
    unbroken, first, longer = federation(), federation(), federation()
    unbroken.run(4)
    first.run(2, checkpoint=file)
    longer.run(4, checkpoint=file)
    assert state(longer) == state(unbroken)


def test_history_without_a_backdoor_survives_the_file(federation, file):
    settings = {"evaluate": Evaluation(*samples(60, seed=50))}
    first, again = federation(**settings), federation(**settings)
    first.run(2, checkpoint=file)
    assert again.run(2, checkpoint=file)["backdoor_accuracy"].isna().all()
    assert state(again) == state(first)


def test_experiments_share_a_folder_and_find_their_own_rounds_in_it(federation, tmp_path):
    one, longer, other = federation(), federation(), federation(seed=2, evaluate=Mortal(100))
    one.run(2, checkpoint=tmp_path)
    other.run(2, checkpoint=str(tmp_path))
    longer.run(3, checkpoint=tmp_path)  # ends elsewhere: not the same run
    assert len(list(tmp_path.iterdir())) == 3
    again = federation(seed=2, evaluate=Mortal(1))
    again.run(2, checkpoint=tmp_path)
    assert state(again) == state(other)


def test_a_fork_has_a_checkpoint_of_its_own(federation, file):
    def forked():
        parent = federation()
        parent.run(2)
        return parent.fork(aggregator=rfout1d)

    unbroken, killed, resumed = forked(), forked(), forked()
    unbroken.run(3)
    killed.evaluate = Mortal(2)
    with pytest.raises(Killed):
        killed.run(3, checkpoint=file)
    resumed.evaluate = Mortal(100)
    assert resumed.run(3, checkpoint=file)["round"].tolist() == [1, 2, 3, 4, 5]
    assert state(resumed) == state(unbroken)


CHANGES = {
    "seed": {"seed": 2},
    "aggregator": {"aggregator": rfout1d},
    "threshold": {"aggregator": partial(rfout1d, threshold=2.0, return_report=True)},
    "order of clients": {"clients": CLIENTS[::-1]},
    "a client's images": {
        "clients": [Client(CLIENTS[0].x + np.float32(1e-3), CLIENTS[0].y), *CLIENTS[1:]]
    },
    "an adversary": {"clients": recruit(CLIENTS, [0], trigger=TRIGGER, window=Window(9))},
    "epochs": {"epochs": 2},
    "clients per round": {"clients_per_round": 11},
    "initial parameters": {"params": START + np.float32(1e-3)},
    "test images": {"evaluate": Evaluation(*samples(61, seed=50), TRIGGER, 0)},
    "target": {"evaluate": Evaluation(*samples(60, seed=50), TRIGGER, 1)},
    "learning rate": {"trainer": "learning_rate"},
    "batch size": {"trainer": "batch_size"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_experiments_checkpoint_is_an_error(federation, other_trainers, file, change):
    usual = {"aggregator": partial(rfout1d, return_report=True)}
    if "trainer" in change:
        change = {"trainer": other_trainers[change["trainer"]]}
    federation(**usual).run(1, checkpoint=file)
    before = file.read_bytes()
    other = federation(**{**usual, **change})
    with pytest.raises(ValueError, match=r"belongs to another experiment .*name another file"):
        other.run(2, checkpoint=file)
    assert file.read_bytes() == before
    assert other.round_number == 0


def test_a_checkpoint_that_is_further_on_is_an_error_and_changes_nothing(federation, file):
    federation().run(4, checkpoint=file)
    late = federation()
    with pytest.raises(ValueError, match="is at round 4, past the round 2 asked for: ask for more"):
        late.run(2, checkpoint=file)
    assert late.round_number == 0
    assert late.params.tobytes() == START.tobytes()
    assert late.run(4, checkpoint=file)["round"].tolist() == [1, 2, 3, 4]


def test_a_killed_run_goes_on_in_the_same_process(federation, file):
    killed, unbroken = federation(), federation()
    killed.evaluate = Mortal(3)
    with pytest.raises(Killed):
        killed.run(4, checkpoint=file)
    unbroken.run(4)
    killed.run(4 - killed.round_number, checkpoint=file)
    assert state(killed) == state(unbroken)


def numpy_numbers(predict, rng):
    return {"loss": np.float32(0.1), "n": np.int64(3)}


def test_any_number_of_the_evaluation_can_be_kept(federation, file):
    settings = {"evaluate": numpy_numbers}
    first, again = federation(**settings), federation(**settings)
    first.run(1, checkpoint=file)
    again.run(1, checkpoint=file)
    assert again.history.equals(first.history)
