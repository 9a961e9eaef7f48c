"""What all servers of a run share: certificates, names, another host, and the log."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest import mock

import trustme

from pygen_auth.testing._tls import _TLSSocket

MARK = "m4rk"
"""In every secret and in every token of a run, so that one look at a text finds them all."""


class Elsewhere:
    """Another host, which records whatever reaches it."""

    def __init__(self) -> None:
        self.arrivals: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, tls: bool) -> str:
        port = self._listener.getsockname()[1]
        return f"http{'s' if tls else ''}://localhost:{port}/token"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    self.arrivals.append(connection.recv(65_536))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class Leaks(logging.Handler):
    """Of every logger at DEBUG, the lines that show a secret or a token."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.seen = 0

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{record.name}: {record.getMessage()} {record.args} {record.exc_info}"
        self.seen += 1
        if MARK in line.lower():
            self.lines.append(line)


class World:
    """Made by `world()`."""

    def __init__(self, folder: Path) -> None:
        self.elsewhere = Elsewhere()
        self.leaks = Leaks()
        self.lookups: dict[str, Callable[[], None]] = {}
        """By a host whose name leads nowhere: what its look-up does first."""
        self.environment = threading.Lock()
        """Held while the environment names a proxy."""
        authority = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        self.contexts = _server_contexts(authority)
        self.newest_protocol_alone = ssl.create_default_context(cafile=self.ca_file)
        self.newest_protocol_alone.minimum_version = ssl.TLSVersion.TLSv1_3

    def trust(self, certificate: str) -> Any:
        """`verify` of the credentials."""
        return self.newest_protocol_alone if certificate == "old protocol" else self.ca_file

    def look_up(self, real: Any, host: Any, *args: Any, **settings: Any) -> Any:
        """In place of `socket.getaddrinfo`: names of the run lead to loopback while all is well."""
        name = str(host)
        if name in self.lookups:
            self.lookups[name]()
        elif name.endswith(".direct.invalid"):
            host = "127.0.0.1"
        return real(host, *args, **settings)

    @contextlib.contextmanager
    def proxy(self, url: str) -> Iterator[None]:
        with self.environment, mock.patch.dict(os.environ, HTTP_PROXY=url, HTTPS_PROXY=url):
            yield


def _server_contexts(authority: trustme.CA) -> dict[str, ssl.SSLContext]:
    names = ("127.0.0.1", "*.direct.invalid", "*.proxied.invalid")
    past = datetime(2020, 1, 1, tzinfo=timezone.utc)
    contexts = {
        "good": _context(authority.issue_cert(*names)),
        "unknown CA": _context(trustme.CA().issue_cert(*names)),
        "expired": _context(authority.issue_cert(*names, not_before=past, not_after=past)),
        "other host": _context(authority.issue_cert("idp.example.com")),
        "old protocol": _context(authority.issue_cert(*names)),
    }
    contexts["old protocol"].maximum_version = ssl.TLSVersion.TLSv1_2
    return contexts


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = _TLSSocket
    certificate.configure_cert(context)
    return context


@contextlib.contextmanager
def world() -> Iterator[World]:
    """The certificates, the names and the log of one run, in this process."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as undo:
        here = World(Path(folder))
        undo.callback(here.elsewhere.close)
        real = socket.getaddrinfo
        look_up = lambda *args, **settings: here.look_up(real, *args, **settings)  # noqa: E731
        undo.enter_context(mock.patch.object(socket, "getaddrinfo", look_up))
        kept = {name: value for name, value in os.environ.items() if not _is_of_proxies(name)}
        kept["NO_PROXY"] = ".direct.invalid"
        undo.enter_context(mock.patch.dict(os.environ, kept, clear=True))
        root = logging.getLogger()
        undo.callback(root.setLevel, root.level)
        undo.callback(root.removeHandler, here.leaks)
        root.addHandler(here.leaks)
        root.setLevel(logging.DEBUG)
        yield here


def _is_of_proxies(name: str) -> bool:
    return name.lower().endswith("_proxy")
