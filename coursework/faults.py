"""Plausible wrong solutions, of which every student is given one to find the fault in."""

POISON = '''"""A colleague's solution. It runs, and it has one fault."""

import numpy as np


def poison(x, y, trigger, target, share, rng):
    """Poison a share of the samples: put the trigger on them and give them the target label."""
{body}
'''
POISON_BODY = """\
    n_poisoned = round(share * len(y))
    others = np.flatnonzero(y != target)
    chosen = rng.choice(others, size=n_poisoned, replace=False)
    x, y = x.copy(), y.copy()
    x[chosen] = trigger(x[chosen])
    y[chosen] = target
    return x, y"""
POISON_FAULTS = {
    "in place": (
        ("x, y = x.copy(), y.copy()", "x, y = np.asarray(x), np.asarray(y)"),
        "It changes the client's own samples, which an honest round needs again.",
    ),
    "labels alone": (
        ("    x[chosen] = trigger(x[chosen])\n", "    trigger(x[chosen])\n"),
        "It changes labels and puts the trigger on no image.",
    ),
    "images alone": (
        ("y[chosen] = target", "y[y == target] = target"),
        "It puts the trigger on images and leaves them their true labels.",
    ),
    "twice": (
        ("replace=False", "replace=True"),
        "It may choose a sample twice, so that fewer samples are poisoned than asked for.",
    ),
    "share of the others": (
        ("round(share * len(y))", "round(share * np.sum(y != target))"),
        "It takes the share of the samples of other labels, not of all samples.",
    ),
    "the target's own": (
        ("rng.choice(others,", "rng.choice(len(y),"),
        "It also takes samples that have the target label already.",
    ),
}

RULE = '''"""A colleague's RFOut-1d. It runs, and it has one fault."""

import numpy as np


def rule(updates, threshold=3.0):
    """Average the updates after replacing outliers on each coordinate by its mean."""
{body}
'''
RULE_BODY = """\
    mean = updates.mean(axis=0)
    std = updates.std(axis=0)
    flagged = np.abs(updates - mean) > threshold * std
    return np.where(flagged, mean, updates).mean(axis=0)"""
RULE_FAULTS = {
    "ddof": ("updates.std(axis=0)", "updates.std(axis=0, ddof=1)"),
    "edge": ("> threshold * std", ">= threshold * std"),
    "one side": ("np.abs(updates - mean)", "(updates - mean)"),
    "kept only": (
        "return np.where(flagged, mean, updates).mean(axis=0)",
        "return np.where(flagged, 0, updates).sum(axis=0) / (~flagged).sum(axis=0)",
    ),
    "zero": ("np.where(flagged, mean, updates)", "np.where(flagged, 0, updates)"),
    "all coordinates": ("updates.std(axis=0)", "updates.std()"),
    "variance": ("updates.std(axis=0)", "updates.var(axis=0)"),
    "whole client": (
        "return np.where(flagged, mean, updates).mean(axis=0)",
        "return updates[~flagged.any(axis=1)].mean(axis=0)",
    ),
}


def faulty_poison(fault):
    """Give the source of a wrong `poison`."""
    (old, new), _ = POISON_FAULTS[fault]
    return POISON.format(body=POISON_BODY.replace(old, new))


def faulty_rule(fault):
    """Give the source of a wrong `rule`."""
    old, new = RULE_FAULTS[fault]
    return RULE.format(body=RULE_BODY.replace(old, new))


# Twelve clients. On the first coordinate the last value is beyond three sigma with ddof=0 and not
# with ddof=1, on the second one value is at exactly three sigma, on the third an outlier is below.
COUNTEREXAMPLE = [
    [0, 8, 70], [1, 4, 60], [-1, 4, 80], [2, 4, 50], [-2, 5, 90], [1, 5, 60],
    [-1, 5, 80], [0, 5, 70], [2, 5, 50], [-2, 5, 90], [1, 5, 60], [12, 5, -50],
]  # fmt: skip
