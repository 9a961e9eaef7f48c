"""Work in a daemon thread of its own: the only place that waits for threads, and leaves them.

Whoever waits for a name server, a file or a callable of the user's can go when the time is up, or
on Ctrl-C; an event loop goes on meanwhile. No executor is used: its threads are joined when the
program ends, stalled or not.
"""

from __future__ import annotations

import contextlib
import contextvars
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
    """One task of an event loop at a time; all who wait look again as soon as it is free.

    asyncio.Lock hands itself on to one of them after the other, each in a turn of the loop. Here
    whoever finds what it waited for passes in the same turn, be they 500.
    """

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[bool]] | None = None  # for its holder, if it has one

    def locked(self) -> bool:
        """Whether somebody has it."""
        return self._waiting is not None

    def acquire(self) -> bool:
        """Take it, unless somebody has it; whether it was had."""
        if self._waiting is not None:
            return False
        self._waiting = []
        return True

    def release(self) -> None:
        """Give it back."""
        waiting, self._waiting = self._waiting, None
        for waiter in waiting or ():
            _settle(waiter, True)

    async def freed(self, timeout: float) -> bool:
        """Wait for its holder, of whom `acquire` has just said that there is one.

        Whether it was given back within `timeout` seconds; another may have it by then.
        """
        assert self._waiting is not None
        loop = running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiting.append(waiter)
        timer = loop.call_later(timeout, _settle, waiter, False)
        try:
            return await waiter
        finally:
            timer.cancel()


def _settle(waiter: asyncio.Future[bool], outcome: bool) -> None:
    if not waiter.done():  # nor cancelled with its task
        waiter.set_result(outcome)


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
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is shutting down, or the system has no more threads
        if thread.ident is None:  # else a signal came in between, and the thread runs
            run()
