"""Both accuracies against cases counted by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfout.attacks import InstanceKey, PatternKey
from rfout.evaluation import Evaluation, backdoor_accuracy, main_task_accuracy

# An image is one pixel, its brightness is the label that `read_pixel` gives.
LABELS = np.array([0, 1, 2, 3, 3, 1, 2, 0], np.int64)


def rng(seed=0):
    return np.random.default_rng(seed)


def images_of(values):
    return np.asarray(values, np.float32).reshape(-1, 1, 1, 1)


def read_pixel(x):
    return x[:, 0, 0, 0].astype(np.int64)


def to_three(x, rng):
    """A trigger to which the model below answers 3, except for what showed a 1."""
    return np.where(x == 1, x, np.float32(3))


class Recorder:
    """A trigger or predictor that keeps what it was shown."""

    def __init__(self, answer):
        self.answer, self.shown = answer, []

    def __call__(self, x, rng=None):
        self.shown.append(x.copy())
        return self.answer(x)


def test_main_task_accuracy_counts_right_labels():
    assert main_task_accuracy(read_pixel, images_of(LABELS), LABELS) == 1.0
    wrong_twice = LABELS.copy()
    wrong_twice[[0, 5]] += 1
    accuracy = main_task_accuracy(read_pixel, images_of(wrong_twice), LABELS)
    assert accuracy == 0.75
    assert type(accuracy) is float
    assert main_task_accuracy(lambda x: read_pixel(x) + 1, images_of(LABELS), LABELS) == 0.0


def test_backdoor_accuracy_counts_target_labels_among_the_others():
    # Of 8 images 2 are threes and left out; of the other 6, the two ones do not answer.
    accuracy = backdoor_accuracy(read_pixel, images_of(LABELS), LABELS, to_three, 3, rng=rng())
    assert accuracy == 4 / 6
    assert type(accuracy) is float


def test_a_model_without_backdoor_has_none_even_when_it_knows_the_target():
    same = Recorder(lambda x: x)
    assert backdoor_accuracy(read_pixel, images_of(LABELS), LABELS, same, 3, rng=rng()) == 0.0


def test_images_of_the_target_label_are_left_out_before_the_trigger():
    trigger, predict = Recorder(lambda x: x + 10), Recorder(read_pixel)
    backdoor_accuracy(predict, images_of(LABELS), LABELS, trigger, 1, rng=rng())
    assert read_pixel(trigger.shown[0]).tolist() == [0, 2, 3, 3, 2, 0]
    assert read_pixel(predict.shown[0]).tolist() == [10, 12, 13, 13, 12, 10]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_both_accuracies_equal_a_count(pairs):
    truth, answers = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    x = images_of(answers)
    right = sum(t == a for t, a in pairs)
    assert main_task_accuracy(read_pixel, x, truth) == pytest.approx(right / len(pairs))
    others = [a for t, a in pairs if t != 0]
    if others:
        got = backdoor_accuracy(read_pixel, x, truth, lambda x, rng: x, 0, rng=rng())
        assert got == pytest.approx(others.count(0) / len(others))


def test_the_noise_of_the_trigger_comes_from_the_generator():
    predict = Recorder(read_pixel)
    trigger = InstanceKey(images_of([0.5])[0])
    for seed in (1, 1, 2):
        backdoor_accuracy(predict, images_of(LABELS), LABELS, trigger, 0, rng=rng(seed))
    first, again, other = (shown.tobytes() for shown in predict.shown)
    assert first == again
    assert first != other


def test_no_test_images_is_an_error():
    with pytest.raises(ValueError, match="no test images"):
        main_task_accuracy(read_pixel, images_of([]), LABELS[:0])


@pytest.mark.parametrize("y", [LABELS[:0], np.array([2, 2], np.int64)])
def test_nothing_to_attack_is_an_error(y):
    with pytest.raises(ValueError, match="target label 2: nothing to attack"):
        backdoor_accuracy(read_pixel, images_of(y), y, to_three, 2, rng=rng())


def test_evaluation_gives_both_by_name():
    x = images_of(LABELS)
    got = Evaluation(x, LABELS, to_three, 3)(read_pixel, rng())
    assert got == {"main_task_accuracy": 1.0, "backdoor_accuracy": 4 / 6}


def test_evaluation_without_a_trigger_has_no_backdoor_accuracy():
    got = Evaluation(images_of(LABELS), LABELS)(read_pixel, rng())
    assert got["main_task_accuracy"] == 1.0
    assert math.isnan(got["backdoor_accuracy"])


def test_main_task_accuracy_is_measured_on_clean_images():
    x = np.random.default_rng(0).uniform(0.1, 0.9, (5, 6, 6, 1)).astype(np.float32)
    before = x.copy()
    predict = Recorder(lambda x: np.zeros(len(x), np.int64))
    Evaluation(x, np.arange(5), PatternKey(2), 0)(predict, rng())
    np.testing.assert_array_equal(x, before)
    assert sum(np.array_equal(shown, x) for shown in predict.shown) == 1
    (triggered,) = (shown for shown in predict.shown if len(shown) == 4)
    np.testing.assert_array_equal(triggered, PatternKey(2)(x[1:], rng()))


def test_the_class_that_fares_worst_is_measured_from_the_same_predictions():
    """Of the two ones one is wrong, of the two threes none is right; the others are."""
    answers = Recorder(lambda x: np.array([0, 1, 2, 0, 1, 3, 2, 0]))
    found = Evaluation(images_of(LABELS), LABELS, by_class=True)(answers, rng())
    assert found["lowest_class_accuracy"] == 0.0
    assert found["main_task_accuracy"] == 5 / 8
    assert len(answers.shown) == 1
    better = Recorder(lambda x: np.array([0, 1, 2, 3, 3, 3, 2, 0]))
    found = Evaluation(images_of(LABELS), LABELS, by_class=True)(better, rng())
    assert found["lowest_class_accuracy"] == 0.5
