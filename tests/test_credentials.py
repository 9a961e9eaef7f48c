"""The life of a token, for both twins: a clock moved by hand, scripted answers, no waiting."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import logging
import os
import pickle
import ssl
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

import pygen_auth
from pygen_auth import (
    AsyncCredentials,
    AsyncOAuth2ClientCredentials,
    ConfigurationError,
    Credentials,
    InvalidResponseError,
    OAuth2ClientCredentials,
    OAuth2Error,
    RefusedError,
    Token,
    UnreachableError,
    _async_credentials,
    _credentials,
    _interface,
)
from pygen_auth._grant import Grant
from pygen_auth._keeper import GRACE
from pygen_auth._token import Lease
from pygen_auth._wire import Request, Response
from pygen_auth._worker import LoopLock

from .support import (
    SECRET,
    TOKEN_URL,
    UNAVAILABLE,
    WRONG_SECRET,
    Endpoint,
    HandClock,
    Twin,
    answer,
    granted,
    in_threads,
    take_elsewhere,
)

# -- the four ways to ask


def test_headers_hold_the_token(twin: Twin, clock: HandClock) -> None:
    credentials = twin.scripted(Endpoint(), clock)
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-1"}
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-1"}
    assert twin.call(credentials, "authorization_header") == ("Authorization", "Bearer tok-1")


def test_headers_are_a_new_dict_each_time(twin: Twin, clock: HandClock) -> None:
    credentials = twin.scripted(Endpoint(), clock)
    twin.call(credentials, "get_headers")["Authorization"] = "spoilt"
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-1"}


def test_fresh_token_is_not_fetched_again(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint()
    credentials = twin.scripted(endpoint, clock)
    for _ in range(3):
        twin.call(credentials, "refresh_if_needed")
        clock.advance(1000)
    assert endpoint.count == 1


def test_token_says_when_it_expires(twin: Twin, clock: HandClock) -> None:
    token: Token = twin.call(twin.scripted(Endpoint(), clock), "token")
    assert token.expires_at == clock.wall + 3600


def test_latency_does_not_make_a_token_younger(twin: Twin, clock: HandClock) -> None:
    def slow(request: Request) -> Response:
        clock.advance(8)
        return granted(expires_in=60)

    before = clock.wall
    token: Token = twin.call(twin.scripted(Endpoint(slow), clock), "token")
    assert token.expires_at == before + 60


def test_call_inside_the_margin_returns_the_new_token(twin: Twin, clock: HandClock) -> None:
    credentials = twin.scripted(Endpoint(), clock)
    twin.token(credentials)
    clock.advance(3300)
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-2"}


def test_five_second_token_is_fetched_twice_in_its_life(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(*(granted(f"t{n}", expires_in=5) for n in range(9)))
    credentials = twin.scripted(endpoint, clock)
    for _ in range(100):
        twin.token(credentials)
        clock.advance(0.05)
    assert endpoint.count == 2


def test_margin_assigned_later_counts_at_once(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint()
    credentials = twin.scripted(endpoint, clock)
    twin.token(credentials)
    clock.advance(3000)
    credentials.refresh_margin = 600
    assert credentials.refresh_margin == 600
    assert twin.token(credentials) == "tok-2"


def test_fresh_token_is_handed_out_without_a_lock(twin: Twin, clock: HandClock) -> None:
    credentials = twin.scripted(Endpoint(), clock)
    twin.token(credentials)
    if not twin.asynchronous:
        assert credentials._lock.acquire()
    take_elsewhere(credentials._swap_lock)
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-1"}


# -- failures


def test_failed_refresh_keeps_the_held_token(
    twin: Twin, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = Endpoint(granted(), UNAVAILABLE)
    credentials = twin.scripted(endpoint, clock)
    twin.token(credentials)
    clock.advance(3300)
    assert [twin.token(credentials) for _ in range(5)] == ["tok-1"] * 5
    assert endpoint.count == 2, "one attempt, then a pause"
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "stays in use for up to 300 s" in warnings[0]
    assert "status 503" in warnings[0]


def test_restored_server_is_used_after_the_pause(twin: Twin, clock: HandClock) -> None:
    credentials = twin.scripted(Endpoint(granted(), UNAVAILABLE), clock)
    twin.token(credentials)
    clock.advance(3300)
    twin.token(credentials)
    clock.advance(1)
    assert twin.token(credentials) == "tok-3"


def test_outage_inside_the_margin_costs_few_requests_and_no_call(
    twin: Twin, clock: HandClock
) -> None:
    endpoint = Endpoint(granted(), *[UNAVAILABLE] * 100)
    credentials = twin.scripted(endpoint, clock)
    twin.token(credentials)
    clock.advance(3300)
    for _ in range(600):
        assert twin.token(credentials) == "tok-1"
        clock.advance(0.1)
    assert endpoint.count - 1 <= 10


def test_wrong_secret_inside_the_margin_keeps_the_held_token(twin: Twin, clock: HandClock) -> None:
    credentials = twin.scripted(Endpoint(granted(), WRONG_SECRET), clock)
    twin.token(credentials)
    clock.advance(3300)
    assert twin.token(credentials) == "tok-1"


def test_token_that_expires_while_its_refresh_fails_is_not_handed_out(
    twin: Twin, clock: HandClock
) -> None:
    def slow_failure(request: Request) -> Response:
        clock.advance(20)
        return UNAVAILABLE

    credentials = twin.scripted(Endpoint(granted(), slow_failure), clock)
    twin.token(credentials)
    clock.advance(3590)
    assert twin.token(credentials) == "tok-3", "a retry within the same call"


def test_without_a_token_three_attempts_are_made(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(UNAVAILABLE, UNAVAILABLE)
    assert twin.token(twin.scripted(endpoint, clock)) == "tok-3"
    assert len(clock.slept) == 2


def test_fourth_attempt_is_not_made(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(*[UNAVAILABLE] * 9)
    credentials = twin.scripted(endpoint, clock)
    with pytest.raises(RefusedError) as caught:
        twin.token(credentials)
    assert endpoint.count == 3
    assert caught.value.retryable
    assert caught.value.retry_after is not None
    assert 0.5 <= caught.value.retry_after <= 1.0


def test_permanent_refusal_is_not_retried(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET)
    with pytest.raises(RefusedError, match="status 401"):
        twin.token(twin.scripted(endpoint, clock))
    assert endpoint.count == 1


def test_each_attempt_gets_half_of_what_is_left(twin: Twin, clock: HandClock) -> None:
    def never(request: Request) -> Response:
        clock.advance(request.timeout)
        raise UnreachableError("Token request failed: no answer", retryable=True)

    endpoint = Endpoint(never, never, never)
    start = clock.monotonic
    with pytest.raises(UnreachableError):
        twin.token(twin.scripted(endpoint, clock, timeout=20))
    assert endpoint.requests[0].timeout == pytest.approx(10)
    assert endpoint.requests[1].timeout <= 5
    assert clock.monotonic - start <= 20


def test_retry_after_is_honoured_between_attempts(twin: Twin, clock: HandClock) -> None:
    busy = answer(429, headers={"retry-after": "7"})
    assert twin.token(twin.scripted(Endpoint(busy), clock)) == "tok-2"
    assert clock.slept == [7]


def test_retry_after_that_does_not_fit_raises_at_once(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(answer(429, headers={"retry-after": "3600"}))
    with pytest.raises(RefusedError) as caught:
        twin.token(twin.scripted(endpoint, clock))
    assert endpoint.count == 1
    assert caught.value.retry_after == 3600


def test_calls_inside_the_pause_get_the_same_failure_at_once(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(WRONG_SECRET)
    credentials = twin.scripted(endpoint, clock)
    with pytest.raises(RefusedError) as first:
        twin.token(credentials)
    clock.advance(0.25)
    with pytest.raises(
        RefusedError, match=r"0\.2 s ago, the next token request goes out in"
    ) as later:
        twin.token(credentials)
    assert later.value is not first.value
    assert (later.value.status, later.value.error) == (401, "invalid_client")
    assert later.value.__cause__ is first.value.__cause__
    assert endpoint.count == 1


def test_call_after_the_pause_asks_again(twin: Twin, clock: HandClock) -> None:
    credentials = twin.scripted(Endpoint(WRONG_SECRET), clock)
    with pytest.raises(RefusedError):
        twin.token(credentials)
    clock.advance(1)
    assert twin.token(credentials) == "tok-2"


def test_first_call_after_expiry_makes_a_full_attempt(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(granted(), UNAVAILABLE, UNAVAILABLE, UNAVAILABLE)
    credentials = twin.scripted(endpoint, clock)
    twin.token(credentials)
    clock.advance(3599.9)
    assert twin.token(credentials) == "tok-1"
    clock.advance(0.1)
    assert twin.token(credentials) == "tok-5"


def test_dead_token_is_asked_for_again(twin: Twin, clock: HandClock) -> None:
    assert twin.token(twin.scripted(Endpoint(granted("dead", expires_in=0)), clock)) == "tok-2"


def test_token_that_expires_under_way_is_never_handed_out(twin: Twin, clock: HandClock) -> None:
    def late(request: Request) -> Response:
        clock.advance(6)
        return granted("late", expires_in=5)

    with pytest.raises(InvalidResponseError, match="had expired when it arrived"):
        twin.token(twin.scripted(Endpoint(late, late, late), clock))


def test_assumed_lifetime_is_warned_of_once(
    twin: Twin, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = Endpoint(granted("a", expires_in=None), granted("b", expires_in=None))
    credentials = twin.scripted(endpoint, clock, default_lifetime=600)
    token: Token = twin.call(credentials, "token")
    assert token.lifetime == 600
    clock.advance(600)
    twin.token(credentials)
    warnings = [
        r.getMessage() for r in caplog.records if "default_lifetime=600 s" in r.getMessage()
    ]
    assert len(warnings) == 1


def test_log_handler_may_use_the_credentials(twin: Twin, clock: HandClock) -> None:
    credentials = twin.scripted(Endpoint(granted(), UNAVAILABLE), clock, timeout=5)
    used: list[Any] = []

    class Shipper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if twin.asynchronous:  # the loop is busy here, so by hand
                coroutine = credentials.get_headers()
                with pytest.raises(StopIteration) as stop:
                    coroutine.send(None)
                used.append(stop.value.value)
            else:
                used.append(credentials.get_headers())

    logger, handler = logging.getLogger("pygen_auth"), Shipper()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        twin.token(credentials)
        clock.advance(3300)
        twin.token(credentials)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    assert used == [{"Authorization": "Bearer tok-1"}] * 2


# -- many callers at once


def test_herd_makes_one_request(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint()
    results = twin.herd(twin.scripted(endpoint, clock), 30)
    assert results == [{"Authorization": "Bearer tok-1"}] * 30
    assert endpoint.count == 1


def held_back(release: threading.Event, response: Response) -> Any:
    def answer_when_released(request: Request) -> Response:
        assert release.wait(10)
        return response

    return answer_when_released


def test_those_who_waited_get_the_failure_and_do_not_repeat_it(clock: HandClock) -> None:
    release = threading.Event()
    endpoint = Endpoint(held_back(release, WRONG_SECRET))
    credentials = Twin("sync").scripted(endpoint, clock)
    threading.Timer(0.2, release.set).start()
    errors = in_threads([credentials.token] * 8)
    assert all(isinstance(error, RefusedError) for error in errors)
    assert len({id(error) for error in errors}) == 8, "each its own"
    assert endpoint.count == 1


def test_tasks_that_waited_get_the_failure_even_after_its_pause(clock: HandClock) -> None:
    endpoint = Endpoint()
    credentials = Twin("async").scripted(endpoint, clock)

    async def fail_slowly(request: Request) -> Response:
        endpoint.requests.append(request)
        await asyncio.sleep(0.01)
        asyncio.get_running_loop().call_soon(clock.advance, 60)
        return WRONG_SECRET

    credentials._send = fail_slowly
    errors = Twin("async").herd(credentials, 8, "token")
    assert all(isinstance(error, RefusedError) for error in errors)
    assert endpoint.count == 1


def test_while_due_one_refreshes_and_the_rest_go_on(clock: HandClock) -> None:
    release = threading.Event()
    endpoint = Endpoint(granted(), held_back(release, granted("tok-2")))
    credentials = Twin("sync").scripted(endpoint, clock)
    credentials.token()
    clock.advance(3300)
    refresher = threading.Thread(target=credentials.token)
    refresher.start()
    while endpoint.count < 2:
        pass
    assert [credentials.get_headers() for _ in range(3)] == [{"Authorization": "Bearer tok-1"}] * 3
    release.set()
    refresher.join()
    assert credentials.get_headers() == {"Authorization": "Bearer tok-2"}


def test_while_due_one_task_refreshes_and_the_rest_go_on(clock: HandClock) -> None:
    endpoint = Endpoint()
    credentials = Twin("async").scripted(endpoint, clock)

    async def main() -> None:
        await credentials.token()
        clock.advance(3300)
        refresher = asyncio.create_task(credentials.get_headers())
        await asyncio.sleep(0)
        assert await credentials.get_headers() == {"Authorization": "Bearer tok-1"}
        assert await refresher == {"Authorization": "Bearer tok-2"}

    asyncio.run(main())
    assert endpoint.count == 2


def test_waiting_for_another_thread_ends_with_the_timeout(
    clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_credentials, "GRACE", 0)
    release = threading.Event()
    endpoint = Endpoint(held_back(release, granted()))
    credentials = Twin("sync").scripted(endpoint, clock, timeout=0.05)
    refresher = threading.Thread(target=credentials.token)
    refresher.start()
    while not endpoint.count:
        pass
    with pytest.raises(UnreachableError, match=r"another thread's request took over 0\.05 s"):
        credentials.token()
    release.set()
    refresher.join()


def test_lost_lock_of_a_loop_holds_up_one_call_only(
    clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_async_credentials, "GRACE", 0)
    credentials = Twin("async").scripted(Endpoint(), clock, timeout=0.05)

    async def main() -> str:
        lock = credentials._lock()
        assert lock.acquire()  # by nobody who could give it back
        with pytest.raises(UnreachableError, match="took over"):
            await credentials.token()
        return str((await credentials.token()).access_token)

    assert asyncio.run(main()) == "tok-1"


def test_lock_of_a_loop_that_another_caller_replaced_stays(clock: HandClock) -> None:
    credentials = Twin("async").scripted(Endpoint(), clock)

    async def main() -> None:
        lost = credentials._lock()
        assert lost.acquire()
        waiting = asyncio.ensure_future(credentials._acquire(wait=True))
        await asyncio.sleep(0)
        credentials._locks[lost.loop] = replaced = LoopLock(lost.loop)
        credentials._timeout = 0
        assert await waiting == (None, clock.monotonic)
        assert credentials._locks[lost.loop] is replaced

    credentials._timeout = -GRACE
    asyncio.run(main())


def test_caller_that_is_cancelled_as_it_gets_the_lock_gives_it_back(clock: HandClock) -> None:
    credentials = Twin("async").scripted(Endpoint(), clock)

    async def main() -> None:
        for steps in range(6):
            lock = credentials._lock()
            assert lock.acquire()
            waiting = asyncio.ensure_future(credentials._acquire(wait=True))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            lock.release()
            for _ in range(steps):
                await asyncio.sleep(0)
            if waiting.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            else:
                release, _ = await waiting
                release()
            for _ in range(4):
                await asyncio.sleep(0)
            assert not lock.locked(), steps

    asyncio.run(main())


def test_all_who_wait_pass_in_the_turn_in_which_the_lock_is_free(clock: HandClock) -> None:
    credentials = Twin("async").scripted(Endpoint(), clock)

    async def main() -> None:
        lock = credentials._lock()
        assert lock.acquire()
        passed: list[int] = []

        async def wait(number: int) -> None:
            release, _ = await credentials._acquire(wait=True)
            passed.append(number)
            release()

        tasks = [asyncio.ensure_future(wait(number)) for number in range(50)]
        await asyncio.sleep(0)
        lock.release()
        await asyncio.sleep(0)
        assert passed == list(range(50))
        await asyncio.gather(*tasks)

    asyncio.run(main())


def test_those_who_find_the_lock_taken_again_wait_on(clock: HandClock) -> None:
    credentials = Twin("async").scripted(Endpoint(), clock)

    async def main() -> None:
        lock = credentials._lock()
        assert lock.acquire()
        waiting = {asyncio.ensure_future(credentials._acquire(wait=True)) for _ in range(3)}
        for _ in range(3):
            await asyncio.sleep(0)
            lock.release()
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            assert [lock.locked() for _ in done] == [True], "one has it"
        lock.release()
        assert not lock.locked()

    asyncio.run(main())


def test_lost_lock_is_replaced_once_by_all_who_waited_for_it(clock: HandClock) -> None:
    class Lost:
        """Held by nobody who could give it back; while it is waited for, it is replaced."""

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            if blocking:
                credentials._lock = replaced
            return False

    replaced = threading.Lock()
    credentials = Twin("sync").scripted(Endpoint(), clock)
    credentials._lock = Lost()
    with pytest.raises(UnreachableError, match="took over"):
        credentials.token()
    assert credentials._lock is replaced
    assert credentials.token().access_token == "tok-1"


def test_interrupted_refresh_leaves_the_object_usable(twin: Twin, clock: HandClock) -> None:
    def ctrl_c(request: Request) -> Response:
        raise KeyboardInterrupt

    credentials = twin.scripted(Endpoint(ctrl_c), clock)
    with pytest.raises(KeyboardInterrupt):
        twin.token(credentials)
    assert twin.token(credentials) == "tok-2"


def test_cancelled_refresh_is_taken_over_by_the_next_waiter(clock: HandClock) -> None:
    endpoint = Endpoint()
    credentials = Twin("async").scripted(endpoint, clock)

    async def main() -> list[Any]:
        first = asyncio.create_task(credentials.token())
        others = [asyncio.create_task(credentials.get_headers()) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        return await asyncio.gather(first, *others, return_exceptions=True)

    cancelled, *others = asyncio.run(main())
    assert isinstance(cancelled, asyncio.CancelledError)
    assert others == [others[0]] * 3
    assert others[0]["Authorization"].startswith("Bearer tok-")


def test_successive_event_loops_share_the_token(clock: HandClock) -> None:
    endpoint = Endpoint()
    credentials = Twin("async").scripted(endpoint, clock)
    for _ in range(3):
        assert len(set(map(str, Twin("async").herd(credentials, 5)))) == 1
    assert endpoint.count == 1
    clock.advance(3600)
    Twin("async").herd(credentials, 5)
    assert endpoint.count == 2
    assert len(credentials._locks) == 1, "locks of closed loops are dropped"


def test_loops_at_once_make_at_most_one_request_each(clock: HandClock) -> None:
    endpoint = Endpoint()
    credentials = Twin("async").scripted(endpoint, clock)
    results = in_threads([lambda: Twin("async").herd(credentials, 5)] * 4)
    assert all(len(result) == 5 for result in results)
    assert 1 <= endpoint.count <= 4


def test_lock_that_nobody_gives_back_holds_up_one_call_only(clock: HandClock) -> None:
    credentials = Twin("sync").scripted(Endpoint(), clock, timeout=0.05)
    assert credentials._lock.acquire()  # as Ctrl-C leaves it between two bytecodes
    with pytest.raises(UnreachableError):
        credentials.token()
    assert credentials.token().access_token == "tok-1"


def test_task_abandoned_by_its_loop_takes_no_lock_of_another_loop(clock: HandClock) -> None:
    credentials = Twin("async").scripted(Endpoint(), clock)
    abandoned_loop = asyncio.new_event_loop()
    abandoned = credentials.token()

    async def begin() -> None:
        abandoned.send(None)

    abandoned_loop.run_until_complete(begin())
    abandoned_loop.close()

    async def main() -> Any:
        refresher = asyncio.create_task(credentials.get_headers())
        await asyncio.sleep(0)
        abandoned.close()  # as the garbage collector does
        return await refresher

    assert asyncio.run(main())["Authorization"].startswith("Bearer ")


def test_call_out_of_its_own_token_request_does_not_wait_for_itself(
    twin: Twin, clock: HandClock
) -> None:
    errors: list[Any] = []
    credentials = twin.scripted(Endpoint(), clock)

    def secret() -> str:
        try:
            if twin.asynchronous:
                asyncio.run(credentials.token())
            else:
                credentials.token()
        except UnreachableError as error:
            errors.append(str(error))
        return SECRET

    credentials._grant = replace(credentials._grant, client_secret=secret)
    assert twin.token(credentials) == "tok-1"
    assert errors == [
        "Token request failed: these credentials were used within their own token request"
    ]


def test_what_was_started_within_a_token_request_may_use_the_credentials_later(
    twin: Twin, clock: HandClock
) -> None:
    contexts: list[contextvars.Context] = []

    def secret() -> str:
        contexts.append(contextvars.copy_context())  # as threads and tasks get one
        return SECRET

    credentials = twin.scripted(Endpoint(), clock, client_secret=secret)
    twin.token(credentials)
    clock.advance(3600)
    assert contexts[0].run(twin.token, credentials) == "tok-2"


def test_secret_that_takes_too_long_is_left(twin: Twin, clock: HandClock) -> None:
    release = threading.Event()

    def slow() -> str:
        release.wait(10)
        return SECRET

    credentials = twin.scripted(Endpoint(), clock, client_secret=slow, timeout=0.1)
    with pytest.raises(ConfigurationError, match="client_secret could not be read within 0"):
        twin.token(credentials)
    release.set()


def test_closing_in_a_loop_does_not_wear_down_the_server(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint(*[WRONG_SECRET] * 99)
    credentials = twin.scripted(endpoint, clock)
    for _ in range(20):
        with pytest.raises(RefusedError):
            twin.token(credentials)
        twin.call(credentials, "close")
    assert endpoint.count == 1


# -- refused by the API


def test_invalidated_token_is_replaced(twin: Twin, clock: HandClock) -> None:
    credentials = twin.scripted(Endpoint(), clock)
    token = twin.call(credentials, "token")
    twin.call(credentials, "invalidate", token)
    assert twin.token(credentials) == "tok-2"


def test_late_invalidation_leaves_the_newer_token(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint()
    credentials = twin.scripted(endpoint, clock)
    token = twin.call(credentials, "token")
    clock.advance(3300)
    twin.token(credentials)
    twin.call(credentials, "invalidate", token)
    assert twin.token(credentials) == "tok-2"
    assert endpoint.count == 2


def test_api_that_refuses_every_token_costs_one_request_per_pause(
    twin: Twin, clock: HandClock
) -> None:
    endpoint = Endpoint()
    credentials = twin.scripted(endpoint, clock)

    async def hammer() -> None:
        for _ in range(3000):  # ten minutes
            token = credentials.token()
            token = await token if twin.asynchronous else token
            refused = credentials.invalidate(token)
            closed = credentials.aclose() if twin.asynchronous else credentials.close()
            if twin.asynchronous:
                await refused
                await closed
            clock.advance(0.2)

    asyncio.run(hammer())
    assert endpoint.count <= 2 + 5 + 600 / 15


# -- fork, pickle, copy, close


def test_pickle_carries_the_settings_and_no_token(twin: Twin, clock: HandClock) -> None:
    credentials = twin.scripted(
        Endpoint(), clock, scopes=["a"], audience="b", refresh_margin=7, timeout=8
    )
    twin.token(credentials)
    pickled = pickle.dumps(credentials)
    assert b"tok-1" not in pickled
    twins = [pickle.loads(pickled), copy.copy(credentials), copy.deepcopy(credentials)]
    for other in twins:
        assert type(other) is type(credentials)
        assert (other.token_url, other.client_id) == (TOKEN_URL, "the-client")
        assert (other.client_secret, other.scopes, other.audience) == (SECRET, ["a"], "b")
        assert (other.refresh_margin, other._timeout) == (7, 8)
        assert other._lease.token is None
        assert other._swap_lock is not credentials._swap_lock


def test_client_object_cannot_be_pickled_and_the_error_names_the_callable(twin: Twin) -> None:
    with httpx.Client(verify=False) as client:
        credentials = twin.make(client=client)
        with pytest.raises(ConfigurationError, match="pass a callable"):
            pickle.dumps(credentials)
    copied = pickle.loads(pickle.dumps(twin.make(client=httpx.Client)))
    assert copied._connection.client is httpx.Client


def test_ssl_context_cannot_be_pickled_and_the_error_names_the_file(twin: Twin) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ConfigurationError, match="path of a CA file"):
        copy.copy(twin.make(verify=context))


def test_callable_that_cannot_be_pickled_says_so(twin: Twin) -> None:
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(twin.make(client_secret=lambda: SECRET))


def test_closed_credentials_fetch_again(twin: Twin, clock: HandClock) -> None:
    endpoint = Endpoint()
    credentials = twin.scripted(endpoint, clock)
    twin.token(credentials)
    for _ in range(2):
        twin.call(credentials, "close")
    assert credentials._lease.token is None
    assert twin.token(credentials) == "tok-2"


def test_context_manager_gives_the_credentials_and_closes_them(clock: HandClock) -> None:
    with Twin("sync").scripted(Endpoint(), clock) as credentials:
        assert credentials.get_headers() == {"Authorization": "Bearer tok-1"}
    assert credentials._lease.token is None


def test_async_context_manager_gives_the_credentials_and_closes_them(clock: HandClock) -> None:
    async def main() -> Any:
        async with Twin("async").scripted(Endpoint(), clock) as credentials:
            assert await credentials.get_headers() == {"Authorization": "Bearer tok-1"}
        return credentials

    assert asyncio.run(main())._lease.token is None


@pytest.mark.parametrize("method", ["close", "get_headers", "invalidate"])
def test_signal_handler_that_comes_while_the_lease_is_swapped_may_use_the_credentials(
    twin: Twin, clock: HandClock, method: str
) -> None:
    credentials = twin.scripted(Endpoint(), clock)
    token = twin.call(credentials, "token")
    clock.advance(3300)

    def interrupted(lease: Lease) -> Lease:
        twin.call(credentials, method, *([token] if method == "invalidate" else []))
        return lease

    caller = threading.Thread(target=credentials._swap, args=(interrupted,), daemon=True)
    caller.start()
    caller.join(30)
    assert not caller.is_alive()


def test_locks_are_open_after_what_a_fork_calls(twin: Twin, clock: HandClock) -> None:
    credentials = twin.scripted(Endpoint(), clock)
    take_elsewhere(credentials._swap_lock)
    _interface._renew_locks_in_child()
    assert twin.token(credentials) == "tok-1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # forks on purpose
def test_child_forked_during_a_refresh_has_unlocked_locks_and_the_token(
    twin: Twin, clock: HandClock
) -> None:
    credentials = twin.scripted(Endpoint(), clock)
    twin.token(credentials)
    if not twin.asynchronous:
        assert credentials._lock.acquire()
    take_elsewhere(credentials._swap_lock)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            held = credentials._lease.token.access_token == "tok-1"
            clock.advance(3600)
            status = 0 if held and twin.token(credentials) == "tok-2" else 1
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# -- settings


def test_settings_are_readable_and_only_the_margin_can_be_set(twin: Twin) -> None:
    credentials = twin.make(TOKEN_URL, "id", SECRET, ["a", "b"], "aud", 60)
    assert credentials.token_url == TOKEN_URL
    assert credentials.client_id == "id"
    assert credentials.client_secret == SECRET
    assert credentials.scopes == ["a", "b"]
    assert credentials.audience == "aud"
    assert credentials.refresh_margin == 60
    assert twin.make().scopes == []
    for name in ("token_url", "client_id", "client_secret", "scopes", "audience"):
        with pytest.raises(AttributeError):
            setattr(credentials, name, "other")


def test_repr_names_the_settings_without_secret_and_query(twin: Twin) -> None:
    credentials = twin.make(TOKEN_URL + "?key=abc", "id", SECRET, ["a"], "aud")
    assert repr(credentials) == (
        f"{twin.kind.__name__}(token_url='{TOKEN_URL}', client_id='id', scopes=['a'], "
        "audience='aud')"
    )


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("refresh_margin", -1),
        ("refresh_margin", float("nan")),
        ("refresh_margin", "300"),
        ("timeout", 0),
        ("timeout", float("inf")),
        ("timeout", True),
        ("default_lifetime", 0),
        ("default_lifetime", -5),
        ("default_lifetime", 1e12),
        ("client_auth", "private_key_jwt"),
        ("client_auth", None),
        ("client", 5),
        ("verify", False),
        ("verify", 5),
        ("verify", "/no/such/file.pem"),
        ("insecure_hosts", "keycloak"),
        ("params", {"grant_type": "password"}),
        ("scopes", ["a b"]),
        ("client_secret", ""),
        ("client_id", ""),
        ("token_url", "http://idp.example.com/token"),
    ],
)
def test_wrong_setting_is_refused_by_name(twin: Twin, setting: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        twin.make(**{setting: value})


def test_margin_is_checked_when_assigned(twin: Twin) -> None:
    credentials = twin.make()
    with pytest.raises(ConfigurationError, match="refresh_margin"):
        credentials.refresh_margin = -1
    assert credentials.refresh_margin == 300


def test_asynchronous_client_is_refused_by_the_synchronous_twin() -> None:
    with pytest.raises(ConfigurationError, match="client is an asynchronous one"):
        Twin("sync").make(client=httpx.AsyncClient(verify=False))


def test_verify_beside_a_client_is_refused(twin: Twin) -> None:
    with pytest.raises(ConfigurationError, match="verify has no effect"):
        twin.make(client=httpx.Client, verify=__file__)


def test_secret_is_read_at_each_token_request(twin: Twin, clock: HandClock) -> None:
    secrets = iter(["first", "second"])
    endpoint = Endpoint()
    credentials = twin.scripted(endpoint, clock, client_secret=lambda: next(secrets))
    twin.token(credentials)
    clock.advance(3300)
    twin.token(credentials)
    assert [b"client_secret=first" in r.body for r in endpoint.requests] == [True, False]
    assert b"client_secret=second" in endpoint.requests[1].body


def test_secret_that_cannot_be_read_while_due_keeps_the_held_token(
    twin: Twin, clock: HandClock
) -> None:
    secrets = iter([SECRET])
    credentials = twin.scripted(Endpoint(), clock, client_secret=lambda: next(secrets))
    twin.token(credentials)
    clock.advance(3300)
    assert twin.token(credentials) == "tok-1"


# -- what they are


def test_synchronous_twin_is_credentials_and_the_other_is_not() -> None:
    assert issubclass(OAuth2ClientCredentials, Credentials)
    assert issubclass(AsyncOAuth2ClientCredentials, AsyncCredentials)
    assert not issubclass(AsyncOAuth2ClientCredentials, Credentials)


def test_interfaces_cannot_be_made() -> None:
    with pytest.raises(TypeError):
        Credentials()  # type: ignore[abstract]
    with pytest.raises(TypeError):
        AsyncCredentials()  # type: ignore[abstract]


# -- a program that outlives its files, and one that reports its errors


@pytest.mark.parametrize(
    "outcome",
    [UNAVAILABLE, WRONG_SECRET, UnreachableError("no answer", retryable=True)],
    ids=["503", "401", "no answer"],
)
def test_held_token_stays_in_use_where_no_module_can_be_loaded_any_more(
    twin: Twin, clock: HandClock, outcome: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = Endpoint(granted(), outcome)
    credentials = twin.scripted(endpoint, clock)
    assert twin.token(credentials) == "tok-1"
    clock.advance(3500)
    monkeypatch.delitem(sys.modules, "pygen_auth._refusal", raising=False)
    monkeypatch.setattr(pygen_auth, "__path__", [])
    assert [twin.token(credentials) for _ in range(5)] == ["tok-1"] * 5
    assert endpoint.count == 2


def test_refusal_that_cannot_be_read_is_told_with_its_status(
    twin: Twin, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = twin.scripted(Endpoint(WRONG_SECRET), clock)
    monkeypatch.delitem(sys.modules, "pygen_auth._refusal", raising=False)
    monkeypatch.setattr(pygen_auth, "__path__", [])
    with pytest.raises(RefusedError, match=r"status 401; .*\(ModuleNotFoundError\)") as caught:
        twin.token(credentials)
    assert (caught.value.status, caught.value.retryable) == (401, False)


def _as_reported(value: object) -> str:
    """What an error reporter makes of a variable: some look into containers, of
    which named tuples are some, and show all else as its `repr`.
    """
    if isinstance(value, Mapping):
        return "".join(f"{key}{_as_reported(one)}" for key, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return "".join(_as_reported(one) for one in value)
    return repr(value)


ECHO = Response(400, {}, f'{{"error": "x", "client_secret": "{SECRET}"}}'.encode())
TOKEN_WITHOUT_END = b'{"access_token": "opaque-access-token", "expires_in": "soon"}'


@pytest.mark.parametrize(
    ("outcome", "hidden"),
    [
        pytest.param(UnreachableError("no answer"), SECRET, id="no answer"),
        pytest.param(ECHO, SECRET, id="refusal"),
        pytest.param(Response(200, {}, TOKEN_WITHOUT_END), "opaque-access", id="bad answer"),
    ],
)
def test_variables_of_a_failed_call_show_neither_secret_nor_token(
    twin: Twin, clock: HandClock, outcome: Response | OAuth2Error, hidden: str
) -> None:
    with pytest.raises(OAuth2Error) as caught:
        twin.token(twin.scripted(Endpoint(outcome), clock))
    package = os.path.dirname(pygen_auth.__file__)
    frames = [
        frame
        for frame, _ in traceback.walk_tb(caught.value.__traceback__)
        if frame.f_code.co_filename.startswith(package)
    ]
    assert any("request" in frame.f_locals for frame in frames)
    assert hidden not in "".join(_as_reported(frame.f_locals) for frame in frames)


@pytest.mark.parametrize("kind", [Grant, Lease, Request, Response, Token])
def test_what_holds_a_secret_or_a_token_is_no_container(kind: type) -> None:
    assert not issubclass(kind, (Sequence, Mapping))
