"""How good the global model is at its task, and how good at the adversary's."""

from dataclasses import dataclass

import numpy as np

from .vocabulary import Images, Labels, Predict, Trigger


def main_task_accuracy(predict: Predict, x: Images, y: Labels) -> float:
    """Share of clean test images that get their true label, in [0, 1].

    Parameters
    ----------
    predict
        Images to predicted labels.
    x, y
        (n, height, width, channels) clean test images and their (n,) labels.

    Raises
    ------
    ValueError
        If there are no images.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.zeros((4, 8, 8, 1), np.float32), np.array([0, 0, 0, 1])
    >>> main_task_accuracy(lambda images: np.zeros(len(images)), x, y)
    0.75
    """
    if len(y) == 0:
        raise ValueError("there are no test images to measure the main-task accuracy on")
    return float(np.mean(predict(x) == y))


def backdoor_accuracy(
    predict: Predict,
    x: Images,
    y: Labels,
    trigger: Trigger,
    target: int,
    *,
    rng: np.random.Generator,
) -> float:
    """Share of triggered test images that get the target label (attack success rate), in [0, 1].

    Images whose true label is the target are left out: a right answer there is no backdoor.

    Parameters
    ----------
    predict
        Images to predicted labels.
    x, y
        (n, height, width, channels) clean test images and their (n,) labels.
    trigger, target
        The adversary's trigger, and the label that it wants.
    rng
        For triggers with noise.

    Raises
    ------
    ValueError
        If every image has the target label.

    Notes
    -----
    Bagdasaryan et al. (2020), arXiv 1807.00459.

    Examples
    --------
    >>> import numpy as np
    >>> from rfout.attacks import PatternKey
    >>> x, y = np.zeros((4, 8, 8, 1), np.float32), np.array([0, 1, 2, 3])
    >>> fooled = lambda images: np.where(images[:, -1, -1, 0] == 1, 0, 3)
    >>> backdoor_accuracy(fooled, x, y, PatternKey(), target=0, rng=np.random.default_rng(0))
    1.0
    """
    others = y != target
    if not others.any():
        raise ValueError(f"every test image has the target label {target}: nothing to attack")
    return float(np.mean(predict(trigger(x[others], rng)) == target))


@dataclass(frozen=True)
class Evaluation:
    """Both accuracies on one test set, as the federation asks for them after every round.

    Attributes
    ----------
    x, y
        (n, height, width, channels) clean test images and their (n,) labels.
    trigger, target
        Where there is a backdoor to look for; backdoor accuracy is NaN without.
    by_class
        Whether to measure the accuracy on the images of the class that fares worst, too:
        "lowest_class_accuracy".

    Examples
    --------
    >>> import numpy as np
    >>> evaluate = Evaluation(np.zeros((4, 8, 8, 1), np.float32), np.array([0, 0, 0, 1]))
    >>> evaluate(lambda images: np.zeros(len(images)), np.random.default_rng(0))
    {'main_task_accuracy': 0.75, 'backdoor_accuracy': nan}
    """

    x: Images
    y: Labels
    trigger: Trigger | None = None
    target: int = 0
    by_class: bool = False

    def __call__(self, predict: Predict, rng: np.random.Generator) -> dict[str, float]:
        """Measure `predict`; `rng` is for triggers with noise."""
        backdoor = float("nan")
        if self.trigger is not None:
            backdoor = backdoor_accuracy(
                predict, self.x, self.y, self.trigger, self.target, rng=rng
            )
        labels = predict(self.x)
        found = {
            "main_task_accuracy": main_task_accuracy(lambda _: labels, self.x, self.y),
            "backdoor_accuracy": backdoor,
        }
        if self.by_class:
            right = labels == self.y
            found["lowest_class_accuracy"] = min(
                float(right[self.y == label].mean()) for label in np.unique(self.y)
            )
        return found
