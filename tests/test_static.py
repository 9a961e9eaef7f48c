"""Credentials for tests that need no network."""

from __future__ import annotations

import pickle
import socket
from typing import Any, NoReturn

import pytest
import respx

from pygen_auth import ConfigurationError
from pygen_auth.events import Event, TokenInvalidated, TokenObtained
from pygen_auth.testing import async_static, static

from .support import HandClock, Twin

MAKE: dict[str, Any] = {"sync": static, "async": async_static}


@pytest.fixture
def make(twin: Twin) -> Any:
    return MAKE[twin.name]


def header(twin: Twin, credentials: Any) -> str:
    return str(twin.call(credentials, "get_headers")["Authorization"])


def test_token_is_had_without_a_network(
    twin: Twin, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unplugged(*_: object) -> NoReturn:
        raise AssertionError("something goes out")

    monkeypatch.setattr(socket.socket, "connect", unplugged)
    monkeypatch.setattr(socket, "getaddrinfo", unplugged)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert header(twin, make("t0ken")) == "Bearer t0ken"


def test_token_can_be_left_out(twin: Twin, make: Any) -> None:
    assert header(twin, make()) == "Bearer static-token"


def test_mock_of_httpx_sees_no_token_request(twin: Twin, make: Any) -> None:
    with respx.mock() as router:
        assert header(twin, make("t0ken")) == "Bearer t0ken"
    assert not router.calls


def test_they_are_credentials_as_any_other(twin: Twin, make: Any) -> None:
    events: list[Event] = []
    credentials = make("t0ken", on_event=events.append)
    assert type(credentials) is twin.kind
    token = twin.call(credentials, "token")
    assert (token.access_token, token.lifetime) == ("t0ken", 3600)
    twin.call(credentials, "invalidate", token)
    assert [type(event) for event in events] == [TokenObtained, TokenInvalidated]


def test_token_stays_whatever_happens(twin: Twin, make: Any, clock: HandClock) -> None:
    credentials = make("t0ken")
    credentials._begin(clock.clock)
    for _ in range(4):
        assert header(twin, credentials) == "Bearer t0ken"
        twin.call(credentials, "invalidate", "t0ken")
        assert header(twin, credentials) == "Bearer t0ken"
        clock.advance(4000)
    twin.call(credentials, "close")
    assert header(twin, credentials) == "Bearer t0ken"


def test_settings_can_be_those_that_the_code_reads(make: Any) -> None:
    assert make().token_url == "https://static.invalid/oauth2/token"
    credentials = make("t0ken", token_url="https://idp.example.com/token", scopes="read write")
    assert credentials.token_url == "https://idp.example.com/token"
    assert credentials.scopes == ["read", "write"]


def test_another_client_is_refused(make: Any) -> None:
    with pytest.raises(TypeError, match="client"):
        make("t0ken", client=object())


@pytest.mark.parametrize("token", ["", "a b", "Bearer abc", "a\r\nb"])
def test_token_that_no_header_may_hold_is_refused_at_once(make: Any, token: str) -> None:
    with pytest.raises(ConfigurationError, match="token must be"):
        make(token)


def test_pickle_has_the_same_token(twin: Twin, make: Any) -> None:
    assert header(twin, pickle.loads(pickle.dumps(make("t0ken")))) == "Bearer t0ken"


def test_repr_shows_no_token(make: Any) -> None:
    assert "t0ken" not in repr(make("t0ken"))
