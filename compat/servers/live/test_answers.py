"""What a server answers beside the token, and what comes of a resource indicator (RFC 8707)."""

from __future__ import annotations

import pytest

from tests.support import Twin

from ..cases import ANOTHER_API, API, POST
from ..clients import LIFETIME
from ..fleet import Server
from .each import ALL, each, named

WITH_RESOURCE = [facts for facts in ALL if facts.resource != "ignored"]


@each()
def test_answer_is_as_the_data_say(server: Server) -> None:
    client = server.clients[POST]
    form = {"grant_type": "client_credentials", "scope": "read"}
    secret = {"client_id": client.id, "client_secret": client.secret}
    response = server.http.post(server.token_url, data={**form, **secret})
    fields = response.json()
    assert len(fields.pop("access_token")) >= 10
    rounded = -(-fields.pop("expires_in") // 10) * 10  # some count the moments that it took
    content_type = response.headers["Content-Type"]
    assert {"content_type": content_type, "expires_in": rounded, **fields} == server.facts.answer


@each()
def test_token_has_the_life_and_the_scope_of_the_answer(server: Server, twin: Twin) -> None:
    token = twin.call(server.credentials(twin, POST, scopes="read"), "token")
    assert LIFETIME - 2 <= token.lifetime <= LIFETIME
    assert token.scope == "read"


@each(named("oidc_provider"))
def test_scope_that_a_server_drops_is_not_in_the_token(server: Server, twin: Twin) -> None:
    asked = server.credentials(twin, POST, scopes=["read", "nonsense"])
    assert twin.call(asked, "token").scope == "read"


@each(WITH_RESOURCE)
def test_resource_is_the_audience_of_the_token(server: Server, twin: Twin) -> None:
    credentials = server.credentials(twin, POST, params={"resource": API}, scopes="read")
    assert audience(server, twin.token(credentials)) == [API]


@each(named("django_oauth_toolkit"))
def test_two_resources_are_both_the_audience_of_the_token(server: Server, twin: Twin) -> None:
    credentials = server.credentials(twin, POST, params={"resource": [API, ANOTHER_API]})
    assert audience(server, twin.token(credentials)) == [API, ANOTHER_API]


@pytest.mark.parametrize("api", [API, ANOTHER_API])
@each(named("oauth2_mock_server"))
def test_field_of_a_server_of_its_own_is_sent(server: Server, api: str, twin: Twin) -> None:
    credentials = server.credentials(twin, POST, params={"aud": api})
    assert server.claims(twin.token(credentials))["aud"] == api


def audience(server: Server, token: str) -> list[str]:
    known = server.claims if server.facts.resource == "claims" else server.introspected
    named = known(token)["aud"]
    return [named] if isinstance(named, str) else list(named)
