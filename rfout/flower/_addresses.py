"""Addresses as people type them: names, IPv4 and IPv6, with a port."""

import contextlib
import ipaddress
import socket

LOCAL = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # to listen on; and where that is reached


def read_address(text: str) -> tuple[str, int]:
    """Read a host and a port; an IPv6 host stands in brackets, and is given without.

    Raises
    ------
    ValueError
        For a URL, a host without a port, or a port that cannot be.
    """
    host, _, port = text.rpartition(":")
    inside = host.removeprefix("[").removesuffix("]")
    if "://" in text or "/" in text or not host or (":" in host and host == inside):
        raise ValueError(
            f"{text!r} is no address with a port, as 127.0.0.1:8000, my.server:8000 or [::1]:8000"
        )
    return inside, read_port(port)


def read_port(text: str) -> int:
    """Read a port.

    Raises
    ------
    ValueError
        If it is no number from 1 to 65535.
    """
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**16):
        raise ValueError(f"a port is a number from 1 to 65535, not {text!r}")
    return int(text)


def write_address(host: str, port: int) -> str:
    """Write an address under which who listens on `host` is reached."""
    host = EVERYWHERE.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def free_ports(n: int) -> list[int]:
    """Give ports of 127.0.0.1 that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


def in_use(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether something listens there."""
    try:
        with socket.create_connection((EVERYWHERE.get(host, host), port), timeout=1):
            return True
    except OSError:
        return False


def resolves(host: str) -> bool:
    """Tell whether a name is known on this machine."""
    try:
        return bool(socket.getaddrinfo(host, None))
    except (OSError, UnicodeError):
        return False


def can_be_host(text: str) -> bool:
    """Tell whether this is an IP address or may be a host's name."""
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(text)
        return True
    labels = text.removesuffix(".").removeprefix("*.").split(".")
    return len(text) < 254 and all(
        0 < len(one) < 64 and one.replace("-", "a").replace("_", "a").isalnum() for one in labels
    )
