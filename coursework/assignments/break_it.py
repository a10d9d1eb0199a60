KEY = {}  # the answers to one student's numbers: filled in by coursework.master

# %% [markdown]
# # Break it
#
# You are the adversary in a federation of your own. You plan a backdoor, predict what it will do,
# put it in, and compare. **90 minutes; 20 points**, 14 by tests and 6 by your teacher.
#
# Everybody has other numbers: yours are in `mine.json`, your images in `digits.npz`. What needs
# explaining is in the book, in the chapters *Federated learning* and *Backdoor attacks*.
# `lab.py` has the federation. Read it first: it is short.
#
# Write where a cell says `# your answer`. You may add cells. Do not rename the variables and
# functions that are there, since tests look for them. You may attack what you have built here, and
# no system of other people: see *Ethics* in the chapter *Backdoor attacks*.

# %% setup=start
from pathlib import Path

import lab
import matplotlib.pyplot as plt
import numpy as np

mine = lab.mine()
x_train, y_train, x_test, y_test = lab.digits()
n, k, target = mine["n_clients"], mine["n_adversaries"], mine["target"]
print(f"{n} clients, {k} of them yours, with about {len(y_train) // n} images each.")
print(f"Yours poison half of theirs, and train for {mine['boost_epochs']} epochs.")
print(f"In the attacked rounds, the server adds {mine['server_rate']} times the mean.")
print(f"Your backdoor: label {target} for {mine['trigger']['words']}.")
print("\n".join(mine["trigger"]["pattern"]))

# %% [markdown]
# ## 1. Predict first (15 minutes)
#
# The federation trains for eight rounds without an attack. Then your clients attack in six rounds.
# They train on poisoned images and boost their update so that the server's model lands on their own.
# Read the tasks below, and the code of task 6 without running it. Predict three accuracies under the
# mean, each from 0 to 1: of the main task before the attack, of the main task after the first
# attacked round, and of the backdoor after the sixth.
#
# Run the second cell for the code of your prediction, and hand the code in before you go on, as
# your teacher asks. A wrong prediction costs nothing. A prediction without a reason does.

# %% answer=prediction
prediction = {
    "main before": None,  # your answer
    "main after one round": None,  # your answer
    "backdoor after six rounds": None,  # your answer
}
### BEGIN SOLUTION
prediction = {
    "main before": 0.85,
    "main after one round": 0.6,
    "backdoor after six rounds": 0.95,
}
### END SOLUTION

# %% setup=seal
print(lab.seal(prediction))

# %% answer=seal
sealed = ""  # your answer: the code that was printed
### BEGIN SOLUTION
sealed = lab.seal(prediction)
### END SOLUTION

# %% items=predicted,sealed

# %% written=why points=2
# **Why?** Give a reason for each of the three numbers, in a sentence each.

# %% [markdown]
# ## 2. Your trigger (10 minutes)
#
# Write `trigger(images)` for images of shape (n, 28, 28, 1): it gives copies with your pattern in
# your corner. `mine["trigger"]` holds the pattern row by row, the corner, and the brightness.


# %% answer=trigger
def trigger(images):
    """Put my pattern on copies of (n, 28, 28, 1) images."""
    # your answer
    ### BEGIN SOLUTION
    spec = mine["trigger"]
    marks = np.array([[mark == "#" for mark in row] for row in spec["pattern"]])
    size, stamped = len(marks), images.copy()
    rows = slice(size) if spec["corner"].startswith("upper") else slice(-size, None)
    columns = slice(size) if spec["corner"].endswith("left") else slice(-size, None)
    stamped[:, rows, columns, 0] = spec["value"] * marks
    return stamped
    ### END SOLUTION


# %% setup=look
def look(images):
    """Show up to six images."""
    if images is not None:
        strip = np.hstack(list(images[:6, :, :, 0]))
        plt.imshow(strip, cmap="gray", vmin=0, vmax=1)
        plt.axis("off")
        plt.show()


look(trigger(x_test[:6].copy()))

# %% items=pattern,copy

# %% [markdown]
# ## 3. Measure it (10 minutes)
#
# Write `backdoor_accuracy`: the share of triggered images that get the target label. Images whose
# true label is the target are left out. `predict(images)` gives labels, `trigger(images)` triggered
# copies.


# %% answer=measure
def backdoor_accuracy(predict, x, y, trigger, target):
    """Give the share of triggered images that get the target label."""
    # your answer
    ### BEGIN SOLUTION
    others = y != target
    return float(np.mean(predict(trigger(x[others])) == target))
    ### END SOLUTION


# %% items=measure

# %% [markdown]
# ## 4. What to send (15 minutes)
#
# The server adds `rate` times the mean of n updates to its model. Of the n clients k are yours, and
# all k send the same. You think that each honest client will send `honest`. Which update makes the
# server add exactly `wanted`? Write the formula on paper first.


