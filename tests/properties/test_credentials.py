"""Both twins among callers, clocks, answers, refusals and settings, in any order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from pygen_auth import OAuth2Error, Token
from pygen_auth._clock import Clock
from pygen_auth._wire import Request, Response

from ..support import Twin
from . import examples
from .oracle import TIMEOUT, Oracle, Outcome, margins, moments, outcomes

methods = st.sampled_from(["token", "get_headers", "refresh_if_needed"])
signs = st.sampled_from([-1, 1])
NEW = Outcome(Response(200, {}, b'{"access_token": "new", "expires_in": 3600}'), "new")


class Call:
    """One call of a caller, and the requests that it makes."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.asks = False
        self.closed = False
        """Whether the credentials were closed since it asks: what it fetches is not held then."""


class Machine(RuleBasedStateMachine):
    """What both twins are put through."""

    twin: Twin

    def __init__(self) -> None:
        super().__init__()
        self.oracle = oracle = Oracle()
        self.credentials = self.twin.make(timeout=TIMEOUT)
        clock = Clock(
            lambda: oracle.now.wall, lambda: oracle.now.monotonic, self.sleep, self.sleep_in_loop
        )
        self.credentials._begin(clock)

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    async def sleep_in_loop(self, seconds: float) -> None:
        raise NotImplementedError

    def do(self, method: str, *args: Any) -> None:
        """Call a method that waits for nothing."""
        raise NotImplementedError

    def calls(self) -> Collection[Call]:
        """Those that are under way."""
        raise NotImplementedError

    def returned(self, call: Call) -> None:
        """A call came back with a token: the held one, or one that it fetched itself."""
        if call.closed:
            return
        token = self.credentials._lease.token
        assert isinstance(token, Token)
        if call.outcomes and call.outcomes[-1].access_token == token.access_token:
            self.oracle.token_came(token)
        elif call.outcomes:
            self.oracle.refresh_failed(call.outcomes[-1].asked)
        self.oracle.given(token)

    def failed(self, call: Call, error: OAuth2Error) -> None:
        if call.outcomes:
            self.oracle.refresh_failed(call.outcomes[-1].asked)
        self.oracle.raised(error)

    def refuse(self, index: int) -> None:
        if self.oracle.given_out:
            token = self.oracle.given_out[-1 - index % len(self.oracle.given_out)]
            self.oracle.refuse(token)
            self.do("invalidate", token)

    def close_credentials(self) -> None:
        self.oracle.close()
        self.do("close")
        for call in self.calls():
            call.closed = call.asks

    def set_margin(self, margin: float) -> None:
        self.oracle.margin = self.credentials.refresh_margin = margin


# -- threads: one call at a time, and anything may happen while its request is under way

events = st.one_of(
    st.tuples(st.just("time goes on"), moments),
    st.tuples(st.just("wall clock is set"), st.tuples(signs, moments)),
    st.tuples(st.just("API refuses"), st.integers(0, 2)),
    st.tuples(st.just("caller closes"), st.none()),
    st.tuples(st.just("margin changes"), margins),
    st.tuples(st.just("another thread calls"), st.none()),
)
scripts = st.lists(st.tuples(st.lists(events, max_size=2), outcomes), max_size=4)


class SyncMachine(Machine):
    twin = Twin("sync")

    def __init__(self) -> None:
        super().__init__()
        self.credentials._send = self.send
        self.script: list[tuple[list[tuple[str, Any]], Outcome]] = []
        self.current = Call()

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds < TIMEOUT
        self.oracle.advance(seconds)

    def do(self, method: str, *args: Any) -> None:
        getattr(self.credentials, method)(*args)

    def calls(self) -> Collection[Call]:
        return [self.current]

    def send(self, request: Request) -> Response:
        self.current.asks = True
        self.oracle.request_begins(retry=bool(self.current.outcomes))
        meanwhile, outcome = self.script.pop(0) if self.script else ([], NEW)
        for name, value in meanwhile:
            self.happens(name, value)
        self.oracle.request_ends()
        outcome = self.oracle.named(outcome)
        self.current.outcomes.append(outcome)
        if isinstance(outcome.response, OAuth2Error):
            raise outcome.response
        return outcome.response

    def happens(self, name: str, value: Any) -> None:
        happening: dict[str, Callable[[Any], None]] = {
            "time goes on": self.oracle.advance,
            "wall clock is set": lambda how: self.oracle.set_wall_clock(*how),
            "API refuses": self.refuse,
            "caller closes": lambda _: self.close_credentials(),
            "margin changes": self.set_margin,
            "another thread calls": lambda _: self.other_thread_calls(),
        }
        happening[name](value)

    def other_thread_calls(self) -> None:
        """Where there is a token to use, it does not wait for this request."""
        if not self.oracle.usable():
            return
        given: list[Any] = []
        thread = threading.Thread(target=lambda: given.append(self.credentials.token()))
        thread.start()
        thread.join(30)
        assert given == [self.oracle.held]

    @rule(moment=moments)
    def time_goes_on(self, moment: str | float) -> None:
        self.oracle.advance(moment)

    @rule(moment=moments, sign=signs)
    def wall_clock_is_set(self, moment: str | float, sign: int) -> None:
        self.oracle.set_wall_clock(sign, moment)

    @rule(index=st.sampled_from([0, 0, 0, 1, 2]))
    def api_refuses(self, index: int) -> None:
        self.refuse(index)

    @rule(event=events)
    def something_happens(self, event: tuple[str, Any]) -> None:
        if event[0] != "another thread calls":
            self.happens(*event)

    @rule(method=methods, script=scripts)
    def caller_calls(
        self, method: str, script: list[tuple[list[tuple[str, Any]], Outcome]]
    ) -> None:
        self.script, self.current = script, Call()
        asks = self.oracle.must_ask()
        try:
            getattr(self.credentials, method)()
        except OAuth2Error as error:
            self.failed(self.current, error)
        else:
            self.returned(self.current)
        assert self.current.outcomes or not asks, "a due or missing token is asked for"
        assert not self.credentials._lock.locked()
        assert len(self.current.outcomes) <= 4  # three attempts, and another proof of the client


