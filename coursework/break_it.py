"""Items of the assignment "Break it"."""

import numpy as np

from rfout.checks import TASKS
from rfout.checks.task import Case, Task, array, explain

from . import lab
from .answers import entries, number, once
from .functions import inverted

PREDICTED = ("main before", "main after one round", "backdoor after six rounds")


def predicted(answers, record, rng):
    """Three shares, whatever they are."""
    for key, share in zip(
        PREDICTED, entries(answers.value("prediction"), "prediction", PREDICTED), strict=True
    ):
        number(share, f"the prediction of {key!r}", 0, 1)


def sealed(answers, record, rng):
    """The code belongs to the prediction that was handed in."""
    predicted(answers, record, rng)
    plain = {key: answers.value("prediction")[key] for key in PREDICTED}
    if answers.value("sealed") != lab.seal(plain):
        return "the code in `sealed` is not that of the prediction: it was changed afterwards."


def stamped(images, spec, **other):
    """Put a student's pattern on images given as nested lists."""
    pattern, corner, value = (
        other.get(name, spec[name]) for name in ("pattern", "corner", "value")
    )
    size, height, width = len(pattern), len(images[0]), len(images[0][0])
    top = 0 if corner.startswith("upper") else height - size
    left = 0 if corner.endswith("left") else width - size
    result = [[[list(pixel) for pixel in row] for row in image] for image in images]
    for image in result:
        for i, row in enumerate(pattern):
            for j, mark in enumerate(row):
                if mark == "#" or other.get("black", True):
                    image[top + i][left + j] = [value if mark == "#" else 0.0]
    return result


def grey_images(rng, n):
    """Give n random images as nested lists."""
    return [[[[rng.randrange(1, 16) / 16] for _ in range(28)] for _ in range(28)] for _ in range(n)]


def pattern(answers, record, rng):
    """The pattern, its place, its brightness, on a copy."""
    spec = record["mine"]["trigger"]

    def cases(rng):
        for n in (1, 3):
            images = grey_images(rng, n)
            corners = {
                f"the pattern is in the {corner} corner.": stamped(images, spec, corner=corner)
                for corner in ("upper left", "upper right", "lower left", "lower right")
                if corner != spec["corner"]
            }
            mistakes = {
                "the pixels behind the pattern should be black.": (
                    stamped(images, spec, black=False)
                ),
                "the brightness is 255 where 1 is white.": stamped(images, spec, value=255.0),
                "the brightness is 1, and yours is another.": stamped(images, spec, value=1.0),
                **corners,
            }
            given = {"images": array(images)}
            yield Case(given, stamped(images, spec), mistakes, f"{n} random images")

    # A change in place is the other item's business.
    task = Task("trigger(images)", "", "float array", cases)
    fn = answers.function("trigger")
    return explain(task, lambda images: fn(images.copy()), rng)[0]


def copy(answers, record, rng):
    """Something new of the same shape, and the input as it was."""
    images = array(grey_images(rng, 2))
    before = images.tolist()
    made = answers.function("trigger")(images)
    if not isinstance(made, np.ndarray) or made.shape != images.shape:
        return "`trigger` gives no array of the images' shape."
    if images.tolist() != before:
        return "`trigger` changes the images that it is given: work on a copy."
    if made.tolist() == before:
        return "`trigger` gives the images as they were."


def measure(answers, record, rng):
    """The check of the book's exercise."""
    return explain(TASKS["backdoor_accuracy"], answers.function("backdoor_accuracy"), rng)[0]


def boost_cases(rng):
    """Give small federations with a server's rate."""
    for _ in range(4):
        k = rng.randint(2, 4)
        n, rate = rng.randint(8, 20), rng.choice((0.5, 0.25, 0.75))
        wanted, honest = ([float(rng.randint(-8, 8)) + one for _ in range(3)] for one in (9, 2))
        both = list(zip(wanted, honest, strict=True))
        mistakes = {
            "it leaves out what the honest clients add.": [w * n / (k * rate) for w in wanted],
            "it leaves out the server's rate.": [(n * w - (n - k) * h) / k for w, h in both],
            "it leaves out the number of adversaries.": [
                n * w / rate - (n - 1) * h for w, h in both
            ],
            "it only multiplies by n / k.": [w * n / k for w in wanted],
        }
        right = [(n * w / rate - (n - k) * h) / k for w, h in both]
        given = {"wanted": array(wanted), "honest": array(honest), "n": n, "k": k, "rate": rate}
        yield Case(given, right, mistakes)


