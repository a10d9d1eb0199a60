"""What an entry of the tournament sees of a game, and a game to try it in at home.

A defence is a file with one function::

    def aggregate(updates):
        return the (n_params,) aggregate of (n_clients, n_params) updates

An attack is a file with one function, called once in a round for all of its clients::

    def attack(params, x, y, game):
        return the (n_params,) update that all of them send, or one for each of them

`params` is the server's model, `x` and `y` are the samples of the attack's clients, `game` is a
`Game`. An entry may import NumPy and `lab`. It is given no files and no network.
"""

from dataclasses import dataclass

import numpy as np

try:
    import lab
except ImportError:  # the tournament itself; an entry has `lab` beside this file
    from coursework import lab

N_CLIENTS, N_ADVERSARIES = 20, 4
WARM_UP, ROUNDS = 6, 10
MOST_BACKDOOR, MOST_LOST = 0.1, 0.02


@dataclass
class Game:
    """What an attack knows of a round."""

    round_number: int
    target: int
    n_clients: int = N_CLIENTS
    n_adversaries: int = N_ADVERSARIES
    rng: np.random.Generator = None

    def trigger(self, images):
        """Put the trigger on copies of (n, 28, 28, 1) images: a white cross on a black square."""
        cross = np.eye(5) + np.eye(5)[::-1] > 0
        images = images.copy()
        images[:, -5:, -5:, 0] = cross
        return images

    def train(self, params, x, y, epochs=1):
        """Train as honest clients do; give the new (n_params,) parameters."""
        return lab.train(params, x, y, self.rng, epochs)


def holds(main, backdoor, reference):
    """Whether a defence has held: the last round's accuracies, and the main task's unattacked."""
    return backdoor < MOST_BACKDOOR and main >= reference - MOST_LOST


def play(arena, aggregate, attack=None):
    """Play a game; give [main-task accuracy, backdoor accuracy] after each round.

    Parameters
    ----------
    arena
        Has `start`, `clients`, `target`, `seed`, `x_test` and `y_test`.
    aggregate, attack
        As above; None attacks never.
    """
    params, k, curve = arena.start, N_ADVERSARIES, []
    x, y = (np.concatenate(parts) for parts in zip(*arena.clients[:k], strict=True))
    for number in range(1, ROUNDS + 1):
        draw = [np.random.default_rng([arena.seed, number, c]) for c in range(N_CLIENTS + 2)]
        updates = np.array(
            [
                lab.train(params, *client, rng) - params
                for client, rng in zip(arena.clients, draw, strict=False)
            ]
        )
        if attack is not None:
            game = Game(number, arena.target, rng=draw[-2])
            updates[:k] = attack(params.copy(), x.copy(), y.copy(), game)
        # In another order in every round: a defence cannot know its opponent by its place.
        params = params + aggregate(updates[draw[-1].permutation(N_CLIENTS)])
        curve.append(measure(arena, params))
    return curve


def measure(arena, params):
    """Give main-task and backdoor accuracy."""
    others = arena.y_test != arena.target
    shown = Game(0, arena.target).trigger(arena.x_test[others])
    main = np.mean(lab.predict(params, arena.x_test) == arena.y_test)
    return [float(main), float(np.mean(lab.predict(params, shown) == arena.target))]


class Arena:
    """A federation to play in: images, clients, and a model that has learnt for a few rounds."""

    def __init__(self, images, seed):
        x, y, self.x_test, self.y_test = images
        self.seed = seed
        self.target = int(np.random.default_rng([seed, 1]).integers(10))
        self.clients = lab.deal(x, y, N_CLIENTS, seed)
        model = lab.new_model(np.random.default_rng(seed))
        self.start, _ = lab.federate(model, self.clients, WARM_UP, seed=seed)
        self.reference = play(self, lab.mean)[-1][0]


def try_out(aggregate=lab.mean, attack=None, folder=".", seed=0):
    """Play your entry at home, on the images in `folder`; print a line for each round."""
    arena = Arena(lab.digits(folder), seed)
    curve = play(arena, aggregate, attack)
    for number, (main, backdoor) in enumerate(curve, start=1):
        print(f"round {number}: main task {main:.3f}, backdoor {backdoor:.3f}")
    held = holds(*curve[-1], arena.reference)
    print("The defence holds." if held else "The defence is broken.", end=" ")
    print(f"Without an attack the main task ends at {arena.reference:.3f}.")
