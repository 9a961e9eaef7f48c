"""`on_event`: what a listener hears, and that it can break nothing. Also the id of a request."""

from __future__ import annotations

import asyncio
import logging
import pickle
import threading
from typing import Any

import httpx
import pytest

import pygen_auth
from pygen_auth import ConfigurationError, OAuth2Error, RefusedError, UnreachableError, events
from pygen_auth._wire import REQUEST_ID, Request, Response
from pygen_auth.events import (
    Event,
    HeldTokenUsed,
    TokenInvalidated,
    TokenObtained,
    TokenRequestFailed,
    Waited,
)
from pygen_auth.testing import AuthorizationServer

from .support import (
    SECRET,
    TOKEN_URL,
    UNAVAILABLE,
    WRONG_SECRET,
    Endpoint,
    HandClock,
    Twin,
    granted,
    in_threads,
)

WHOSE = (TOKEN_URL, "the-client")
DOWN = UnreachableError("no answer", retryable=True)


@pytest.fixture
def heard() -> list[Event]:
    return []


# -- what is heard


def test_token_obtained(twin: Twin, clock: HandClock, heard: list[Event]) -> None:
    def slow(request: Request) -> Response:
        clock.advance(0.5)
        return granted("tok-1", expires_in=60)

    endpoint = Endpoint(slow)
    credentials = twin.scripted(endpoint, clock, on_event=heard.append)
    token = twin.call(credentials, "token")
    request_id = endpoint.requests[0].id
    assert heard == [TokenObtained(*WHOSE, token.fingerprint, 60.0, 0.5, 1, request_id)]


def test_fresh_token_makes_no_event(twin: Twin, clock: HandClock, heard: list[Event]) -> None:
    credentials = twin.scripted(Endpoint(), clock, on_event=heard.append)
    for _ in range(5):
        twin.token(credentials)
        twin.call(credentials, "get_headers")
    assert len(heard) == 1


def test_each_failed_request_of_a_call(twin: Twin, clock: HandClock, heard: list[Event]) -> None:
    credentials = twin.scripted(Endpoint(UNAVAILABLE, DOWN), clock, on_event=heard.append)
    twin.token(credentials)
    first, second, third = heard
    assert isinstance(first, TokenRequestFailed)
    assert isinstance(first.error, RefusedError)
    assert isinstance(second, TokenRequestFailed)
    assert isinstance(second.error, UnreachableError)
    assert isinstance(third, TokenObtained)
    assert [first.attempt, second.attempt, third.attempt] == [1, 2, 3]


def test_failed_refresh_and_the_held_token(
    twin: Twin, clock: HandClock, heard: list[Event]
) -> None:
    credentials = twin.scripted(Endpoint(granted(), UNAVAILABLE), clock, on_event=heard.append)
    token = twin.call(credentials, "token")
    clock.advance(3400)
    twin.token(credentials)
    assert [type(event) for event in heard[1:]] == [TokenRequestFailed, HeldTokenUsed]
    assert heard[2] == HeldTokenUsed(*WHOSE, token.fingerprint, 200.0)


def test_refusal_is_told_once_where_the_source_gives_nothing_else(
    twin: Twin, clock: HandClock, heard: list[Event]
) -> None:
    credentials = twin.scripted(
        Endpoint(WRONG_SECRET), clock, client_secret=lambda: SECRET, on_event=heard.append
    )
    with pytest.raises(RefusedError):
        twin.token(credentials)
    assert [type(event) for event in heard] == [TokenRequestFailed]


def test_invalidated_token(twin: Twin, clock: HandClock, heard: list[Event]) -> None:
    credentials = twin.scripted(Endpoint(), clock, on_event=heard.append)
    token = twin.call(credentials, "token")
    twin.call(credentials, "invalidate", token)
    twin.call(credentials, "invalidate", token)
    twin.call(credentials, "invalidate", "another")
    assert heard[1:] == [TokenInvalidated(*WHOSE, token.fingerprint)]


def test_callers_that_wait_say_how_long(twin: Twin, heard: list[Event]) -> None:
    with AuthorizationServer() as server:
        server.delay = 0.2
        server.add_client("the-client", SECRET)
        credentials = twin.make(server.token_url, "the-client", SECRET, on_event=heard.append)
        twin.herd(credentials, 8)
    waits = [event.seconds for event in heard if isinstance(event, Waited)]
    assert len(waits) == 7
    assert all(0 < seconds < 30 for seconds in waits)


def test_caller_beside_a_refresh_uses_the_held_token(clock: HandClock, heard: list[Event]) -> None:
    twin = Twin("sync")
    beside: list[str] = []

    def during(request: Request) -> Response:
        beside.extend(in_threads([lambda: twin.token(credentials)]))
        return granted("second")

    credentials = twin.scripted(Endpoint(granted("first"), during), clock, on_event=heard.append)
    twin.token(credentials)
    clock.advance(3400)
    twin.token(credentials)
    assert beside == ["first"]
    assert [type(event) for event in heard[1:]] == [HeldTokenUsed, TokenObtained]


