"""Servers that are found by what they publish about themselves (RFC 8414, OpenID Connect)."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from pygen_auth import ConfigurationError, InvalidResponseError, RefusedError
from tests.support import AnyCredentials, Twin

from ..cases import BASIC, POST
from ..facts import Facts
from ..fleet import Server
from .each import ALL, each, each_with, named
from .test_methods import clients_of

PUBLISHING = [facts for facts in ALL if facts.discovery]
CHOOSING = [facts for facts in PUBLISHING if facts.discovery["chosen"]]


def discovered(
    server: Server, twin: Twin, issuer: str, client: str, **settings: Any
) -> AnyCredentials:
    """Credentials of a client that knows the issuer alone."""
    known = server.clients[client]
    found: Any = twin.kind.discover(
        issuer, known.id, known.secret, **{"verify": server.verify, **settings}
    )
    return asyncio.run(found) if inspect.iscoroutine(found) else found


def documents(facts: Facts) -> list[str]:
    return list(facts.discovery["documents"]) if facts.discovery else []


def method_of(credentials: AnyCredentials) -> str:
    return str(credentials._grant.client_auth.name)


@each(CHOOSING)
def test_issuer_is_all_that_a_client_needs(server: Server, twin: Twin) -> None:
    credentials = discovered(server, twin, server.issuer, POST)
    assert credentials.token_url == server.token_url
    assert method_of(credentials) == server.facts.discovery["chosen"]
    assert server.status(twin.call(credentials, "get_headers")) == 200


@each_with("document", documents)
def test_document_may_be_named_by_its_whole_url(server: Server, document: str, twin: Twin) -> None:
    url = f"{server.issuer}/.well-known/{document}"
    credentials = discovered(server, twin, url, BASIC, client_auth=BASIC)
    assert credentials.token_url == server.token_url
    twin.token(credentials)


@each_with("client", lambda facts: clients_of(facts) if facts.discovery else ())
def test_every_method_works_at_the_endpoint_found(server: Server, client: str, twin: Twin) -> None:
    way = server.clients[client].client_auth
    twin.token(discovered(server, twin, server.issuer, client, client_auth=way))


@each(named("oauth2_mock_server"))
def test_server_that_lists_no_way_to_prove_a_client_wants_one_named(
    server: Server, twin: Twin
) -> None:
    with pytest.raises(ConfigurationError, match=r"the server takes none; pass client_auth="):
        discovered(server, twin, server.issuer, POST)


@each(named("oidc_provider", "oauth2_mock_server"))
def test_issuer_by_another_name_is_refused(server: Server, twin: Twin) -> None:
    another = server.issuer.replace("127.0.0.1", "localhost")
    with pytest.raises(InvalidResponseError) as caught:
        discovered(server, twin, another, POST, client_auth=POST)
    assert server.issuer in (caught.value.hint or "")


@each(named("django_oauth_toolkit"))
def test_server_may_call_itself_as_it_is_asked(server: Server, twin: Twin) -> None:
    credentials = discovered(server, twin, f"{server.issuer}/any/path", POST)
    assert credentials.token_url == server.token_url


@each(named("oidc_provider", "oauth2_mock_server"))
def test_issuer_that_is_none_is_refused_with_advice(server: Server, twin: Twin) -> None:
    with pytest.raises(RefusedError) as caught:
        discovered(server, twin, f"{server.issuer}/realm", POST)
    assert caught.value.status == 404
    assert caught.value.hint == "check the issuer, or give the whole .well-known URL"
