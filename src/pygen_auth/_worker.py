"""Work in a daemon thread of its own: the only place that waits for threads, and leaves them.

Whoever waits for a name server, a file or a callable of the user's can go when the time is up, or
on Ctrl-C; an event loop goes on meanwhile. No executor is used: its threads are joined when the
program ends, stalled or not.
"""

from __future__ import annotations

import contextlib
import contextvars
import itertools
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ._errors import ConfigurationError

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

_REQUEST = "pygen-auth token request"
"""What the threads are called that somebody waits for."""


def within(
    timeout: float,
    work: Callable[[], T],
    *,
    late: Callable[[], Exception],
    leave: Callable[[], None] = lambda: None,
) -> T:
    """What `work` gives, run in a daemon thread of its own.

    After `timeout` seconds, or on Ctrl-C, `leave` is called and the thread is left; `late` makes
    the error to raise then.
    """
    given: list[T] = []
    raised: list[BaseException] = []
    arrived = threading.Event()

    def run() -> None:
        try:
            given.append(work())
        except BaseException as error:
            raised.append(error)
        finally:
            arrived.set()

    start(run, _REQUEST)
    in_time = False
    try:
        in_time = arrived.wait(timeout)
    finally:
        if not in_time:
            leave()
    if not in_time:
        raise late()
    if not raised:
        return given.pop()
    error = raised.pop()
    try:
        raise error
    finally:
        del error  # its traceback holds this frame, which would hold it


async def within_in_loop(
    timeout: float,
    work: Callable[[], T],
    *,
    late: Callable[[], Exception],
    leave: Callable[[], None] = lambda: None,
) -> T:
    """`within`, while the event loop goes on; also left on cancellation."""
    import asyncio  # here, since a synchronous program need not pay 30 ms for it
    from concurrent.futures import Future

    running_loop()  # before the thread starts: what nobody can wait for is not begun
    answer: Future[T] = Future()
    answer.set_running_or_notify_cancel()  # from here on only the thread settles it

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            answer.set_exception(error)
        else:
            answer.set_result(result)

    start(run, _REQUEST)
    arrived = asyncio.wrap_future(answer)
    arrived.add_done_callback(_seen)
    in_time = False
    try:
        in_time = bool((await asyncio.wait({arrived}, timeout=timeout))[0])
    finally:
        if not in_time:
            with contextlib.suppress(RuntimeError):  # the loop was closed, and this abandoned
                arrived.cancel()
            leave()
    if not in_time:
        raise late()
    return arrived.result()


def running_loop() -> asyncio.AbstractEventLoop:
    """The event loop of asyncio that the caller runs in.

    Raises:
        ConfigurationError: there is none, as in a program of trio's.
    """
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "no event loop of asyncio runs here, and asynchronous credentials and clients need "
            "one; in trio call the synchronous OAuth2ClientCredentials in a thread, as in "
            "await trio.to_thread.run_sync(credentials.get_headers)"
        ) from None


class LoopLock:
    """One task of an event loop at a time, in the order in which they came.

    asyncio.Lock calls the first of those who wait, and the next one when that one is through, each
    in a turn of the loop. Here all are called at once: whoever finds what it waited for passes in
    the same turn, be they 500. Whoever finds it taken again waits on and keeps its place, also
    before a newcomer who never waited: one that gives up early and tries again, over and over,
    would hold up all others.
    """

    __slots__ = ("_called", "_held", "_places", "_waiting", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._held = False
        self._places = itertools.count()
        self._waiting: dict[int, asyncio.Future[bool]] = {}  # by place
        self._called: set[int] = set()  # places that may look now, and have not yet

    def locked(self) -> bool:
        """Whether somebody has it."""
        return self._held

    def acquire(self) -> bool:
        """Take it, unless somebody has it or comes first; whether it was had."""
        if self._held or self._called:
            return False
        self._held = True
        return True

    def release(self) -> None:
        """Give it back."""
        self._held = False
        self._call()

    async def acquire_within(self, timeout: float) -> bool:
        """Take it after all who came before; whether it was had within `timeout` seconds."""
        place, end = next(self._places), self.loop.time() + timeout
        while await self._is_called(place, end):
            if not self._held:
                self._held = True
                return True
        return False

    async def _is_called(self, place: int, end: float) -> bool:
        waiter: asyncio.Future[bool] = self.loop.create_future()
        self._waiting[place] = waiter
        timer = self.loop.call_at(end, _settle, waiter)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiting.pop(place, None)
            self._called.discard(place)
            if not self._held:
                self._call()  # for those who came since, if this one was cancelled

    def _call(self) -> None:
        """Have all who wait look, the first one first, if no others are about to."""
        # A coroutine that its loop abandoned is finished by the garbage collector, anywhere.
        if self._called or self.loop.is_closed():
            return
        waiting, self._waiting = self._waiting, {}
        for place, waiter in sorted(waiting.items()):
            if not waiter.done():  # nor cancelled, nor out of time
                self._called.add(place)
                waiter.set_result(True)


def _settle(waiter: asyncio.Future[bool]) -> None:
    if not waiter.done():  # nor cancelled with its task
        waiter.set_result(False)


def _seen(arrived: asyncio.Future[T]) -> None:
    """Keep asyncio from logging the error of an answer that nobody waits for any more."""
    if not arrived.cancelled():
        arrived.exception()


def behind(work: Callable[[], None], *, otherwise: Callable[[], None]) -> None:
    """Run `work` in a daemon thread of its own, and go on meanwhile.

    `otherwise` is called instead where Ctrl-C comes before the work has begun.
    """
    turn = threading.Lock()  # whoever gets it first: the work, or the end of it

    def run() -> None:
        if turn.acquire(blocking=False):
            work()

    try:
        start(run, "pygen-auth refresh")
    except BaseException:
        if turn.acquire(blocking=False):
            otherwise()
        raise


def start(run: Callable[[], None], name: str) -> None:
    """Run it in a daemon thread of this name, in a copy of the caller's context."""
    if sys.is_finalizing():  # up to Python 3.11 a thread could be started, and would never run
        run()
        return
    context, thread = contextvars.copy_context(), None
    try:
        thread = threading.Thread(target=context.run, args=(run,), name=name, daemon=True)
        thread.start()
    except RuntimeError:  # the system has no more threads, or this subinterpreter allows none
        if thread is None or thread.ident is None:  # else a signal came in between: it runs
            run()
