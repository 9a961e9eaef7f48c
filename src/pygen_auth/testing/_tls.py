"""TLS on loopback: a throw-away certificate authority, for the server and for its clients."""

from __future__ import annotations

import os
import ssl
import tempfile
from dataclasses import dataclass
from typing import Any


class _TLSSocket(ssl.SSLSocket):
    def __del__(self) -> None:
        # Older Pythons drop it unclosed, to a ResourceWarning, if the client has already reset.
        self.close()


@dataclass(frozen=True)
class Certificate:
    """A certificate that a client presented, and that the handshake verified."""

    common_name: str | None
    pem: str


def client_certificate(connection: ssl.SSLSocket) -> Certificate | None:
    """The certificate that the client of this connection presented, if it did."""
    encoded, fields = connection.getpeercert(binary_form=True), connection.getpeercert()
    if encoded is None or fields is None:
        return None
    subject: Any = fields["subject"]
    names = dict(pair for pairs in subject for pair in pairs)
    return Certificate(names.get("commonName"), ssl.DER_cert_to_PEM_cert(encoded))


class Authority:
    """A fresh certificate authority, with its PEM files in `directory`.

    Raises:
        ImportError: trustme is not installed.
    """

    def __init__(self, directory: str) -> None:
        try:
            import trustme
        except ImportError as error:
            hint = "AuthorizationServer(tls=True) needs trustme: pip install 'pygen-auth[testing]'"
            raise ImportError(hint) from error
        self._directory = directory
        self._authority = trustme.CA()
        self.ca_file = os.path.join(directory, "ca.pem")
        self._authority.cert_pem.write_to_path(self.ca_file)

    def server_context(self) -> ssl.SSLContext:
        """A context for loopback that asks clients for a certificate and takes those without."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sslsocket_class = _TLSSocket
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(self.ca_file)
        self._authority.issue_cert("127.0.0.1", "localhost", "::1").configure_cert(context)
        return context

    def issue(self, common_name: str) -> str:
        """The path of a new PEM file with a private key and a certificate of that name."""
        issued = self._authority.issue_cert(common_name=common_name)
        with tempfile.NamedTemporaryFile(dir=self._directory, suffix=".pem", delete=False) as file:
            file.write(issued.private_key_and_cert_chain_pem.bytes())
        return file.name
