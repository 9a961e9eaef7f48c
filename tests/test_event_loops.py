"""Cancellation at every await, who waits for whom, and event loops that are not asyncio's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from random import Random
from typing import Any

import anyio
import httpx
import pytest
import trio

from pygen_auth import AsyncOAuth2ClientCredentials, ConfigurationError, OAuth2ClientCredentials
from pygen_auth._worker import LoopLock
from pygen_auth.auth import BearerAuth
from pygen_auth.testing import AuthorizationServer

from .support import SECRET, UNAVAILABLE, Endpoint, HandClock, Twin, granted, is_free

MOST_STEPS = 500  # of an event loop; a call takes about ten
ASYNC = Twin("async")


@pytest.fixture(scope="module")
def server() -> Iterator[AuthorizationServer]:
    with AuthorizationServer() as running:
        running.add_client("the-client", SECRET)
        yield running


# -- cancellation


async def cancelled_after(steps: int, task: asyncio.Task[Any]) -> bool:
    """Whether the task was still at it after so many steps of the loop."""
    for _ in range(steps):
        await asyncio.sleep(0)
    cancelled = task.cancel()
    await asyncio.wait({task})
    return cancelled


def assert_usable(credentials: Any) -> None:
    """In the same loop, whose lock nobody may have kept."""
    assert not any(lock.locked() for lock in credentials._locks.values())
    assert is_free(credentials._swap_lock)


@pytest.mark.parametrize("state", ["none", "due", "failing", "waiting"])
def test_call_cancelled_at_any_await_leaves_the_credentials_usable(
    clock: HandClock, state: str
) -> None:
    async def main(steps: int) -> bool:
        script = {"due": [granted()], "failing": [UNAVAILABLE, UNAVAILABLE]}.get(state, [])
        credentials = ASYNC.scripted(Endpoint(*script), clock)
        if state == "due":
            await credentials.token()
            clock.advance(3300)
        first = asyncio.create_task(credentials.token())
        task = asyncio.create_task(credentials.token()) if state == "waiting" else first
        going_on = await cancelled_after(steps, task)
        await asyncio.wait({first})
        assert_usable(credentials)
        assert await asyncio.wait_for(credentials.get_headers(), 30)
        return going_on

    steps = next(n for n in range(MOST_STEPS) if not asyncio.run(main(n)))
    assert steps > 1


def test_call_cancelled_at_any_await_while_its_secret_is_read_leaves_the_credentials_usable(
    clock: HandClock,
) -> None:
    async def main(steps: int) -> bool:
        credentials = ASYNC.scripted(Endpoint(), clock, client_secret=lambda: SECRET)
        going_on = await cancelled_after(steps, asyncio.create_task(credentials.token()))
        assert_usable(credentials)
        assert await asyncio.wait_for(credentials.get_headers(), 30)
        return going_on

    assert all(asyncio.run(main(steps)) for steps in range(3))


def test_call_cancelled_at_any_await_of_a_real_request_leaves_the_credentials_usable(
    server: AuthorizationServer,
) -> None:
    async def main(seconds: float) -> None:
        credentials = ASYNC.make(server.token_url, "the-client", SECRET)
        task = asyncio.create_task(credentials.token())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.wait({task})
        assert_usable(credentials)
        assert await asyncio.wait_for(credentials.get_headers(), 30)

    for thousandths in range(12):
        asyncio.run(main(thousandths / 1000))


def test_waiters_are_not_forgotten_whoever_of_them_is_cancelled(clock: HandClock) -> None:
    async def main(steps: int, victim: int) -> bool:
        credentials = ASYNC.scripted(Endpoint(), clock)
        tasks = [asyncio.create_task(credentials.token()) for _ in range(4)]
        going_on = await cancelled_after(steps, tasks[victim])
        done, pending = await asyncio.wait(tasks, timeout=30)
        assert not pending
        assert {task.result().access_token for task in done if not task.cancelled()} < {
            f"tok-{n}" for n in range(1, 4)
        }
        return going_on

    for victim in range(4):
        steps = next(n for n in range(MOST_STEPS) if not asyncio.run(main(n, victim)))
        assert steps > 1


# -- who comes first


def asking(credentials: Any) -> list[str]:
    """The names of the tasks that send token requests, none of which is answered."""
    names: list[str] = []

    async def send(request: Any) -> Any:
        task = asyncio.current_task()
        assert task is not None
        names.append(task.get_name())
        await asyncio.Event().wait()

    credentials._send = send
    return names


async def turns_of_the_loop(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def twice(credentials: Any) -> None:
    """As a program does that gives up early and tries again at once."""
    with contextlib.suppress(asyncio.CancelledError):
        await credentials.token()
    await credentials.token()


def test_call_that_gives_up_and_tries_again_does_not_hold_up_those_who_wait(
    clock: HandClock,
) -> None:
    credentials = ASYNC.scripted(Endpoint(), clock)
    send, names = credentials._send, asking(credentials)

    async def main() -> str:
        hasty = asyncio.create_task(twice(credentials), name="hasty")
        patient = [asyncio.create_task(credentials.token(), name=name) for name in "abc"]
        await turns_of_the_loop()
        for task in (hasty, *patient):
            task.cancel()
            await turns_of_the_loop()
        assert names == ["hasty", "a", "b", "c", "hasty"], "in the order in which they came"
        credentials._send = send
        hasty.cancel()
        return str((await credentials.token()).access_token)

    assert asyncio.run(main()) == "tok-1"


def test_newcomer_is_not_forgotten_where_all_who_came_before_are_cancelled(
    clock: HandClock,
) -> None:
    credentials = ASYNC.scripted(Endpoint(), clock)
    send, names = credentials._send, asking(credentials)

    async def main() -> str:
        first, second = (asyncio.create_task(credentials.token(), name=name) for name in "ab")
        await turns_of_the_loop()
        first.cancel()
        newcomer = asyncio.create_task(credentials.token())
        await asyncio.sleep(0)  # the newcomer waits, and it is the second one's turn
        second.cancel()
        credentials._send = send
        return str((await asyncio.wait_for(newcomer, 10)).access_token)

    assert asyncio.run(main()) == "tok-1"
    assert names == ["a"]


def test_those_who_wait_are_not_forgotten_whoever_is_cancelled_when(clock: HandClock) -> None:
    """Random schedules of one lock: one holder, in the order in which they came, and all."""

    async def main(random: Random) -> None:
        lock = LoopLock(asyncio.get_running_loop())
        came: list[int] = []
        had: list[int] = []

        async def use(number: int) -> None:
            await turns_of_the_loop(random.randrange(6))
            came.append(number)
            if not lock.acquire():
                assert await lock.acquire_within(30)
            had.append(number)
            try:
                await turns_of_the_loop(random.choice([0, 0, 1, 3]))
                assert had[-1] == number, "nobody else has it"
            finally:
                lock.release()

        tasks = [asyncio.create_task(use(number)) for number in range(random.randint(2, 9))]
        for _ in range(random.randrange(25)):
            await asyncio.sleep(0)
            if random.random() < 0.3:
                random.choice(tasks).cancel()
        done, pending = await asyncio.wait(tasks, timeout=20)
        assert not pending
        assert not lock.locked()
        assert not [task for task in done if not task.cancelled() and task.exception()]
        assert had == [number for number in came if number in had]

    for seed in range(300):
        asyncio.run(main(Random(seed)))


def test_who_is_called_in_the_turn_in_which_its_time_is_up_has_the_lock() -> None:
    async def main() -> None:
        lock = LoopLock(asyncio.get_running_loop())
        assert lock.acquire()
        waiting = asyncio.create_task(lock.acquire_within(0))
        await turns_of_the_loop(2)  # after this one the loop looks at its timers
        lock.release()
        assert await waiting
        assert lock.locked()
        assert not await lock.acquire_within(0)

    asyncio.run(main())


# -- trio and anyio


REFUSED = r"no event loop of asyncio runs here.*in trio call the synchronous.*to_thread\.run_sync"


def in_trio(call: Any) -> Any:
    with pytest.raises(ConfigurationError, match=REFUSED) as caught:
        trio.run(call)
    return caught.value


def test_trio_is_refused_and_told_what_to_do(server: AuthorizationServer) -> None:
    before = server.token_request_count
    credentials = ASYNC.make(server.token_url, "the-client", SECRET)
    assert in_trio(credentials.get_headers).__cause__ is None
    in_trio(credentials.token)
    assert server.token_request_count == before, "nothing was sent"
    assert ASYNC.token(credentials), "and asyncio is not troubled"


def test_anyio_on_trio_is_refused_likewise() -> None:
    credentials = ASYNC.make()
    with pytest.raises(ConfigurationError, match=REFUSED):
        anyio.run(credentials.get_headers, backend="trio")


def test_discovery_in_trio_is_refused_before_it_asks(server: AuthorizationServer) -> None:
    before = len(server.requests)

    async def discover() -> None:
        await AsyncOAuth2ClientCredentials.discover(server.issuer, "the-client", SECRET)

    in_trio(discover)
    assert len(server.requests) == before


def test_discovery_with_a_client_object_in_trio_is_refused_before_it_asks(
    server: AuthorizationServer,
) -> None:
    async def discover() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await AsyncOAuth2ClientCredentials.discover(
                server.issuer, "the-client", SECRET, client=client
            )

    before = len(server.requests)
    in_trio(discover)
    assert len(server.requests) == before


def test_adapter_in_a_client_on_trio_is_refused_likewise(server: AuthorizationServer) -> None:
    auth = BearerAuth(OAuth2ClientCredentials(server.token_url, "the-client", SECRET))

    async def call() -> None:
        async with httpx.AsyncClient(auth=auth, trust_env=False) as client:
            await client.get(server.resource_url)

    in_trio(call)


def test_what_the_refusal_advises_works(server: AuthorizationServer) -> None:
    credentials = OAuth2ClientCredentials(server.token_url, "the-client", SECRET)

    async def main() -> dict[str, str]:
        return await trio.to_thread.run_sync(credentials.get_headers)

    assert trio.run(main)["Authorization"].startswith("Bearer ")


def test_anyio_on_asyncio_works(server: AuthorizationServer) -> None:
    credentials = ASYNC.make(server.token_url, "the-client", SECRET)
    before = server.token_request_count

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(credentials.get_headers)

    anyio.run(main)
    assert server.token_request_count == before + 1


def test_scope_that_anyio_cancels_leaves_the_credentials_usable(clock: HandClock) -> None:
    credentials = ASYNC.scripted(Endpoint(), clock)
    send = credentials._send

    async def never(request: Any) -> Any:
        await anyio.sleep_forever()

    async def main() -> None:
        credentials._send = never
        with anyio.move_on_after(0.01) as scope:
            await credentials.get_headers()
        assert scope.cancelled_caught
        credentials._send = send
        assert await credentials.get_headers() == {"Authorization": "Bearer tok-1"}

    anyio.run(main)
