"""What users of Pygen's `OAuth2ClientCredentials` rely on, restated for both twins.

Answers are mocked with respx, as Pygen does it. With httpx2 installed beside httpx the same must
pass: token requests go through httpx unless the caller hands over another client.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials, OAuth2Error
from tests.support import HandClock

TOKEN_URL = "https://example.com/oauth2/token"
ANSWER = {"access_token": "mock_access_token_12345", "token_type": "Bearer", "expires_in": 3600}
KINDS = [OAuth2ClientCredentials, AsyncOAuth2ClientCredentials]


def call(credentials: Any, method: str) -> Any:
    result = getattr(credentials, method)()

    async def awaited() -> Any:
        return await result

    return asyncio.run(awaited()) if inspect.isawaitable(result) else result


def form(route: respx.Route) -> dict[str, list[str]]:
    return parse_qs(route.calls.last.request.content.decode())


@pytest.fixture(params=KINDS, ids=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def credentials(kind: Any) -> Any:
    return kind(
        TOKEN_URL,
        "test_client_id",
        "test_client_secret",
        ["https://api.example.com/.default"],
        "https://api.example.com",
        300,
    )


@pytest.fixture
def route(respx_mock: respx.MockRouter) -> respx.Route:
    return respx_mock.post(TOKEN_URL).mock(return_value=httpx.Response(200, json=ANSWER))


def test_constructor_is_positional() -> None:
    names = list(inspect.signature(OAuth2ClientCredentials).parameters)
    assert names[:6] == [
        "token_url", "client_id", "client_secret", "scopes", "audience", "refresh_margin"
    ]  # fmt: skip


def test_header_and_form(credentials: Any, route: respx.Route) -> None:
    header = ("Authorization", "Bearer mock_access_token_12345")
    assert call(credentials, "authorization_header") == header
    assert call(credentials, "get_headers") == dict([header])
    assert form(route) == {
        "grant_type": ["client_credentials"],
        "client_id": ["test_client_id"],
        "client_secret": ["test_client_secret"],
        "scope": ["https://api.example.com/.default"],
        "audience": ["https://api.example.com"],
    }


@pytest.mark.parametrize("nothing", [None, [], ""])
def test_no_scope_and_no_audience_field_where_none_is_given(
    kind: Any, route: respx.Route, nothing: Any
) -> None:
    call(kind(TOKEN_URL, "id", "secret", nothing, nothing or None), "get_headers")
    assert form(route).keys() == {"grant_type", "client_id", "client_secret"}


def test_empty_audience_counts_as_none(kind: Any, route: respx.Route) -> None:
    credentials = kind(TOKEN_URL, "id", "secret", audience="")
    call(credentials, "get_headers")
    assert "audience" not in form(route)
    assert credentials.audience is None


def test_scopes_are_joined_by_spaces(kind: Any, route: respx.Route) -> None:
    call(kind(TOKEN_URL, "id", "secret", ["scope1", "scope2", "scope3"]), "get_headers")
    assert b"scope=scope1+scope2+scope3" in route.calls.last.request.content


def test_attributes_are_readable(credentials: Any) -> None:
    assert credentials.token_url == TOKEN_URL
    assert credentials.client_id == "test_client_id"
    assert credentials.client_secret == "test_client_secret"
    assert credentials.scopes == ["https://api.example.com/.default"]
    assert credentials.audience == "https://api.example.com"
    assert credentials.refresh_margin == 300


def test_defaults(kind: Any) -> None:
    credentials = kind(TOKEN_URL, "id", "secret")
    assert (credentials.refresh_margin, credentials.scopes, credentials.audience) == (300, [], None)


def test_token_is_cached(credentials: Any, route: respx.Route) -> None:
    assert call(credentials, "get_headers") == call(credentials, "get_headers")
    assert route.call_count == 1


def test_expired_token_is_replaced(credentials: Any, route: respx.Route, clock: HandClock) -> None:
    credentials._begin(clock.clock)
    call(credentials, "get_headers")
    clock.advance(3601)
    call(credentials, "get_headers")
    assert route.call_count == 2


def test_call_inside_the_margin_returns_the_new_token(
    credentials: Any, route: respx.Route, clock: HandClock
) -> None:
    credentials._begin(clock.clock)
    credentials.refresh_margin = 600
    call(credentials, "get_headers")
    clock.advance(3100)
    route.mock(return_value=httpx.Response(200, json={**ANSWER, "access_token": "new"}))
    assert call(credentials, "get_headers") == {"Authorization": "Bearer new"}


def test_refresh_if_needed_fetches_when_there_is_no_token(
    credentials: Any, route: respx.Route
) -> None:
    assert call(credentials, "refresh_if_needed") is None
    assert call(credentials, "refresh_if_needed") is None
    assert route.call_count == 1


def test_lifetime_is_an_hour_where_the_server_names_none(
    credentials: Any, respx_mock: respx.MockRouter
) -> None:
    answer = {"access_token": "t", "token_type": "Bearer"}
    respx_mock.post(TOKEN_URL).mock(return_value=httpx.Response(200, json=answer))
    assert call(credentials, "token").lifetime == 3600


def test_ten_threads_make_one_request(route: respx.Route) -> None:
    credentials = OAuth2ClientCredentials(TOKEN_URL, "id", "secret")
    headers: list[dict[str, str]] = []
    threads = [
        threading.Thread(target=lambda: headers.append(credentials.get_headers()))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(headers) == 10
    assert all(header == headers[0] for header in headers)
    assert route.call_count == 1


def test_context_manager(route: respx.Route) -> None:
    with OAuth2ClientCredentials(TOKEN_URL, "id", "secret") as credentials:
        assert credentials.get_headers() == {"Authorization": "Bearer mock_access_token_12345"}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(
            httpx.Response(401, text="Unauthorized"),
            "Token request failed with status 401: Unauthorized",
            id="status",
        ),
        pytest.param(
            httpx.Response(400, json={"error": "invalid_scope", "error_description": "Not known."}),
            "Token request failed with status 400: invalid_scope: Not known.",
            id="error of the RFC",
        ),
        pytest.param(
            httpx.Response(200, json={"token_type": "Bearer"}),
            "Invalid token response from server: missing access_token field",
            id="no token",
        ),
        pytest.param(
            httpx.Response(200, text="<html>"), "Invalid token response from server: ", id="HTML"
        ),
        pytest.param(
            httpx.Response(200, json={**ANSWER, "expires_in": "soon"}),
            "Invalid token response from server: ",
            id="no number",
        ),
    ],
)
def test_message_texts(
    credentials: Any, respx_mock: respx.MockRouter, answer: httpx.Response, message: str
) -> None:
    respx_mock.post(TOKEN_URL).mock(return_value=answer)
    with pytest.raises(OAuth2Error) as caught:
        call(credentials, "get_headers")
    assert str(caught.value).startswith(message)


def test_message_text_where_there_is_no_answer(
    credentials: Any, respx_mock: respx.MockRouter, clock: HandClock
) -> None:
    respx_mock.post(TOKEN_URL).mock(side_effect=httpx.ConnectError("Connection failed"))
    credentials._begin(clock.clock)
    with pytest.raises(OAuth2Error, match=r"Token request failed: .*Connection failed"):
        call(credentials, "get_headers")
