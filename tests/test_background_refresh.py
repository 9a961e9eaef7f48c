"""`background_refresh=True`: while a token is due, nobody waits for the next one."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pygen_auth import (
    AsyncOAuth2ClientCredentials,
    ConfigurationError,
    OAuth2ClientCredentials,
    OAuth2Error,
    _worker,
)
from pygen_auth._wire import Request, Response

from .support import UNAVAILABLE, WRONG_SECRET, Endpoint, HandClock, Scripted, Twin, granted

NAME = "pygen-auth refresh"


def refreshers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]


def until(condition: Callable[[], object]) -> None:
    """Wait for a thread to come as far; far longer than it takes, and an error after that."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.001)


class Gate:
    """Answers of an endpoint that are not given before the gate opens."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()

    def __call__(self, request: Request) -> Response:
        self.reached.set()
        assert self.opened.wait(30)
        return granted("late")


class Session:
    """Credentials that are used in one event loop, as a service does, or from this thread."""

    def __init__(self, twin: Twin, clock: HandClock, *script: Scripted, **settings: Any) -> None:
        self.endpoint = Endpoint(*script)
        self.credentials = twin.scripted(self.endpoint, clock, background_refresh=True, **settings)
        self._loop = asyncio.new_event_loop() if twin.asynchronous else None
        if self._loop is not None:
            loop = self._loop

            async def send(request: Request) -> Response:
                # In a thread, as the real sender does: the loop goes on while the answer is late.
                return await loop.run_in_executor(None, self.endpoint.send, request)

            self.credentials._send = send

    def call(self, method: str, *arguments: Any) -> Any:
        name = "aclose" if self._loop is not None and method == "close" else method
        result = getattr(self.credentials, name)(*arguments)
        return result if self._loop is None else self._loop.run_until_complete(result)

    def token(self) -> str:
        return str(self.call("token").access_token)

    def come_to(self, gate: Gate) -> None:
        """Until the request of the refresh is at the endpoint."""
        if self._loop is not None:
            while not gate.reached.is_set():
                self._loop.run_until_complete(asyncio.sleep(0))
        assert gate.reached.wait(30)

    def settle(self) -> None:
        """Until the refresh has ended."""
        if self._loop is None:
            until(lambda: not refreshers())
        else:
            for task in asyncio.all_tasks(self._loop):
                self._loop.run_until_complete(asyncio.wait([task]))

    def close(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()


@pytest.fixture
def session(twin: Twin, clock: HandClock, request: pytest.FixtureRequest) -> Any:
    made: list[Session] = []

    def make(*script: Scripted, **settings: Any) -> Session:
        made.append(Session(twin, clock, *script, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


Make = Callable[..., Session]


def test_due_token_is_handed_out_while_it_is_refreshed(session: Make, clock: HandClock) -> None:
    gate = Gate()
    one = session(granted("first"), gate)
    one.token()
    clock.advance(3400)
    assert [one.token() for _ in range(5)] == ["first"] * 5
    gate.opened.set()
    one.settle()
    assert one.token() == "late"
    assert one.endpoint.count == 2


def test_first_token_is_waited_for(session: Make) -> None:
    assert session(granted("first")).token() == "first"


def test_expired_token_is_waited_for(session: Make, clock: HandClock) -> None:
    one = session(granted("first"), granted("second"))
    one.token()
    clock.advance(3600)
    assert one.token() == "second"


def test_no_thread_or_task_stays_while_the_token_is_fresh(session: Make, clock: HandClock) -> None:
    one = session()
    one.token()
    clock.advance(3400)
    one.token()
    one.settle()
    before = threading.active_count()
    assert one.token() == "tok-2"
    assert refreshers() == []
    assert threading.active_count() == before
    assert getattr(one.credentials, "_tasks", {}) == {}


def test_failure_behind_keeps_the_token_and_pauses(
    session: Make, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    one = session(granted("first"), UNAVAILABLE)
    one.token()
    clock.advance(3400)
    one.token()
    one.settle()
    assert [one.token() for _ in range(5)] == ["first"] * 5
    one.settle()
    assert one.endpoint.count == 2, "one attempt, then a pause"
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "stays in use" in warnings[0]


def test_refresh_goes_on_after_the_pause(session: Make, clock: HandClock) -> None:
    one = session(granted("first"), UNAVAILABLE)
    one.token()
    clock.advance(3400)
    one.token()
    one.settle()
    clock.advance(1)
    one.token()
    one.settle()
    assert one.token() == "tok-3"


def test_failure_behind_of_a_token_that_expires_meanwhile_is_the_callers(
    session: Make, clock: HandClock
) -> None:
    gate = Gate()

    def refused(request: Request) -> Response:
        gate(request)
        clock.advance(300)
        return WRONG_SECRET

    one = session(granted("first"), refused)
    one.token()
    clock.advance(3400)
    one.token()
    gate.opened.set()
    one.settle()
    with pytest.raises(OAuth2Error, match=r"status 401.*the next token request goes out in"):
        one.token()
    assert one.endpoint.count == 2


def test_callers_without_a_token_wait_for_the_refresh_that_is_under_way(clock: HandClock) -> None:
    twin = Twin("sync")  # tasks wait for their lock as they do without a refresh behind
    gate = Gate()
    endpoint = Endpoint(granted("first"), gate)
    credentials = twin.scripted(endpoint, clock, background_refresh=True)
    twin.token(credentials)
    clock.advance(3400)
    twin.token(credentials)
    assert gate.reached.wait(30)
    clock.advance(300)
    waiting = threading.Thread(target=lambda: got.append(twin.token(credentials)))
    got: list[str] = []
    waiting.start()
    gate.opened.set()
    waiting.join(30)
    assert got == ["late"]
    assert endpoint.count == 2


def test_close_drops_what_is_under_way(session: Make, clock: HandClock) -> None:
    gate = Gate()
    one = session(granted("first"), gate)
    one.token()
    clock.advance(3400)
    one.token()
    one.come_to(gate)
    one.call("close")
    gate.opened.set()
    one.settle()
    assert one.token() == "tok-3"


def test_invalidated_token_does_not_stop_what_is_under_way(session: Make, clock: HandClock) -> None:
    gate = Gate()
    one = session(granted("first"), gate)
    one.token()
    clock.advance(3400)
    one.token()
    one.come_to(gate)
    one.call("invalidate", "first")
    gate.opened.set()
    one.settle()
    assert one.token() == "late"


def test_call_from_within_the_refresh_gets_the_held_token(session: Make, clock: HandClock) -> None:
    nested: list[str] = []

    def asks_itself(request: Request) -> Response:  # as a log handler that hears httpx may do
        if isinstance(one.credentials, OAuth2ClientCredentials):
            nested.append(one.credentials.token().access_token)
        else:
            nested.append(asyncio.run(one.credentials.token()).access_token)
        return granted("second")

    one = session(granted("first"), asks_itself)
    one.token()
    clock.advance(3400)
    one.token()
    one.settle()
    assert (nested, one.token()) == (["first"], "second")


@pytest.mark.parametrize("value", [1, "false", None])
def test_anything_but_true_or_false_is_refused(twin: Twin, value: object) -> None:
    with pytest.raises(ConfigurationError, match="background_refresh must be True or False"):
        twin.make(background_refresh=value)


def test_setting_survives_a_pickle(twin: Twin) -> None:
    sent = pickle.loads(pickle.dumps(twin.make(background_refresh=True)))
    assert sent._background_refresh is True


# -- threads


@pytest.fixture
def due(clock: HandClock) -> OAuth2ClientCredentials:
    """Synchronous credentials with a due token; their endpoint is `due._send.__self__`."""
    credentials = Twin("sync").scripted(Endpoint(), clock, background_refresh=True)
    credentials.token()
    clock.advance(3400)
    assert isinstance(credentials, OAuth2ClientCredentials)
    return credentials


def test_one_thread_refreshes_however_many_call(
    due: OAuth2ClientCredentials, clock: HandClock
) -> None:
    gate = Gate()
    due._send = Endpoint(gate).send  # type: ignore[assignment]  # a scripted sender
    callers = [threading.Thread(target=due.get_headers) for _ in range(16)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    (refresher,) = refreshers()
    assert refresher.daemon
    gate.opened.set()
    refresher.join(30)
    assert refreshers() == []


def test_child_of_a_fork_refreshes_by_itself(due: OAuth2ClientCredentials) -> None:
    gate = Gate()
    due._send = Endpoint(gate).send  # type: ignore[assignment]
    due.get_headers()
    assert gate.reached.wait(30)
    child = os.fork()
    if child == 0:  # pragma: no cover - the child is not measured
        status = 1
        try:
            gate.opened.set()
            due.get_headers()
            until(lambda: due.token().access_token == "tok-2")
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    gate.opened.set()
    until(lambda: not refreshers())


AT_EXIT = """
import asyncio, time
from tests.support import Endpoint, HandClock, Twin, granted

