"""RFOut-1d together with Flower's other strategies: which orders work, and what is refused."""

import functools
import inspect
from typing import Any, NoReturn

from flwr.serverapp.strategy import FedAvg

OLDER = (
    "RFOut1d is a strategy of Flower's message API: in the ServerApp, call strategy.start(grid, "
    "initial_arrays, num_rounds=...). Server, ServerAppComponents, start_server and the workflows "
    "take strategies of the older flwr.server.strategy; and no filter works under secure "
    "aggregation, which hides from the server what each client sent"
)


def check_order(cls: type, robust: type) -> None:
    """Refuse a class in which one of two aggregations would not run.

    Raises
    ------
    TypeError
        With the order that works, if there is one.
    """
    order = cls.__mro__
    at = order.index(robust)
    before, after = order[1:at], order[at + 1 : order.index(FedAvg)]
    for other in (*before, *after):
        own = vars(other).get("aggregate_train")
        if own is None or not other.__module__.startswith("flwr."):
            continue
        # Flower's server optimisers start from the aggregate of the next class.
        if "super" not in own.__code__.co_names:
            raise TypeError(
                f"class {cls.__name__}: {other.__name__} has an aggregation of its own: "
                f"use it or {robust.__name__}, not both"
            )
        if other in after:
            raise TypeError(
                f"class {cls.__name__}({robust.__name__}, {other.__name__}) would never call "
                f"{other.__name__}: write class {cls.__name__}({other.__name__}, "
                f"{robust.__name__}), and it takes its step from the filtered mean"
            )


def take_settings(cls: Any, robust: Any) -> None:
    """Let ``class X(FedAdam, RFOut1d)`` take the settings of both: Flower's own classes do not."""
    inherited = cls.__init__
    if "__init__" in vars(cls) or inherited is robust.__init__:
        return
    parameters = inspect.signature(robust.__init__).parameters.values()
    own = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]

    @functools.wraps(inherited)
    def init(self: Any, *args: Any, **given: Any) -> None:
        # `robust.__init__` is called by the others, with what they know, and picks these up.
        settings = self.__dict__.setdefault("_settings", {})
        settings |= {name: given.pop(name) for name in own if name in given}
        inherited(self, *args, **given)

    cls.__init__ = init


def older_api(*_: Any, **__: Any) -> NoReturn:
    """Refuse to be called as the older API calls its strategies."""
    raise TypeError(OLDER)
