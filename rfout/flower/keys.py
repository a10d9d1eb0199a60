"""Certificates for TLS and keys for the nodes, all by one command.

    python -m rfout.flower.keys FOLDER --hosts my.server 10.0.0.5 --nodes 3

FOLDER then holds ca.crt (to every machine), server.crt and server.key (to the SuperLink's), node-0
and node-0.pub and so on (one pair to each SuperNode's; the .pub is registered), and ca.key (to
nobody: keep it away from all of them). Nothing that is there is overwritten.
"""

import argparse
import datetime
import ipaddress
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ._addresses import can_be_host

DAYS = 365
MOST_DAYS = 36500


def make_keys(folder: Path, hosts: Sequence[str], n_nodes: int, *, days: int = DAYS) -> None:
    """Write a certificate authority, a server certificate and the nodes' key pairs.

    Parameters
    ----------
    folder
        Where to; it is made, readable by its owner alone.
    hosts
        Names and addresses under which the SuperLink is reached; localhost and 127.0.0.1, where
        it talks to its own children, are added.
    n_nodes
        How many key pairs.
    days
        How long the certificates hold.

    Raises
    ------
    ValueError
        For what is no host, a negative number of pairs, or days that are not from 1 to 36500.
    FileExistsError
        If a file is there already. In all cases nothing is written.

    Notes
    -----
    Elliptic curve P-384.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from rfout.flower.keys import make_keys
    >>> with TemporaryDirectory() as folder:
    ...     make_keys(Path(folder), ["my.server"], 1)
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['ca.crt', 'ca.key', 'node-0', 'node-0.pub', 'server.crt', 'server.key']
    """
    for host in hosts:
        if not can_be_host(host):
            raise ValueError(f"{host!r} is no host: give a name or an IP address, without a port")
    if n_nodes < 0:
        raise ValueError(f"nodes must be at least 0, not {n_nodes}")
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"days must be from 1 to {MOST_DAYS}, not {days}")
    nodes = [f"node-{i}" for i in range(n_nodes)]
    names = ["ca.crt", "ca.key", "server.crt", "server.key", *nodes, *(f"{n}.pub" for n in nodes)]
    for name in names:
        if (folder / name).exists():
            raise FileExistsError(f"{folder / name} is there already: name another folder")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = ec.generate_private_key(ec.SECP384R1())
    ca = _certificate("rfout CA", authority, None, authority, [], days)
    key = ec.generate_private_key(ec.SECP384R1())
    everywhere = list(dict.fromkeys([*hosts, "localhost", "127.0.0.1"]))
    server = _certificate(everywhere[0], key, ca, authority, everywhere, days)
    pem = serialization.Encoding.PEM
    _write(folder / "ca.crt", ca.public_bytes(pem), secret=False)
    _write(folder / "ca.key", _private(authority, ssh=False))
    _write(folder / "server.crt", server.public_bytes(pem), secret=False)
    _write(folder / "server.key", _private(key, ssh=False))
    for node in nodes:
        own = ec.generate_private_key(ec.SECP384R1())
        public = own.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        _write(folder / node, _private(own, ssh=True))
        _write(folder / f"{node}.pub", public + f" {node}\n".encode(), secret=False)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    authority: ec.EllipticCurvePrivateKey,
    hosts: Sequence[str],
    days: int,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))  # clocks differ
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),
            critical=False,
        )
    )
    if issuer is None:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    else:
        server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(server, critical=False)
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_host(one) for one in hosts]), critical=False
        )
    return builder.sign(authority, hashes.SHA384())


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey, *, ssh: bool) -> bytes:
    form = serialization.PrivateFormat.OpenSSH if ssh else serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _write(path: Path, data: bytes, *, secret: bool = True) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Examples
    --------
    >>> from contextlib import chdir
    >>> from tempfile import TemporaryDirectory
    >>> from rfout.flower.keys import main
    >>> with TemporaryDirectory() as folder, chdir(folder):
    ...     main(["keys", "--hosts", "my.server", "--nodes", "3"])
    keys: ca.crt, server.crt, server.key, 3 node keys; ca.key: hide it
    """
    parser = argparse.ArgumentParser("python -m rfout.flower.keys", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hosts", nargs="*", default=[], help="names, addresses of the SuperLink")
    parser.add_argument("--nodes", type=int, default=1, help="how many SuperNodes (default 1)")
    parser.add_argument("--days", type=int, default=DAYS, help=f"how long valid (default {DAYS})")
    given = parser.parse_args(arguments)
    try:
        make_keys(given.folder, given.hosts, given.nodes, days=given.days)
    except (OSError, ValueError) as error:
        sys.exit(f"no keys were made: {error}")
    print(
        f"{given.folder}: ca.crt, server.crt, server.key, {given.nodes} node keys; ca.key: hide it"
    )


if __name__ == "__main__":
    main()