def boost(answers, record, rng):
    """The server's model lands on the adversaries'."""
    task = Task("to_send(wanted, honest, n, k, rate)", "", "float array", boost_cases)
    return explain(task, answers.function("to_send"), rng)[0]


def fault(answers, record, rng):
    """One letter."""
    found = answers.value("fault")
    if not isinstance(found, str) or found.strip().lower() != record["secret"]["letter"]:
        return "that is not what is wrong with the colleague's `poison`."


def poison(answers, record, rng):
    """As the text asks, for a simple trigger."""
    fn = answers.function("poison")
    for n, share in ((40, 0.5), (30, 0.2)):
        target = rng.randrange(10)
        y = np.array([target] * 8 + [rng.randrange(10) for _ in range(n - 8)])
        x = array(grey_images(rng, n))
        x_before, y_before = x.tolist(), y.tolist()
        made = fn(x, y, inverted, target, share, np.random.default_rng(rng.randrange(2**31)))
        if x.tolist() != x_before or y.tolist() != y_before:
            return "`poison` changes the samples that it is given: work on copies."
        if not (isinstance(made, list | tuple) and len(made) == 2):
            return "`poison` should give the images and the labels."
        new_x, new_y = made
        if not all(isinstance(one, np.ndarray) for one in made) or (
            (new_x.shape, new_y.shape) != (x.shape, y.shape)
        ):
            return "`poison` should give arrays of the shapes that it was given."
        images = [a == b for a, b in zip(new_x.tolist(), x_before, strict=True)]
        changed = [not one for one in images]
        if sum(changed) != round(share * n):
            return f"{sum(changed)} of {n} images are changed where {share} of them should be."
        for i in range(n):
            if changed[i] and y_before[i] == target:
                return "`poison` takes samples that have the target label already."
            if new_y.tolist()[i] != (target if changed[i] else y_before[i]):
                return "the samples with the trigger, and no others, should have the target label."


RULES = {"mean": lab.mean, "median": lambda updates: np.median(updates, axis=0)}
APART = 0.03  # from machine to machine


def ran(which):
    """Compare the measured pair with what the student's own functions give."""

    def grade(answers, record, rng):
        found = entries(answers.value("measured"), "measured", (which,))[0]
        pair = found.tolist() if isinstance(found, np.ndarray) else found
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            return f"`measured[{which!r}]` should be a pair: main-task and backdoor accuracy."
        given = [number(one, f"a number in measured[{which!r}]", 0, 1) for one in pair]
        run = record["run"]
        wanted = once(answers, which, lambda: run.students(answers, RULES[which]))
        names = ("main-task", "backdoor")
        for name, ours, theirs in zip(names, wanted, given, strict=True):
            if abs(number(ours, f"the {name} accuracy") - theirs) > APART:
                return f"the {name} accuracy with the {which} is not what your code gives."

    return grade


ITEMS = {
    "predicted": (1, "a prediction, three shares from 0 to 1", predicted),
    "sealed": (1, "the code of this prediction", sealed),
    "pattern": (2, "`trigger` puts your pattern where it belongs", pattern),
    "copy": (1, "`trigger` leaves its input as it was", copy),
    "measure": (2, "`backdoor_accuracy`", measure),
    "boost": (2, "`to_send`", boost),
    "fault": (1, "what is wrong with the colleague's `poison`", fault),
    "poison": (2, "`poison` without the fault", poison),
    "ran_mean": (1, "the measured numbers with the mean", ran("mean")),
    "ran_median": (1, "the measured numbers with the median", ran("median")),
}
