"""Tokens that expire, are due, or are revoked while an API that looks at them is being called."""

from __future__ import annotations

import time

from tests.support import HandClock, Twin

from ..cases import POST
from ..clients import LIFETIME, SHORT_LIFETIME
from ..fleet import Server
from .each import ALL, each

REVOCABLE = [facts for facts in ALL if facts.revocation != "no effect"]


@each()
def test_api_refuses_no_call_while_short_tokens_come_and_go(server: Server, twin: Twin) -> None:
    credentials = server.credentials(twin, "short-lived")
    first = twin.token(credentials)
    end = time.monotonic() + SHORT_LIFETIME + 5
    while server.status(first) == 200:
        assert time.monotonic() < end, "the first token does not expire"
        assert server.status(twin.call(credentials, "get_headers")) == 200
        time.sleep(0.1)
    headers = twin.call(credentials, "get_headers")
    assert headers != {"Authorization": f"Bearer {first}"}
    assert server.status(headers) == 200


@each()
def test_token_that_is_due_is_replaced_while_it_is_good(server: Server, twin: Twin) -> None:
    first, second = tokens_apart(server, twin, LIFETIME / 2 + 2)
    assert first != second
    assert (server.status(first), server.status(second)) == (200, 200)


@each()
def test_token_that_is_not_due_is_kept(server: Server, twin: Twin) -> None:
    first, second = tokens_apart(server, twin, LIFETIME / 2 - 2)
    assert first == second


def tokens_apart(server: Server, twin: Twin, seconds: float) -> tuple[str, str]:
    """Two tokens, by a clock that is moved by hand in between."""
    clock = HandClock()
    credentials = server.credentials(twin, POST)
    credentials._begin(clock.clock)
    first = twin.token(credentials)
    clock.advance(seconds)
    return first, twin.token(credentials)


@each(REVOCABLE)
def test_revoked_token_is_replaced_when_the_api_has_refused_it(server: Server, twin: Twin) -> None:
    credentials = server.credentials(twin, POST)
    token = twin.call(credentials, "token")
    assert server.status(twin.call(credentials, "get_headers")) == 200
    server.revoke(POST, token.access_token)
    assert server.status(twin.call(credentials, "get_headers")) == 401
    twin.call(credentials, "invalidate", token)
    assert server.status(twin.call(credentials, "get_headers")) == 200


@each(facts for facts in ALL if facts not in REVOCABLE)
def test_token_that_nobody_asks_about_outlives_its_revocation(server: Server, twin: Twin) -> None:
    token = twin.token(server.credentials(twin, POST))
    server.revoke(POST, token)
    assert server.status(token) == 200