KINDS = [kind for kind in vars(events).values() if isinstance(kind, type) and Event in kind.mro()]


@pytest.mark.parametrize("kind", KINDS)
def test_event_is_a_frozen_value(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert kind.__doc__


def test_no_event_shows_a_secret_or_a_token(
    twin: Twin, clock: HandClock, heard: list[Event]
) -> None:
    script = granted("tok-secret"), UNAVAILABLE, granted("tok-secret-2")
    credentials = twin.scripted(
        Endpoint(*script), clock, token_url=f"{TOKEN_URL}?code={SECRET}", on_event=heard.append
    )
    twin.token(credentials)
    clock.advance(3400)
    twin.token(credentials)
    twin.call(credentials, "invalidate", "tok-secret")
    twin.token(credentials)
    assert len(heard) == 5
    for event in heard:
        assert SECRET not in repr(event)
        assert "tok-secret" not in repr(event)


# -- what a listener cannot break


def test_listener_that_raises_is_logged_and_goes_no_further(
    twin: Twin, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> None:
        raise ZeroDivisionError

    credentials = twin.scripted(Endpoint(granted(), UNAVAILABLE), clock, on_event=broken)
    assert twin.token(credentials) == "tok-1"
    clock.advance(3400)
    assert twin.token(credentials) == "tok-1"
    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert errors == [
        "on_event failed with TokenObtained",
        "on_event failed with TokenRequestFailed",
        "on_event failed with HeldTokenUsed",
    ]


def test_listener_may_use_the_credentials(twin: Twin, clock: HandClock) -> None:
    used: list[Any] = []

    def listener(event: Event) -> None:
        # As an exporter does that sends its figures with these very credentials.
        if twin.asynchronous:
            used.extend(in_threads([lambda: twin.token(credentials)]))
        else:
            used.append(twin.token(credentials))

    credentials = twin.scripted(Endpoint(), clock, on_event=listener)
    twin.token(credentials)
    assert used == ["tok-1"]


@pytest.mark.parametrize("background", [False, True])
def test_listener_that_asks_for_a_due_token_is_told_once(
    clock: HandClock, heard: list[Event], background: bool
) -> None:
    def listener(event: Event) -> None:
        heard.append(event)
        credentials.token()

    credentials = Twin("sync").scripted(
        Endpoint(granted(), UNAVAILABLE), clock, on_event=listener, background_refresh=background
    )
    credentials.token()
    clock.advance(3400)
    credentials.token()
    threads = [t for t in threading.enumerate() if t.name == "pygen-auth refresh"]
    for thread in threads:
        thread.join(30)
    kinds = sorted({type(event).__name__ for event in heard})
    assert kinds == ["HeldTokenUsed", "TokenObtained", "TokenRequestFailed"]
    assert len(heard) == (4 if background else 3)


def test_caller_after_a_listener_is_told_of(twin: Twin, clock: HandClock) -> None:
    heard: list[Event] = []
    credentials = twin.scripted(Endpoint(), clock, on_event=heard.append)
    for _ in range(2):
        twin.token(credentials)
        clock.advance(3600)
    assert [type(event) for event in heard] == [TokenObtained] * 2


def test_listener_of_a_wait_that_interrupts_leaves_the_lock_free(clock: HandClock) -> None:
    async def main() -> str:
        answered = asyncio.Event()

        async def late(request: Request) -> Response:
            await answered.wait()
            return granted("tok-1")

        credentials._send = late
        calls = [asyncio.ensure_future(credentials.token()) for _ in range(2)]
        for _ in range(3):
            await asyncio.sleep(0)
        answered.set()
        first, second = await asyncio.gather(*calls, return_exceptions=True)
        assert not isinstance(first, BaseException)
        assert first.access_token == "tok-1"
        assert isinstance(second, asyncio.CancelledError)
        clock.advance(3600)
        return str((await asyncio.wait_for(credentials.token(), 10)).access_token)

    def listener(event: Event) -> None:
        if isinstance(event, Waited):
            raise asyncio.CancelledError

    credentials = Twin("async").scripted(Endpoint(), clock, on_event=listener)
    assert asyncio.run(main()) == "tok-1"


def test_refused_token_on_probation_is_not_told_each_time(
    twin: Twin, clock: HandClock, heard: list[Event]
) -> None:
    credentials = twin.scripted(
        Endpoint(granted("same"), granted("same")), clock, on_event=heard.append
    )
    for _ in range(10):
        twin.call(credentials, "invalidate", twin.token(credentials))
    assert [type(event) for event in heard].count(TokenInvalidated) == 1


def test_token_that_another_caller_has_just_obtained_is_no_held_one(
    clock: HandClock, heard: list[Event]
) -> None:
    twin = Twin("sync")
    credentials = twin.scripted(Endpoint(), clock, on_event=heard.append)
    seen, now = credentials._lease, clock.now()
    twin.token(credentials)
    assert credentials._out_of_turn(seen, now).access_token == "tok-1"
    assert [type(event) for event in heard] == [TokenObtained]


def test_listener_with_an_asynchronous_call_is_refused(twin: Twin) -> None:
    class Listener:
        async def __call__(self, event: Event) -> None:
            raise AssertionError

    with pytest.raises(ConfigurationError, match="this one is asynchronous"):
        twin.make(on_event=Listener())


def test_listener_of_a_wait_may_use_the_credentials() -> None:
    used: list[str] = []

    def listener(event: Event) -> None:
        if isinstance(event, Waited):
            used.append(credentials.token().access_token)

    twin = Twin("sync")
    with AuthorizationServer() as server:
        server.delay = 0.2
        server.add_client("the-client", SECRET)
        credentials = twin.make(
            server.token_url, "the-client", SECRET, timeout=20, on_event=listener
        )
        results = twin.herd(credentials, 3)
    assert all(isinstance(result, dict) for result in results)
    assert len(used) == 2


@pytest.mark.parametrize("value", [1, "print", object()])
def test_what_cannot_be_called_is_refused(twin: Twin, value: object) -> None:
    with pytest.raises(ConfigurationError, match="on_event must be a callable"):
        twin.make(on_event=value)


def test_asynchronous_listener_is_refused(twin: Twin) -> None:
    async def listener(event: Event) -> None:
        raise AssertionError

    with pytest.raises(ConfigurationError, match="this one is asynchronous"):
        twin.make(on_event=listener)


def test_listener_is_pickled_by_name(twin: Twin) -> None:
    assert pickle.loads(pickle.dumps(twin.make(on_event=print)))._on_event is print


# -- who asks, and the id of a request


@pytest.mark.parametrize("own", ["my-extractor/7", None])
def test_request_says_who_asks_after_what_the_client_says(twin: Twin, own: str | None) -> None:
    def client() -> httpx.Client:
        made = httpx.Client(headers={"User-Agent": own or ""})
        if own is None:
            del made.headers["User-Agent"]
        return made

    with AuthorizationServer() as server:
        server.add_client("the-client", SECRET)
        for setting in (client, None):
            twin.token(twin.make(server.token_url, "the-client", SECRET, client=setting))
        agents = [request.headers["user-agent"] for request in server.token_requests]
    ours = f"pygen-auth/{pygen_auth.__version__}"
    assert agents == [f"{ours} {own}" if own else ours, f"{ours} python-httpx/{httpx.__version__}"]


def test_each_request_has_an_id_of_its_own(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(UNAVAILABLE, UNAVAILABLE)
    twin.token(twin.scripted(endpoint, clock))
    ids = {request.headers[REQUEST_ID] for request in endpoint.requests}
    assert len(ids) == 3


@pytest.mark.parametrize("failure", [WRONG_SECRET, Response(200, {}, b"<html>")])
def test_error_has_the_id_of_the_request_that_failed(
    twin: Twin, clock: HandClock, failure: Response
) -> None:
    endpoint = Endpoint(failure)
    credentials = twin.scripted(endpoint, clock)
    with pytest.raises(OAuth2Error) as caught:
        twin.token(credentials)
    assert caught.value.request_id == endpoint.requests[0].id
    assert str(caught.value).endswith(f"[client-request-id {endpoint.requests[0].id}]")


def test_error_of_no_answer_has_the_id_too(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(DOWN, DOWN, DOWN)
    credentials = twin.scripted(endpoint, clock)
    with pytest.raises(UnreachableError) as caught:
        twin.token(credentials)
    assert caught.value.request_id == endpoint.requests[-1].id


def test_failure_that_stands_has_the_id_and_survives_a_pickle(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET)
    credentials = twin.scripted(endpoint, clock)
    for _ in range(2):
        with pytest.raises(RefusedError) as caught:
            twin.token(credentials)
        sent = pickle.loads(pickle.dumps(caught.value))
        assert sent.request_id == endpoint.requests[0].id


def test_error_without_a_request_has_no_id(twin: Twin, clock: HandClock) -> None:
    def no_secret() -> str:
        raise OSError

    credentials = twin.scripted(Endpoint(), clock, client_secret=no_secret)
    with pytest.raises(ConfigurationError) as caught:
        twin.token(credentials)
    assert caught.value.request_id is None
    assert "client-request-id" not in str(caught.value)


def test_discovery_sends_an_id_and_its_error_shows_it(twin: Twin) -> None:
    def discover(issuer: str) -> None:
        found: Any = twin.kind.discover(issuer, "the-client", SECRET)
        if twin.asynchronous:
            asyncio.run(found)

    with AuthorizationServer() as server:
        server.documents.clear()
        with pytest.raises(RefusedError) as caught:
            discover(server.issuer)
    assert caught.value.request_id is not None
