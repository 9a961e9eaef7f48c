"""What is special about Okta: limits that name the second they end, and errors of its API."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from compat.replay import Shape, credentials_for, replay, shapes
from pygen_auth import InvalidResponseError, RefusedError
from pygen_auth.testing import Answer, AuthorizationServer
from tests.support import HandClock, Twin

OWN = [shape for shape in shapes() if shape.folder == "okta"]
OF_THE_API = [shape for shape in OWN if isinstance(shape.body, Mapping) and "errorId" in shape.body]
LIMITED = next(s for s in OWN if s.id == "okta-rate-limited-api-error-shape-no-retry-after")
TOKEN = Answer(body={"access_token": "next-token", "token_type": "Bearer", "expires_in": 3600})


def limited(clock: HandClock, seconds: int) -> Answer:
    """The limit ends in so many seconds."""
    headers = {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": str(int(clock.wall) + seconds)}
    return Answer(429, headers, LIMITED.body)


@pytest.mark.parametrize("shape", OF_THE_API, ids=str)
def test_error_of_the_api_carries_its_text_and_its_id_for_support(
    shape: Shape, twin: Twin, server: AuthorizationServer
) -> None:
    assert isinstance(shape.body, Mapping)
    error = replay(shape, twin, server).error
    assert isinstance(error, RefusedError)
    assert error.description == shape.body["errorSummary"]
    assert error.trace_id == shape.body["errorId"]


def test_rate_limit_that_ends_in_time_is_waited_for(
    twin: Twin, server: AuthorizationServer
) -> None:
    hand = HandClock()
    server.script(limited(hand, 20))
    server.override = TOKEN
    assert twin.token(credentials_for(twin, server, hand)) == "next-token"
    assert hand.slept == [20.0]


def test_rate_limit_that_ends_too_late_is_an_error_that_says_when(
    twin: Twin, server: AuthorizationServer
) -> None:
    hand = HandClock()
    server.override = limited(hand, 45)
    before = server.token_request_count
    with pytest.raises(RefusedError) as caught:
        twin.token(credentials_for(twin, server, hand))
    assert server.token_request_count - before == 1
    assert (caught.value.retryable, caught.value.retry_after) == (True, 45.0)


def test_reset_that_lies_in_the_past_is_no_pause(twin: Twin, server: AuthorizationServer) -> None:
    hand = HandClock()
    server.script(limited(hand, -5))
    server.override = TOKEN
    assert twin.token(credentials_for(twin, server, hand)) == "next-token"
    assert sum(hand.slept) <= 1


def test_token_is_kept_while_a_later_request_is_limited(
    twin: Twin, server: AuthorizationServer
) -> None:
    hand = HandClock()
    server.override = TOKEN
    credentials = credentials_for(twin, server, hand)
    twin.token(credentials)
    hand.advance(3400)
    server.override = limited(hand, 60)
    assert twin.token(credentials) == "next-token"


def test_unavailable_with_400_is_tried_again(twin: Twin, server: AuthorizationServer) -> None:
    server.script(Answer(400, {}, {"error": "temporarily_unavailable"}))
    server.override = TOKEN
    assert twin.token(credentials_for(twin, server, HandClock())) == "next-token"


def test_client_that_must_prove_possession_is_refused(
    twin: Twin, server: AuthorizationServer
) -> None:
    server.override = Answer(400, {"dpop-nonce": "n0nce"}, {"error": "use_dpop_nonce"})
    with pytest.raises(RefusedError) as caught:
        twin.token(credentials_for(twin, server, HandClock()))
    assert (caught.value.error, caught.value.retryable) == ("use_dpop_nonce", False)


def test_token_bound_to_a_key_is_not_taken_for_bearer(
    twin: Twin, server: AuthorizationServer
) -> None:
    bound = {"access_token": "bound-token", "token_type": "DPoP", "expires_in": 3600}
    server.override = Answer(body=bound)
    with pytest.raises(InvalidResponseError, match="DPoP"):
        twin.token(credentials_for(twin, server, HandClock()))
