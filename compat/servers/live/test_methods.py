"""Every way to prove a client that a server has brings a token there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pygen_auth import UnreachableError
from tests.support import Twin

from ..cases import CERTIFICATE, POST
from ..facts import Facts
from ..fleet import Server
from .each import each, each_with, named


def clients_of(facts: Facts) -> Iterator[str]:
    """Ids of the clients: one for each method, or for each of its algorithms."""
    for method, algorithms in facts.methods.items():
        yield from (f"{method}-{alg}" for alg in algorithms) if algorithms else (method,)


@each_with("client", clients_of)
def test_method_brings_a_token(server: Server, client: str, twin: Twin) -> None:
    credentials = server.credentials(twin, client, scopes="read")
    assert server.status(twin.call(credentials, "get_headers")) == 200


@each_with("client", clients_of)
def test_method_brings_the_next_token_too(server: Server, client: str, twin: Twin) -> None:
    credentials = server.credentials(twin, client)
    first = twin.call(credentials, "token")
    twin.call(credentials, "invalidate", first)
    assert twin.token(credentials) != first.access_token


@each(named("oidc_provider"))
def test_certificate_may_be_on_an_ssl_context(server: Server, twin: Twin) -> None:
    context = server.context()
    context.load_cert_chain(server.material.issued)
    credentials = server.credentials(twin, CERTIFICATE, client_auth=CERTIFICATE, verify=context)
    twin.token(credentials)


@each(named("oidc_provider"))
def test_server_of_an_unknown_authority_is_not_asked(server: Server, twin: Twin) -> None:
    credentials = server.credentials(twin, POST, verify=True, timeout=5)
    with pytest.raises(UnreachableError, match="certificate verify failed"):
        twin.token(credentials)
