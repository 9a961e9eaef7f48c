"""`pygen-auth serve`: an authorization server on this machine, until Ctrl-C."""

from __future__ import annotations

import secrets
import signal
import threading
from argparse import Namespace
from collections.abc import Callable

from pygen_auth import ConfigurationError
from pygen_auth.testing import AuthorizationServer, TokenRequest

from .screen import Screen
from .secret import text_in

_LOOK = 0.1  # seconds between two looks for new requests


def run(options: Namespace, stop: threading.Event | None = None) -> int:
    """Serve until `stop`, Ctrl-C or SIGTERM; the exit status."""
    screen = Screen()
    clients = options.client or ["my-client-id"]
    try:
        known = _known_secret(options)
        server = AuthorizationServer(
            lifetime=options.lifetime, tls=options.tls, host=options.host, port=options.port
        )
    except (ConfigurationError, OSError, OverflowError) as error:
        screen.refuse(f"cannot serve: {error}")
        return 2
    scopes = options.scopes.split() if options.scopes else None
    stop = stop or _on_signals()
    with server:
        server.delay = options.delay
        for client in clients:
            secret = known or secrets.token_urlsafe(24)
            server.add_client(client, secret, scopes=scopes)
            shown = "as in the file" if known else secret
            screen.line(f"client {client}, secret {shown}")
        screen.line(f"token_url {server.token_url}")
        screen.line(f"resource  {server.resource_url}")
        screen.line(f"issuer    {server.issuer}")
        if server.ca_file:
            screen.line(f"ca_file   {server.ca_file}")
        screen.line("Ctrl-C ends it.", "dim")
        _until_stopped(server, screen.line, stop)
    return 0


def _known_secret(options: Namespace) -> str | None:
    path = options.client_secret_file
    return None if path is None else text_in("--client-secret-file", path)


def _on_signals() -> threading.Event:
    """Set by Ctrl-C and by SIGTERM, so that the files of the server are removed."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _until_stopped(
    server: AuthorizationServer, tell: Callable[[str], None], stop: threading.Event
) -> None:
    """Tell of each token request."""
    told = 0
    while not stop.wait(_LOOK):
        requests = server.token_requests
        for request in requests[told:]:
            tell(_described(request))
        told = len(requests)


def _described(request: TokenRequest) -> str:
    scope = " ".join(request.form.get("scope", []))
    by = f"by {request.auth_method}" if request.auth_method else "without proof"
    return (
        f"token request of {request.client_id or 'nobody'} {by}{f' for {scope}' if scope else ''}"
    )
