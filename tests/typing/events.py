"""Listeners as a user writes them. Type-checked, not run."""

from __future__ import annotations

from typing_extensions import assert_type

from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials, OAuth2Error
from pygen_auth.events import (
    Event,
    HeldTokenUsed,
    TokenInvalidated,
    TokenObtained,
    TokenRequestFailed,
    Waited,
)

URL = "https://auth.example.com/oauth2/token"


def count(event: Event) -> None:
    assert_type(event.token_url, str)
    assert_type(event.client_id, str)
    if isinstance(event, TokenObtained):
        assert_type(event.lifetime, float)
        assert_type(event.request_id, str | None)
    elif isinstance(event, TokenRequestFailed):
        assert_type(event.error, OAuth2Error)
        assert_type(event.attempt, int)
    elif isinstance(event, HeldTokenUsed):
        assert_type(event.seconds_left, float)
    elif isinstance(event, Waited):
        assert_type(event.seconds, float)
    elif isinstance(event, TokenInvalidated):
        assert_type(event.fingerprint, str)


def listening() -> None:
    heard: list[Event] = []
    OAuth2ClientCredentials(URL, "id", "secret", on_event=count, background_refresh=True)
    OAuth2ClientCredentials(URL, "id", "secret", on_event=heard.append)
    AsyncOAuth2ClientCredentials(URL, "id", "secret", on_event=print)
    OAuth2ClientCredentials(URL, "id", "secret", on_event=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def frozen(event: Waited) -> None:
    event.seconds = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
