"""What is special about Entra ID (Azure AD): its numbers, its trace ids, its throttling."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from compat.replay import Shape, credentials_for, replay, shapes
from pygen_auth import RefusedError
from pygen_auth.testing import Answer, AuthorizationServer
from tests.support import HandClock, Twin

OWN = [shape for shape in shapes() if shape.folder == "azure_ad"]
TRACED = [shape for shape in OWN if isinstance(shape.body, Mapping) and "trace_id" in shape.body]
AWAY = [shape for shape in OWN if "retry-after" in shape.header]
TOKEN = Answer(body={"access_token": "next-token", "token_type": "Bearer", "expires_in": 3599})


def named(name: str) -> Shape:
    return next(shape for shape in OWN if shape.id == name)


@pytest.mark.parametrize("shape", TRACED, ids=str)
def test_error_carries_the_trace_id_for_support(
    shape: Shape, twin: Twin, server: AuthorizationServer
) -> None:
    assert isinstance(shape.body, Mapping)
    error = replay(shape, twin, server).error
    assert isinstance(error, RefusedError)
    assert error.trace_id == shape.body["trace_id"]


@pytest.mark.parametrize("shape", TRACED, ids=str)
def test_description_of_many_lines_is_one_short_line(
    shape: Shape, twin: Twin, server: AuthorizationServer
) -> None:
    error = replay(shape, twin, server).error
    assert isinstance(error, RefusedError)
    assert error.description is not None
    assert error.description.startswith("AADSTS")
    assert error.description.isprintable()
    assert len(error.description) <= 200


@pytest.mark.parametrize("shape", AWAY, ids=str)
def test_throttled_client_stays_away_as_long_as_it_is_told(
    shape: Shape, twin: Twin, server: AuthorizationServer
) -> None:
    hand = HandClock()
    server.script(shape.answer)
    server.override = TOKEN
    credentials = credentials_for(twin, server, hand)
    for seconds in (0.0, shape.pause - 1):
        hand.advance(seconds)
        with pytest.raises(RefusedError) as caught:
            twin.token(credentials)
    assert caught.value.retry_after == pytest.approx(1)
    hand.advance(1)
    assert twin.token(credentials) == "next-token"


def test_token_held_while_throttled_stays_in_use(twin: Twin, server: AuthorizationServer) -> None:
    hand = HandClock()
    server.override = TOKEN
    credentials = credentials_for(twin, server, hand)
    twin.token(credentials)
    server.override = named("entra-throttled-client-credentials-429-plain-text").answer
    hand.advance(3400)
    before = server.token_request_count
    assert [twin.token(credentials) for _ in range(3)] == ["next-token"] * 3
    assert server.token_request_count - before == 1


def test_refresh_in_is_advice_that_is_not_taken(twin: Twin, server: AuthorizationServer) -> None:
    shape = named("entra-v2-success-with-refresh-in-long-lived-token-proactive-refresh-hint")
    hand = HandClock()
    server.override = shape.answer
    credentials = credentials_for(twin, server, hand)
    twin.token(credentials)
    before = server.token_request_count
    hand.advance(86399 - 301)
    twin.token(credentials)
    assert server.token_request_count == before
    hand.advance(2)
    twin.token(credentials)
    assert server.token_request_count == before + 1
