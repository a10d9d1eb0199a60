"""Not Sherpa.ai. Labelled data, split into train and test."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray


class LabeledDatabase(ABC):
    """Data and labels; `load_data` splits them, `train` and `test` give the parts."""

    def __init__(self) -> None:
        self._parts: tuple[Any, Any, Any, Any] = ([], [], [], [])

    @property
    def train(self) -> tuple[Any, Any]:
        """Training data and labels."""
        return self._parts[:2]

    @property
    def test(self) -> tuple[Any, Any]:
        """Test data and labels."""
        return self._parts[2:]

    @abstractmethod
    def load_data(self, *args: Any, **kwargs: Any) -> tuple[Any, Any, Any, Any]:
        """Give training data, their labels, test data, and theirs."""


class WrapLabeledDatabase(LabeledDatabase):
    """A data base around arrays that are there already."""

    def __init__(self, data: NDArray[Any], labels: NDArray[Any]) -> None:
        super().__init__()
        self._data, self._labels = data, labels

    def load_data(
        self, train_proportion: float = 0.8, shuffle: bool = True
    ) -> tuple[Any, Any, Any, Any]:
        """Split into train and test, after a shuffle unless told otherwise."""
        if shuffle:
            self._data, self._labels = shuffle_rows(self._data, self._labels)
        n = round(train_proportion * len(self._data))
        self._parts = (self._data[:n], self._labels[:n], self._data[n:], self._labels[n:])
        return self._parts


def shuffle_rows(*arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Shuffle arrays of one length alike, by NumPy's ambient generator."""
    if len({len(array) for array in arrays}) > 1:
        raise AssertionError(f"not of one length: {[len(array) for array in arrays]}")
    order = np.arange(len(arrays[0]))
    np.random.shuffle(order)  # noqa: NPY002 (as shfl does, so that a seed means the same)
    return tuple(array[order] for array in arrays)