# -- tasks: any number of calls at once, and the event loop goes on step by step


class AsyncMachine(Machine):
    twin = Twin("async")

    def __init__(self) -> None:
        super().__init__()
        self.credentials._send = self.send
        self.loop = asyncio.new_event_loop()
        self.tasks: dict[asyncio.Task[None], Call] = {}
        self.asking: asyncio.Future[Outcome] | None = None
        self.sleepers: list[tuple[float, asyncio.Future[None]]] = []

    async def sleep_in_loop(self, seconds: float) -> None:
        assert 0 < seconds < TIMEOUT
        done = self.loop.create_future()
        self.sleepers.append((self.oracle.now.monotonic + seconds, done))
        await done

    def do(self, method: str, *args: Any) -> None:
        name = "aclose" if method == "close" else method
        coroutine = getattr(self.credentials, name)(*args)
        try:
            coroutine.send(None)
        except StopIteration:
            return
        raise AssertionError(f"{name} waits")

    def calls(self) -> Collection[Call]:
        return self.tasks.values()

    async def send(self, request: Request) -> Response:
        task = asyncio.current_task()
        assert task is not None
        call = self.tasks[task]
        call.asks = True
        self.oracle.request_begins(retry=bool(call.outcomes))
        self.asking = self.loop.create_future()
        try:
            outcome = self.oracle.named(await self.asking)
        finally:
            self.oracle.request_ends()
            self.asking = None
        call.outcomes.append(outcome)
        if isinstance(outcome.response, OAuth2Error):
            raise outcome.response
        return outcome.response

    async def caller(self, method: str, call: Call) -> None:
        try:
            await getattr(self.credentials, method)()
        except OAuth2Error as error:
            self.failed(call, error)
        else:
            self.returned(call)

    def step(self, steps: int) -> None:
        for _ in range(steps):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
        for task in [task for task in self.tasks if task.done()]:
            del self.tasks[task]
            if not task.cancelled():
                task.result()

    @precondition(lambda self: len(self.tasks) < 6)
    @rule(method=methods, steps=st.integers(0, 3))
    def caller_calls(self, method: str, steps: int) -> None:
        call = Call()
        self.tasks[self.loop.create_task(self.caller(method, call))] = call
        self.step(steps)

    @rule(steps=st.integers(1, 30))
    def loop_goes_on(self, steps: int) -> None:
        self.step(steps)

    @precondition(lambda self: self.asking is not None and not self.asking.done())
    @rule(outcome=outcomes, steps=st.sampled_from([0, 1, 30, 30]))
    def server_answers(self, outcome: Outcome, steps: int) -> None:
        assert self.asking is not None
        self.asking.set_result(outcome)
        self.step(steps)

    @precondition(lambda self: self.tasks)
    @rule(index=st.integers(0, 5), steps=st.sampled_from([0, 1, 30]))
    def caller_is_cancelled(self, index: int, steps: int) -> None:
        list(self.tasks)[index % len(self.tasks)].cancel()
        self.step(steps)

    @rule(moment=moments, steps=st.sampled_from([0, 30]))
    def time_goes_on(self, moment: str | float, steps: int) -> None:
        self.oracle.advance(moment)
        for wake, done in self.sleepers:
            if wake <= self.oracle.now.monotonic and not done.done():
                done.set_result(None)
        self.sleepers = [(wake, done) for wake, done in self.sleepers if not done.done()]
        self.step(steps)

    @rule(moment=moments, sign=signs)
    def wall_clock_is_set(self, moment: str | float, sign: int) -> None:
        self.oracle.set_wall_clock(sign, moment)

    @rule(index=st.integers(0, 2))
    def api_refuses(self, index: int) -> None:
        self.refuse(index)

    @rule()
    def caller_closes(self) -> None:
        self.close_credentials()

    @rule(margin=margins)
    def margin_changes(self, margin: float) -> None:
        self.set_margin(margin)

    def teardown(self) -> None:
        """Nobody waits forever, once the server answers."""
        try:
            for _ in range(60):
                if self.asking is not None and not self.asking.done():
                    self.asking.set_result(NEW)
                self.time_goes_on(1.0, 30)
            assert not self.tasks
            assert not any(lock.locked() for lock in self.credentials._locks.values())
        finally:
            for task in self.tasks:
                task.cancel()
            self.step(10)
            self.loop.close()


SyncMachine.TestCase.settings = examples(1, steps=30)
AsyncMachine.TestCase.settings = examples(1, steps=40)
TestSync = SyncMachine.TestCase
TestAsync = AsyncMachine.TestCase
