"""What a grader asks of a submission: its values and its functions, wherever they run."""


class Unanswered(Exception):
    """The submission has no such value or function, or one of the wrong kind; says so."""


class LocalAnswers:
    """The answers in a namespace of this process: under Otter and nbgrader."""

    def __init__(self, namespace):
        self.namespace, self.memo = namespace, {}

    def value(self, name):
        """Give a value: numbers, text, arrays, and lists and dicts of them."""
        if self.namespace.get(name) is None:
            raise Unanswered(f"`{name}` has no value.")
        return self.namespace[name]

    def function(self, name):
        """Give a function."""
        found = self.namespace.get(name)
        if not callable(found):
            raise Unanswered(f"there is no function `{name}`.")
        return found


def number(found, what, low=None, high=None):
    """Read one number that a submission gives, between two bounds if they are given."""
    import numpy as np

    found = (
        found.item() if isinstance(found, np.ndarray | np.generic) and found.size == 1 else found
    )
    if isinstance(found, bool) or not isinstance(found, int | float) or found != found:
        raise Unanswered(f"{what} is no number.")
    if (low is not None and found < low) or (high is not None and found > high):
        raise Unanswered(f"{what} is {found:g}: it should be from {low} to {high}.")
    return float(found)


def entries(found, name, keys):
    """Read a dict that has certain keys."""
    if not isinstance(found, dict):
        raise Unanswered(f"`{name}` is no dict.")
    missing = [key for key in keys if found.get(key) is None]
    if missing:
        raise Unanswered(f"`{name}` has no value for {missing[0]!r}.")
    return [found[key] for key in keys]


def once(answers, name, make):
    """Make what several items of one submission need, once; what it raised is raised again."""
    if name not in answers.memo:
        try:
            answers.memo[name] = make()
        except Exception as error:
            answers.memo[name] = error
    if isinstance(answers.memo[name], Exception):
        raise answers.memo[name]
    return answers.memo[name]
