"""What is special about Auth0: its quotas, its rate limits, and what it says with 403."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from compat.replay import Shape, credentials_for, replay, shapes
from pygen_auth import RefusedError
from pygen_auth.testing import Answer, AuthorizationServer
from tests.support import HandClock, Twin

OWN = [shape for shape in shapes() if shape.folder == "auth0"]
FORBIDDEN = [shape for shape in OWN if shape.status == 403]
QUOTA = next(shape for shape in OWN if shape.id == "auth0-m2m-token-quota-exceeded")
TOKEN = Answer(body={"access_token": "next-token", "token_type": "Bearer", "expires_in": 86400})


@pytest.mark.parametrize("shape", FORBIDDEN, ids=str)
def test_description_of_a_403_comes_out_whole(
    shape: Shape, twin: Twin, server: AuthorizationServer
) -> None:
    assert isinstance(shape.body, Mapping)
    error = replay(shape, twin, server).error
    assert isinstance(error, RefusedError)
    assert error.description == shape.body["error_description"]
    assert str(shape.body["error_description"]) == error.description


def test_exhausted_quota_names_the_whole_wait_to_every_caller(
    twin: Twin, server: AuthorizationServer
) -> None:
    hand = HandClock()
    server.override = QUOTA.answer
    credentials = credentials_for(twin, server, hand)
    for waited in (0, 100):
        hand.advance(waited)
        with pytest.raises(RefusedError) as caught:
            twin.token(credentials)
        assert caught.value.retry_after == pytest.approx(3540 - waited)


def test_exhausted_quota_is_tried_again_after_five_minutes(
    twin: Twin, server: AuthorizationServer
) -> None:
    hand = HandClock()
    server.script(QUOTA.answer)
    server.override = TOKEN
    credentials = credentials_for(twin, server, hand)
    for seconds in (0, 299):
        hand.advance(seconds)
        with pytest.raises(RefusedError):
            twin.token(credentials)
    hand.advance(1)
    assert twin.token(credentials) == "next-token"


def test_rate_limit_without_retry_after_is_waited_for_until_its_reset(
    twin: Twin, server: AuthorizationServer
) -> None:
    hand = HandClock()
    limits = {"x-ratelimit-limit": "30", "x-ratelimit-remaining": "0"}
    reset = {"x-ratelimit-reset": str(int(hand.wall) + 12)}
    server.script(Answer(429, {**limits, **reset}, {"error": "too_many_requests"}))
    server.override = TOKEN
    assert twin.token(credentials_for(twin, server, hand)) == "next-token"
    assert hand.slept == [12.0]


def test_reset_of_a_limit_that_is_not_reached_is_no_pause(
    twin: Twin, server: AuthorizationServer
) -> None:
    hand = HandClock()
    reset = {"x-ratelimit-remaining": "29", "x-ratelimit-reset": str(int(hand.wall) + 200)}
    server.override = Answer(401, reset, {"error": "access_denied"})
    with pytest.raises(RefusedError) as caught:
        twin.token(credentials_for(twin, server, hand))
    assert caught.value.retry_after is not None
    assert caught.value.retry_after <= 1
