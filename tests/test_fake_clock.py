"""The clock of users' tests: what goes by it, and what is as before when it is gone."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from pygen_auth import OAuth2Error, RefusedError, UnreachableError
from pygen_auth._clock import SYSTEM_CLOCK
from pygen_auth.client_auth import PrivateKeyJWT
from pygen_auth.stores import MemoryTokenStore
from pygen_auth.testing import Answer, AuthorizationServer, FakeClock

from .support import HandClock, Twin

MARGIN = 300.0
LIFE = 3600.0


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with AuthorizationServer(lifetime=LIFE) as server:
        server.add_client("app", "s3cret")
        yield server


@pytest.fixture
def credentials(twin: Twin, server: AuthorizationServer) -> Any:
    """Made before the clock is in place."""
    return twin.make(server.token_url, "app", "s3cret", refresh_margin=MARGIN)


def status(server: AuthorizationServer, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(server.resource_url, headers=headers).status_code


def test_it_begins_at_the_present_and_stands_still() -> None:
    before = SYSTEM_CLOCK.now()
    with FakeClock() as clock:
        begun = SYSTEM_CLOCK.now()
        assert before.wall <= begun.wall <= time.time()
        assert (clock.wall, clock.monotonic) == begun
        time.sleep(0.001)
        assert SYSTEM_CLOCK.now() == begun


def test_it_is_advanced_on_both_clocks() -> None:
    with FakeClock() as clock:
        begun = SYSTEM_CLOCK.now()
        clock.advance(90.5)
        assert SYSTEM_CLOCK.now() == begun.after(90.5)


@pytest.mark.parametrize("seconds", [-1, -0.001, math.inf, math.nan])
def test_it_is_not_advanced_by_what_is_no_time(seconds: float) -> None:
    clock = FakeClock()
    before = clock.wall
    with pytest.raises(ValueError, match="not negative"):
        clock.advance(seconds)
    assert clock.wall == before


def test_token_ages_as_the_clock_is_advanced(
    twin: Twin, credentials: Any, server: AuthorizationServer
) -> None:
    with FakeClock() as clock:
        first = twin.token(credentials)
        clock.advance(LIFE - MARGIN - 1)
        assert twin.call(credentials, "get_headers") == {"Authorization": f"Bearer {first}"}
        assert server.token_request_count == 1
        clock.advance(1)
        assert twin.call(credentials, "get_headers") != {"Authorization": f"Bearer {first}"}


def test_token_that_is_held_already_stays_and_ages(
    twin: Twin, credentials: Any, server: AuthorizationServer
) -> None:
    first = twin.call(credentials, "get_headers")
    with FakeClock() as clock:
        assert twin.call(credentials, "get_headers") == first
        assert server.token_request_count == 1
        clock.advance(LIFE)
        assert twin.call(credentials, "get_headers") != first


def test_credentials_made_meanwhile_go_by_it(twin: Twin, server: AuthorizationServer) -> None:
    with FakeClock() as clock:
        credentials = twin.make(server.token_url, "app", "s3cret")
        assert twin.call(credentials, "token").expires_at == clock.wall + LIFE


def test_waits_between_attempts_are_told_and_take_no_time(
    twin: Twin, credentials: Any, server: AuthorizationServer
) -> None:
    server.script(Answer(503, {"Retry-After": "14"}), Answer(reset="before"))
    began = time.monotonic()
    with FakeClock() as clock:
        start = clock.wall
        twin.token(credentials)
        assert clock.slept[0] == 14
        assert len(clock.slept) == 2
        assert clock.wall == pytest.approx(start + sum(clock.slept))
    assert time.monotonic() - began < 14


def test_wait_in_an_event_loop_lets_other_tasks_go_on() -> None:
    order: list[str] = []

    async def other() -> None:
        order.append("other")

    async def main() -> None:
        task = asyncio.ensure_future(other())
        await SYSTEM_CLOCK.sleep_in_loop(60)
        order.append("slept")
        await task

    with FakeClock():
        asyncio.run(main())
    assert order == ["other", "slept"]


def test_call_whose_time_is_over_says_so(twin: Twin, server: AuthorizationServer) -> None:
    def secret() -> str:
        clock.advance(60)  # the machine slept
        return "s3cret"

    credentials = twin.make(server.token_url, "app", secret, timeout=30)
    with FakeClock() as clock, pytest.raises(UnreachableError, match="within 0 s"):
        twin.token(credentials)


def test_pause_after_a_failure_passes(
    twin: Twin, credentials: Any, server: AuthorizationServer
) -> None:
    with FakeClock() as clock:
        server.override = Answer(503)
        for _ in range(2):
            with pytest.raises(RefusedError, match="503"):
                twin.token(credentials)
        assert server.token_request_count == 3
        server.override = None
        clock.advance(30)
        assert twin.token(credentials)


def test_the_resource_refuses_a_token_that_has_expired_by_it(server: AuthorizationServer) -> None:
    with FakeClock() as clock:
        token = Twin("sync").make(server.token_url, "app", "s3cret").token().access_token
        clock.advance(LIFE - 1)
        assert status(server, token) == 200
        clock.advance(1)
        assert status(server, token) == 401


def test_the_resource_takes_a_token_from_before_as_long_as_it_has_left(
    server: AuthorizationServer,
) -> None:
    token = Twin("sync").make(server.token_url, "app", "s3cret").token().access_token
    with FakeClock() as clock:
        clock.advance(LIFE - 60)
        assert status(server, token) == 200
        clock.advance(60)
        assert status(server, token) == 401


def test_token_requests_are_recorded_at_its_times(
    twin: Twin, credentials: Any, server: AuthorizationServer
) -> None:
    with FakeClock() as clock:
        twin.token(credentials)
        clock.advance(LIFE)
        twin.token(credentials)
    first, second = server.token_requests
    assert second.at - first.at == pytest.approx(LIFE)


KEY = ECKey.generate_key("P-256")


def test_the_server_takes_assertions_of_its_time(twin: Twin, server: AuthorizationServer) -> None:
    server.add_client("signer", public_key=KEY.as_pem(private=False))
    key = PrivateKeyJWT(KEY.as_pem(private=True))
    credentials = twin.make(server.token_url, "signer", client_auth=key)
    with FakeClock() as clock:
        for _ in range(3):
            clock.advance(100_000)
            assert status(server, twin.token(credentials)) == 200


def test_the_server_refuses_an_assertion_that_has_expired_by_it(
    server: AuthorizationServer,
) -> None:
    server.add_client("signer", public_key=KEY.as_pem(private=False))
    about = {"iss": "signer", "sub": "signer", "aud": server.token_url, "jti": str(uuid.uuid4())}
    assertion = jwt.encode({"alg": "ES256"}, {**about, "exp": int(time.time()) + 600}, KEY)
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    proof = {"client_assertion_type": kind, "client_assertion": assertion}
    form = {"grant_type": "client_credentials", "client_id": "signer", **proof}
    with FakeClock() as clock:
        clock.advance(3600)
        answer = httpx.post(server.token_url, data=form)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_store_forgets_by_it() -> None:
    store = MemoryTokenStore()
    with FakeClock() as clock:
        store.save("key", b"value", 60)
        clock.advance(59)
        assert store.load("key") == b"value"
        clock.advance(1)
        assert store.load("key") is None


def test_wall_clock_can_be_set_back(twin: Twin, credentials: Any) -> None:
    with FakeClock() as clock:
        first = twin.token(credentials)
        clock.wall -= 86_400
        assert twin.token(credentials) == first
        clock.advance(LIFE)
        assert twin.token(credentials) != first


def test_real_time_is_back_at_the_end_of_a_test_that_fails() -> None:
    def fails() -> None:
        with FakeClock() as clock:
            clock.advance(1e6)
            raise ZeroDivisionError

    before = vars(SYSTEM_CLOCK).copy()
    with pytest.raises(ZeroDivisionError):
        fails()
    assert vars(SYSTEM_CLOCK) == before


def test_real_time_is_back_for_the_server(server: AuthorizationServer) -> None:
    credentials = Twin("sync").make(server.token_url, "app", "s3cret")
    with FakeClock() as clock:
        clock.advance(1e6)
    assert status(server, credentials.token().access_token) == 200
    assert server.token_requests[0].at <= time.monotonic()


def test_tokens_of_another_time_are_dropped_at_the_end(
    twin: Twin, credentials: Any, server: AuthorizationServer
) -> None:
    with FakeClock() as clock:
        clock.advance(1e6)
        first = twin.token(credentials)
    token = twin.call(credentials, "token")
    assert token.access_token != first
    assert token.expires_at <= time.time() + LIFE


def test_failures_of_another_time_are_dropped_at_the_end(
    twin: Twin, credentials: Any, server: AuthorizationServer
) -> None:
    with FakeClock() as clock:
        clock.advance(1e6)
        server.override = Answer(503)
        with pytest.raises(OAuth2Error):
            twin.token(credentials)
        server.override = None
    assert twin.token(credentials)


def test_the_outer_clock_is_back_after_the_inner_one() -> None:
    with FakeClock() as outer:
        with FakeClock() as inner:
            assert inner.wall == outer.wall
            inner.advance(100)
        assert SYSTEM_CLOCK.now() == (outer.wall, outer.monotonic)


def test_a_clock_within_itself_goes_on_until_the_outer_end() -> None:
    clock = FakeClock()
    with clock:
        with clock:
            clock.advance(100)
        assert SYSTEM_CLOCK.now() == (clock.wall, clock.monotonic)
    assert SYSTEM_CLOCK.wall is time.time


def test_a_clock_that_is_used_again_begins_at_the_present() -> None:
    clock = FakeClock()
    with clock:
        clock.advance(1e6)
    before = time.time()
    with clock:
        assert before <= clock.wall <= time.time()


def test_credentials_with_a_clock_of_their_own_are_left_alone(
    twin: Twin, credentials: Any, server: AuthorizationServer, clock: HandClock
) -> None:
    credentials._begin(clock.clock)
    first = twin.token(credentials)
    with FakeClock() as other:
        other.advance(LIFE)
        assert twin.token(credentials) == first
    assert twin.token(credentials) == first
