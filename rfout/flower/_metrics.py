"""Metrics: what the clients claim, combined, and the numbers of a round."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import flwr.app
from flwr.app import RecordDict

LARGEST = 1e300  # of a metric that is taken for a number; NaN is not below it


# It goes over the wire under the name of its class, which must be one that Flower knows.
class MetricRecord(flwr.app.MetricRecord):
    """The numbers of a round; lists with an entry for each node are read by name alone.

    Iteration gives the numbers only, so that any logger takes them, and Flower's own log does not
    grow with the number of nodes. `per_node` has the lists. Messages carry the numbers.
    """

    def __init__(
        self,
        metric_dict: Mapping[str, Any] | None = None,
        keep_input: bool = True,
        *,
        per_node: Mapping[str, list[Any]] | None = None,
    ) -> None:
        super().__init__(dict(metric_dict or {}))
        self.__dict__["_per_node"] = dict(per_node or {})

    @property
    def per_node(self) -> dict[str, list[Any]]:
        """The lists."""
        return self.__dict__.get("_per_node", {})

    def __getitem__(self, name: str) -> Any:
        """Give a number or a list."""
        return self.per_node[name] if name in self.per_node else super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a number or list."""
        return name in self.per_node or super().__contains__(name)


def median_metrics(contents: Sequence[RecordDict], weight_key: str) -> flwr.app.MetricRecord:
    """Combine the clients' metrics by their median, unweighted: they are claims.

    A metric counts if more than half of the clients give it as finite numbers: one, or a list of
    as many as most of them, whose medians are a list again.
    """
    given: dict[str, dict[int | None, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    for content in contents:
        for record in content.metric_records.values():
            for name, value in record.items():
                values = value if isinstance(value, list) else [value]
                if name != weight_key and all(abs(one) < LARGEST for one in values):
                    length = len(values) if isinstance(value, list) else None
                    given[name][length].append([float(one) for one in values])
    combined: dict[str, Any] = {}
    for name, by_length in given.items():
        length, claims = max(by_length.items(), key=lambda one: len(one[1]))
        if 2 * len(claims) > len(contents):
            medians = [statistics.median(column) for column in zip(*claims, strict=True)]
            combined[name] = medians[0] if length is None else medians
    return flwr.app.MetricRecord(combined)


def alike(contents: Sequence[RecordDict]) -> list[RecordDict]:
    """Keep the contents whose metrics have the names and lengths that most have.

    For a user's own function, which one client could end the run by otherwise.
    """
    forms = [
        frozenset(
            (record, name, len(value) if isinstance(value, list) else -1)
            for record, metrics in content.metric_records.items()
            for name, value in metrics.items()
        )
        for content in contents
    ]
    usual = Counter(forms).most_common(1)[0][0] if forms else None
    return [content for content, form in zip(contents, forms, strict=True) if form == usual]
