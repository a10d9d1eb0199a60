"""Certificates and keys: what TLS and Flower will take, and nobody else can read."""

import re
import ssl
import stat
import threading
from socket import create_server

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from rfout.flower import keys


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("keys") / "new"
    keys.main([str(made), "--hosts", "my.server", "10.1.2.3", "--nodes", "2"])
    return made


def shake_hands(folder, ca):
    """Connect to a server with these keys as a client that trusts `ca`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    with create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except (ssl.SSLError, OSError):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            client = ssl.create_default_context(cafile=ca)
            import socket

            with socket.create_connection(listener.getsockname(), timeout=10) as plain:
                with client.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                    return secure.version()
        finally:
            thread.join(10)


def test_tls_works_with_them_and_not_with_another_authority(folder, tmp_path):
    assert shake_hands(folder, folder / "ca.crt") == "TLSv1.3"
    keys.make_keys(tmp_path / "other", [], 0)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(folder, tmp_path / "other" / "ca.crt")


def test_the_certificate_is_for_the_hosts_named_and_loopback(folder):
    made = x509.load_pem_x509_certificate((folder / "server.crt").read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["my.server", "localhost"]
    found = [str(one) for one in names.get_values_for_type(x509.IPAddress)]
    assert found == ["10.1.2.3", "127.0.0.1"]


def test_node_keys_are_pairs_of_their_own(folder):
    pairs = []
    for node in ("node-0", "node-1"):
        private = serialization.load_ssh_private_key((folder / node).read_bytes(), None)
        public = serialization.load_ssh_public_key((folder / f"{node}.pub").read_bytes())
        assert private.public_key() == public
        assert public.curve.name == "secp384r1"
        pairs.append((folder / node).read_bytes())
    assert pairs[0] != pairs[1]


def test_nobody_else_can_read_a_secret(folder):
    for name in ("ca.key", "server.key", "node-0", "node-1"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_is_overwritten(folder):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SystemExit, match="is there already: name another folder"):
        keys.main([str(folder)])
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--days", "0"], "days must be from 1 to 36500, not 0"),
        (["--days", "99999999999"], "days must be from 1"),
        (["--nodes", "-1"], "nodes must be at least 0, not -1"),
        (["--hosts", "https://x"], "'https://x' is no host: give a name or an IP address"),
        (["--hosts", "my.server:8000"], "is no host"),
        (["--hosts", "a b"], "is no host"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(tmp_path, arguments, says):
    with pytest.raises(SystemExit, match=f"no keys were made: .*{re.escape(says)}"):
        keys.main([str(tmp_path / "new"), *arguments])
    assert not (tmp_path / "new").exists()
