"""The hosts that the docs name, played on this machine for programs that run them as they stand.

A proxy takes every connection to an https host, ends its TLS with a certificate of its own
authority, and hands each request to the server on loopback that plays this host. So a program needs
three variables in its environment and no change.
"""

from __future__ import annotations

import json
import os
import ssl
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from urllib.parse import urlsplit

import trustme

from pygen_auth.testing import AuthorizationServer

from .data_fusion import DataFusion

ENTRA = "login.microsoftonline.com"
TENANT = "contoso.onmicrosoft.com"

_METADATA = {
    "issuer": f"https://{ENTRA}/{TENANT}/v2.0",
    "authorization_endpoint": f"https://{ENTRA}/{TENANT}/oauth2/v2.0/authorize",
    "token_endpoint": f"https://{ENTRA}/{TENANT}/oauth2/v2.0/token",
}
_INSTANCE = {
    "tenant_discovery_endpoint": f"https://{ENTRA}/{TENANT}/v2.0/.well-known/openid-configuration",
    "metadata": [],
}

Reply = tuple[int, bytes]


class Internet:
    """The hosts, until they are closed. Who has `environment` reaches these and no other."""

    def __init__(self, authority: AuthorizationServer, data_fusion: DataFusion) -> None:
        token, resource, api = authority.token_url, authority.resource_url, data_fusion.url
        self.hosts: dict[str, Callable[[BaseHTTPRequestHandler, bytes], Reply]] = {
            "auth.example.com": lambda request, body: _forwarded(request, body, token),
            "api.example.com": lambda request, body: _forwarded(request, body, resource),
            "westeurope-1.cognitedata.com": lambda request, body: _forwarded(
                request, body, api + request.path
            ),
            ENTRA: lambda request, body: _entra(request, body, token),
        }
        self._root = trustme.CA()
        self._lock = Lock()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._root.cert_pem.write_to_path(str(folder / "ca.pem"))
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self._stack.callback(server.server_close)
        self._stack.callback(server.shutdown)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        proxy = f"http://127.0.0.1:{server.server_address[1]}"
        trusted = str(folder / "ca.pem")
        self.environment = {
            **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
            "HTTPS_PROXY": proxy,
            "SSL_CERT_FILE": trusted,
            "REQUESTS_CA_BUNDLE": trusted,
        }

    def close(self) -> None:
        self._stack.close()

    def context(self, host: str) -> ssl.SSLContext:
        """TLS with a certificate for this host."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._root.issue_cert(host).configure_cert(self._contexts[host])
            return self._contexts[host]


def _handler(internet: Internet) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One connection to the proxy: what is asked for first is the host, then a request."""

        host = ""

        def do_CONNECT(self) -> None:
            self.host = self.path.partition(":")[0]
            self.send_response(200 if self.host in internet.hosts else 502)
            self.end_headers()
            if self.host in internet.hosts:
                context = internet.context(self.host)
                self.connection = context.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb")
                self.handle_one_request()
                self.connection.close()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, answer = internet.hosts[self.host](self, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.wfile.flush()

        do_GET = do_POST  # noqa: N815  # the name is http.server's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Print nothing."""

    return Handler


def _forwarded(request: BaseHTTPRequestHandler, body: bytes, url: str) -> Reply:
    """What the server at this URL answers to the request."""
    parts = urlsplit(url)
    kept = ("Authorization", "Content-Type", "Content-Encoding", "Accept")
    headers = {name: request.headers[name] for name in kept if name in request.headers}
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request(
            request.command, url.removeprefix(f"http://{parts.netloc}"), body, headers
        )
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _entra(request: BaseHTTPRequestHandler, body: bytes, token_url: str) -> Reply:
    if request.command == "POST":
        return _forwarded(request, body, token_url)
    document = _INSTANCE if request.path.startswith("/common/discovery/") else _METADATA
    return 200, json.dumps(document).encode()
