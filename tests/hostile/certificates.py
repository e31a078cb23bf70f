"""A certificate for the arena, and a client that trusts it."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

import trustme

from tests.server import HOST, free_port


class Issued(NamedTuple):
    cert: Path
    key: Path
    port: int
    """Where the server will speak TLS."""
    client: ssl.SSLContext

    def section(self) -> str:
        return f'[smpp.tls]\nlisten = ["{HOST}:{self.port}"]\ncert = "{self.cert}"\nkey = "{self.key}"\n'


def issued(folder: Path) -> Issued:
    trust, cert, key = trustme.CA(), folder / "cert.pem", folder / "key.pem"
    made = trust.issue_cert("localhost")
    made.private_key_pem.write_to_path(key)
    for number, blob in enumerate(made.cert_chain_pems):
        blob.write_to_path(cert, append=number > 0)
    client = ssl.create_default_context()
    trust.configure_trust(client)
    return Issued(cert, key, free_port(), client)