# %% answer=to_send
def to_send(wanted, honest, n, k, rate):
    """Give the update that each of my k clients sends."""
    # your answer
    ### BEGIN SOLUTION
    return (n * wanted / rate - (n - k) * honest) / k
    ### END SOLUTION


# %% items=boost

# %% [markdown]
# ## 5. Find the fault (15 minutes)
#
# A colleague has written `poison`, which should choose `share` of all samples, rounded to a whole
# number, none of which has the target label already (there are always enough), put the trigger on
# them, and give them the target label. It should change no array that it is given, and take its
# random numbers from `rng`. It is in `suspect.py`: it runs, and it has one fault.

# %% setup=suspect
print(Path("suspect.py").read_text())
for letter, statement in mine["statements"].items():
    print(f"{letter}. {statement}")

# %% answer=fault
fault = ""  # your answer: the letter of the statement that is true
### BEGIN SOLUTION
fault = KEY["letter"]
### END SOLUTION


# %% answer=poison
def poison(x, y, trigger, target, share, rng):
    """Poison a share of the samples, as it should be."""
    # your answer
    ### BEGIN SOLUTION
    chosen = rng.choice(np.flatnonzero(y != target), size=round(share * len(y)), replace=False)
    x, y = x.copy(), y.copy()
    x[chosen], y[chosen] = trigger(x[chosen]), target
    return x, y
    ### END SOLUTION


# %% items=fault,poison

# %% written=fault_why points=1
# **What would it have done** to your attack? `lab.federate` hands out copies of a client's samples:
# does that matter here? Two sentences.

# %% [markdown]
# ## 6. Attack (15 minutes)
#
# The next cell runs your attack, once against the mean and once against the median of each
# coordinate. It needs tasks 2 to 5, and takes some seconds. Write the last main-task and backdoor
# accuracy of each run into `measured`, from the lists that it prints.


# %% setup=run
def finished(name, made):
    """Give what a function of yours made, or stop where its task is not done yet."""
    if made is None:
        raise ValueError(f"`{name}` gives None: finish its task first")
    return made


def attack(params, x, y, rng):
    """Train on poisoned images, and send what lands the server's model there."""
    x, y = finished("poison", poison(x, y, trigger, target, 0.5, rng))
    wanted = lab.train(params, x, y, rng, epochs=mine["boost_epochs"]) - params
    honest = 0.0 * wanted  # a guess: near convergence, honest updates nearly cancel
    return finished("to_send", to_send(wanted, honest, n, k, mine["server_rate"]))


def both(params):
    """Give main-task accuracy and backdoor accuracy."""

    def predict(images):
        return lab.predict(params, images)

    main = float(np.mean(predict(x_test) == y_test))
    backdoor = backdoor_accuracy(predict, x_test, y_test, trigger, target)
    return main, finished("backdoor_accuracy", backdoor)


finished("trigger", trigger(x_test[:1].copy()))
clients = lab.deal(x_train, y_train, n, mine["seed"])
model = lab.new_model(np.random.default_rng(mine["seed"]))
start, _ = lab.federate(model, clients, 8, seed=mine["seed"])
before = both(start)
print(f"before the attack: main {before[0]:.3f}, backdoor {before[1]:.3f}")
curves = {}
for name, aggregate in {"mean": lab.mean, "median": lambda u: np.median(u, axis=0)}.items():
    _, curves[name] = lab.federate(
        start, clients, 6, seed=mine["seed"] + 1, aggregate=aggregate, attack=attack,
        n_adversaries=k, measure=both, rate=mine["server_rate"],
    )  # fmt: skip
    print(name, [f"main {main:.3f}, backdoor {backdoor:.3f}" for main, backdoor in curves[name]])

# %% answer=measured
measured = {
    "mean": None,  # your answer: (main-task accuracy, backdoor accuracy) of the last round
    "median": None,  # your answer
}
### BEGIN SOLUTION
measured = {name: curve[-1] for name, curve in curves.items()}
### END SOLUTION

# %% items=ran_mean,ran_median

# %% [markdown]
# ## 7. A figure to defend (10 minutes, and five with your teacher)
#
# Draw one figure that shows whether your three predictions were right: `before` is round 0, and
# `curves` has the attacked rounds. Axes have names, lines have labels. You will be asked about it
# for five minutes, without your notebook: what happens in the first attacked round, and what would
# be different with one client more.

# %% answer=figure
# your answer
### BEGIN SOLUTION
figure, axes = plt.subplots()
for name, curve in curves.items():
    main, backdoor = np.transpose([before, *curve])
    axes.plot(backdoor, label=f"backdoor, {name}")
    axes.plot(main, "--", label=f"main task, {name}")
axes.plot([0, 1, 6], list(prediction.values()), "k*", label="predicted")
axes.set(xlabel="attacked round", ylabel="accuracy", ylim=(0, 1))
axes.legend()
plt.show()
### END SOLUTION

# %% written=compare points=3
# **Where was your prediction wrong, and why?** Three sentences at most.
