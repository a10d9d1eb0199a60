"""The process that runs one submission; `coursework.sandbox` starts it and asks.

It trusts nothing that it loads later, and nothing that it says is trusted.
"""

import contextlib
import ctypes  # loaded before the guard, which refuses it a library
import os
import sys


def main(work, repository, secret, inlet, outlet, memory, plots):
    """Answer the sandbox's questions until it closes the pipe."""
    sys.path.insert(0, repository)
    from coursework import wire
    from coursework.functions import BY_NAME
    from coursework.guard import Guard, limit

    if plots == "1":  # before the guard: it looks for fonts, and asks another process for them
        with contextlib.suppress(ImportError):
            __import__("matplotlib.pyplot")
    limit(int(memory))
    for name in [one for one in sys.modules if one.partition(".")[0] in ("coursework", "rfout")]:
        del sys.modules[name]
    sys.path[:] = [work, *(one for one in sys.path[1:] if one)]
    os.chdir(work)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    guard = Guard(work, secret.split(os.pathsep))
    namespace = {"__name__": "__main__", "display": print}
    guard.start()
    wire.send(outlet, {"ready": True})
    while True:
        try:
            asked = wire.receive(inlet, functions=BY_NAME, own=lambda name: namespace.get(name))
        except EOFError:
            return
        wire.send(outlet, answer(asked, namespace, guard, wire))


def answer(asked, namespace, guard, wire):
    """Run a cell, give a value, or call a function; nothing that the code raises gets out."""
    guard.reports.clear()
    found = {}
    try:
        if asked["do"] == "run":
            exec(compile(asked["source"], asked["name"], "exec"), namespace)
        elif asked["do"] == "value":
            found["value"] = namespace.get(asked["name"])
        else:
            given = asked["given"]
            found["value"] = namespace[asked["name"]](*given)
            found["given"] = [one if _changes(one) else None for one in given]
        wire.encode(found, [], ())
    except BaseException as error:
        found = {"error": [type(error).__name__[:60], str(error)[:300]]}
    return {**found, "reports": list(guard.reports), "replaced": guard.replaced()[:5]}


def _changes(value):
    return type(value).__name__ in ("ndarray", "Generator")


if __name__ == "__main__":
    assert ctypes
    first, second = int(sys.argv[4]), int(sys.argv[5])
    main(sys.argv[1], sys.argv[2], sys.argv[3], first, second, *sys.argv[6:])
