KEY = {}  # the answers to one student's numbers: filled in by coursework.master

# %% [markdown]
# # Repair it
#
# The server of your federation filters outliers, with a rule of its own that is a relative of
# RFOut-1d. You work out by hand what the rule can see, program it, find the fault in a colleague's
# version, and write a defence that holds where the rule does not. **90 minutes; 20 points**, 14 by
# tests and 6 by your teacher.
#
# Everybody has another rule and other numbers: yours are in `mine.json`, your images in
# `digits.npz`. What needs explaining is in the book, in the chapters *RFOut-1d*, *Limits* and
# *Defences compared*. `lab.py` has the federation, `attack.py` the attack.
#
# Write where a cell says `# your answer`. You may add cells. Do not rename the variables and
# functions that are there, since tests look for them.

# %% setup=start
from pathlib import Path

import attack
import lab
import matplotlib.pyplot as plt
import numpy as np

mine = lab.mine()
x_train, y_train, x_test, y_test = lab.digits()
n, k = mine["n_clients"], mine["n_adversaries"]
print(f"{n} clients, {k} of them adversaries. The rule of your server:")
print(mine["rule"]["words"])

# %% [markdown]
# ## 1. Theory first (20 minutes)
#
# On one coordinate the honest clients send 0, and outliers send A = 1000. Work out on paper, for
# your rule and your n:
#
# - `largest z`: all k adversaries send A. How many s from m are they?
# - `seen`: are they flagged? `True` or `False`.
# - `left`: one outlier alone sends A, and n - 1 clients send 0. What does the rule give?

# %% answer=theory
theory = {
    "largest z": None,  # your answer
    "seen": None,  # your answer
    "left": None,  # your answer
}
### BEGIN SOLUTION
theory = {"largest z": KEY["largest z"], "seen": KEY["seen"], "left": KEY["left"]}
### END SOLUTION

# %% items=largest_z,seen,left

# %% written=derivation points=2
# **Derive** the largest z: the mean, the standard deviation, the ratio. Formulas, then your numbers.

# %% [markdown]
# ## 2. Your rule (25 minutes)
#
# Write `aggregate(updates)` for the rule of your server. Clients are on axis 0, and behind it the
# updates may have any shape. The array that it is given should not change.


# %% answer=aggregate
def aggregate(updates):
    """Give the aggregate by my server's rule."""
    # your answer
    ### BEGIN SOLUTION
    m = {"mean": np.mean, "median": np.median}[KEY["center"]](updates, axis=0)
    far, s = abs(updates - m), updates.std(axis=0, ddof=KEY["ddof"])
    flagged = far > KEY["threshold"] * s if KEY["strict"] else far >= KEY["threshold"] * s
    if KEY["replacement"] == "drop":
        return np.where(flagged, 0, updates).sum(axis=0) / (~flagged).sum(axis=0)
    instead = {"mean": np.mean, "median": np.median}[KEY["replacement"]](updates, axis=0)
    return np.where(flagged, instead, updates).mean(axis=0)
    ### END SOLUTION


# %% items=plain,scale,edge,shapes

# %% [markdown]
# ## 3. Find the fault (15 minutes)
#
# A colleague has written RFOut-1d as published: threshold 3, mean, population standard deviation. It
# is in `suspect.py`: it runs, and it has one fault. Give updates for which it is wrong, as an array
# of (n_clients, n_coordinates), and a `rule` without the fault.

# %% setup=suspect
print(Path("suspect.py").read_text())

# %% answer=counterexample
counterexample = None  # your answer
### BEGIN SOLUTION
counterexample = np.array(KEY["counterexample"])
### END SOLUTION


# %% answer=rule
def rule(updates, threshold=3.0):
    """Average the updates after replacing outliers on each coordinate by its mean."""
    # your answer
    ### BEGIN SOLUTION
    mean, std = updates.mean(axis=0), updates.std(axis=0)
    return np.where(abs(updates - mean) > threshold * std, mean, updates).mean(axis=0)
    ### END SOLUTION


# %% items=counterexample,repaired

# %% [markdown]
# ## 4. A defence that holds (20 minutes)
#
# Your k adversaries attack for six rounds. Write `defend(updates)`, a rule of your own choice, for
# updates of (n_clients, n_params). After the six rounds the backdoor accuracy should be below 0.1,
# and the main-task accuracy at most two points below that of a run without an attack. The test
# runs it on your numbers.


# %% answer=defend
def defend(updates):
    """Give an aggregate that keeps the backdoor out."""
    # your answer
    ### BEGIN SOLUTION
    return np.median(updates, axis=0)
    ### END SOLUTION


# %% setup=run
clients = lab.deal(x_train, y_train, n, mine["seed"])
model = lab.new_model(np.random.default_rng(mine["seed"]))
start, _ = lab.federate(model, clients, 5, seed=mine["seed"])


def run(rule, attacked=True):
    """Run six rounds; give a list of (main-task accuracy, backdoor accuracy)."""
    return lab.federate(
        start, clients, 6, seed=mine["seed"] + 1, aggregate=rule, n_adversaries=k,
        attack=attack.make_attack(mine) if attacked else None,
        measure=lambda params: attack.accuracies(params, mine, x_test, y_test),
    )[1]  # fmt: skip


print("no attack, mean:", run(lab.mean, attacked=False)[-1])
print("mean:", run(lab.mean)[-1])

# %% [markdown]
# Try `run(aggregate)` and `run(defend)` in cells of your own, and a few honest rounds with each.

# %% items=defend_backdoor,defend_main

# %% [markdown]
# ## 5. A figure to defend (10 minutes, and five with your teacher)
#
# Draw one figure that compares the mean, your server's rule and your defence under the attack. Axes
# have names, lines have labels. You will be asked about it for five minutes, without your notebook:
# why the rule does or does not see the adversaries, and how you would attack your own defence.

# %% answer=figure
# your answer
### BEGIN SOLUTION
figure, axes = plt.subplots()
for name, one in {"mean": lab.mean, "my rule": aggregate, "my defence": defend}.items():
    axes.plot(range(1, 7), [backdoor for _, backdoor in run(one)], label=name)
axes.set(xlabel="attacked round", ylabel="backdoor accuracy", ylim=(0, 1))
axes.legend()
plt.show()
### END SOLUTION

# %% written=attack_it points=3
# **How would you attack your own defence?** One attack, why it should pass, and what it would cost.

# %% written=price points=1
# **What does your defence cost** when nobody attacks? Say how you would measure it.