clock, twin = HandClock(), Twin({name!r})
endpoint = Endpoint(granted("first"), lambda request: time.sleep(600))
credentials = twin.scripted(endpoint, clock, background_refresh=True)
twin.token(credentials)
clock.advance(3400)
print(twin.token(credentials))
"""


def test_program_ends_although_a_refresh_hangs(twin: Twin) -> None:
    code = AT_EXIT.format(name=twin.name)
    if twin.asynchronous:  # as the real sender: the request hangs in a thread that is left
        code = code.replace(
            "twin.token(credentials)\nclock",
            "twin.token(credentials)\n"
            "from pygen_auth._worker import within_in_loop\n"
            "credentials._send = lambda request: within_in_loop(\n"
            "    600, lambda: endpoint.send(request), late=RuntimeError)\n"
            "clock",
        )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("first\n", "", 0)


def test_where_no_thread_can_be_started_the_caller_refreshes(
    due: OAuth2ClientCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert due.token().access_token == "tok-2"


def test_interrupted_start_gives_the_lock_back(
    due: OAuth2ClientCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(
            _worker, "start", lambda run, name: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            due.get_headers()
    assert not due._lock.locked()


def test_interrupted_start_of_a_thread_that_runs_leaves_it_the_lock(
    due: OAuth2ClientCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(run: Callable[[], None], name: str) -> None:
        run()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_worker, "start", start)
        with pytest.raises(KeyboardInterrupt):
            due.get_headers()
    assert due.token().access_token == "tok-2"


def test_thread_that_finds_the_token_fresh_again_sends_nothing(
    due: OAuth2ClientCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Callable[[], None]] = []
    with monkeypatch.context() as patched:
        patched.setattr(_worker, "start", lambda run, name: begun.append(run))
        due.get_headers()
    due.refresh_margin = 0
    begun[0]()
    assert due._send.__self__.count == 1  # type: ignore[attr-defined]
    assert not due._lock.locked()


def test_thread_that_comes_late_does_not_refresh_without_the_lock(
    due: OAuth2ClientCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[Callable[[], None]] = []

    def start(run: Callable[[], None], name: str) -> None:
        late.append(run)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_worker, "start", start)
        with pytest.raises(KeyboardInterrupt):
            due.get_headers()
    late[0]()
    assert due._send.__self__.count == 1  # type: ignore[attr-defined]


def test_call_after_close_sends_nothing_beside_a_request_that_is_under_way(
    due: OAuth2ClientCredentials,
) -> None:
    gate = Gate()
    endpoint = Endpoint(gate)
    due._send = endpoint.send  # type: ignore[assignment]
    due.get_headers()
    assert gate.reached.wait(30)
    due.close()
    got: list[str] = []
    later = threading.Thread(target=lambda: got.append(due.token().access_token))
    later.start()
    assert endpoint.count == 1
    gate.opened.set()
    later.join(30)
    assert got == ["tok-2"]


def test_due_token_is_at_hand_for_an_event_loop(due: OAuth2ClientCredentials) -> None:
    gate = Gate()
    due._send = Endpoint(gate).send  # type: ignore[assignment]
    assert due._at_hand() == {"Authorization": "Bearer tok-1"}
    gate.opened.set()
    until(lambda: not refreshers())


# -- tasks


def due_in_loops(clock: HandClock, *script: Scripted) -> AsyncOAuth2ClientCredentials:
    credentials = Twin("async").scripted(Endpoint(*script), clock, background_refresh=True)
    asyncio.run(credentials.token())
    clock.advance(3400)
    assert isinstance(credentials, AsyncOAuth2ClientCredentials)
    return credentials


async def never(request: Request) -> Response:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


def test_task_has_a_name_and_ends(clock: HandClock) -> None:
    credentials = due_in_loops(clock)

    async def main() -> None:
        await credentials.get_headers()
        (task,) = asyncio.all_tasks() - {asyncio.current_task()}
        assert task.get_name() == NAME
        await task
        assert credentials._tasks == {}
        assert await credentials.get_headers() == {"Authorization": "Bearer tok-2"}

    asyncio.run(main())


def test_task_that_finds_the_token_fresh_again_sends_nothing(clock: HandClock) -> None:
    credentials = due_in_loops(clock)
    credentials._send = never  # type: ignore[assignment]

    async def main() -> None:
        await credentials.get_headers()
        credentials.refresh_margin = 0
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    asyncio.run(main())


def test_task_that_cannot_be_made_leaves_the_lock_free(clock: HandClock) -> None:
    credentials = due_in_loops(clock)

    async def main() -> str:
        loop = asyncio.get_running_loop()

        def refuses(loop: asyncio.AbstractEventLoop, coroutine: Any, **_: Any) -> Any:
            raise ZeroDivisionError

        loop.set_task_factory(refuses)
        with pytest.raises(ZeroDivisionError):
            await credentials.get_headers()
        loop.set_task_factory(None)
        clock.advance(300)
        return (await asyncio.wait_for(credentials.token(), 10)).access_token

    assert asyncio.run(main()) == "tok-2"


def test_end_of_the_loop_cancels_the_task_and_the_next_loop_refreshes(clock: HandClock) -> None:
    credentials = due_in_loops(clock)
    send = credentials._send
    credentials._send = never  # type: ignore[assignment]
    asyncio.run(credentials.get_headers())
    credentials._send = send

    async def main() -> str:
        await credentials.get_headers()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        return (await credentials.token()).access_token

    assert asyncio.run(main()) == "tok-2"


def test_task_that_is_cancelled_before_its_first_step_gives_the_lock_back(
    clock: HandClock,
) -> None:
    credentials = due_in_loops(clock)

    async def main() -> str:
        await credentials.get_headers()
        (task,) = asyncio.all_tasks() - {asyncio.current_task()}
        task.cancel()
        await asyncio.wait([task])
        await credentials.get_headers()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        return (await credentials.token()).access_token

    assert asyncio.run(main()) == "tok-2"


def test_loop_that_is_closed_with_the_task_pending_drops_it_without_a_word(
    clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    credentials = due_in_loops(clock)
    credentials._send = never  # type: ignore[assignment]
    loop = asyncio.new_event_loop()
    loop.run_until_complete(credentials.get_headers())
    loop.close()
    asyncio.run(credentials.get_headers())  # in another loop, which drops what is left of the first
    assert not any(task.get_loop() is loop for task in credentials._tasks)
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_real_sender_is_dropped_with_its_loop_without_a_word(
    clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    from pygen_auth.testing import AuthorizationServer

    with AuthorizationServer() as server:
        server.add_client("the-client", "the-secret")
        credentials = AsyncOAuth2ClientCredentials(
            server.token_url, "the-client", "the-secret", background_refresh=True
        )
        credentials._begin(clock.clock)
        asyncio.run(credentials.token())
        clock.advance(3400)
        server.delay = 0.2
        loop = asyncio.new_event_loop()
        loop.run_until_complete(credentials.get_headers())
        loop.close()
        asyncio.run(credentials.get_headers())
        gc.collect()
        until(lambda: server.token_request_count >= 2)
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_aclose_cancels_the_task_of_any_loop(clock: HandClock) -> None:
    credentials = due_in_loops(clock)
    credentials._send = never  # type: ignore[assignment]
    open_one, closed_one = asyncio.new_event_loop(), asyncio.new_event_loop()
    for loop in (closed_one, open_one):
        loop.run_until_complete(credentials.get_headers())
    closed_one.close()
    (pending,) = [task for task in credentials._tasks if task.get_loop() is open_one]
    asyncio.run(credentials.aclose())
    with pytest.raises(asyncio.CancelledError):
        open_one.run_until_complete(pending)
    open_one.close()


def test_foreign_error_in_the_task_is_not_swallowed(clock: HandClock) -> None:
    credentials = due_in_loops(clock)
    heard: list[dict[str, Any]] = []

    async def broken(request: Request) -> Response:
        raise ZeroDivisionError

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: heard.append(context)
        )
        await credentials.get_headers()
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
        gc.collect()

    credentials._send = broken  # type: ignore[assignment]
    asyncio.run(main())
    assert [type(context["exception"]) for context in heard] == [ZeroDivisionError]
