"""The asynchronous shell: client credentials, kept fresh, for event loops.

It differs from `_credentials` by `await`; `tests/test_twins.py` holds the two to that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ._attempts import Call
from ._clock import Clock, Instant
from ._errors import OAuth2Error
from ._grant import ClientSecret, credential_is_late
from ._http import AsyncSender
from ._interface import AsyncCredentials
from ._keeper import GRACE, Turn
from ._sharing import SharedAttempts
from ._steps import Done, Steps, Work, next_step
from ._token import Lease, Token
from ._wire import Request
from ._worker import LoopLock, running_loop, within_in_loop

if TYPE_CHECKING:
    import asyncio

    from .providers import Provider

T = TypeVar("T")
Self = TypeVar("Self", bound="AsyncOAuth2ClientCredentials")


class AsyncOAuth2ClientCredentials(SharedAttempts, AsyncCredentials, made_of="client_credentials"):
    """The twin of `OAuth2ClientCredentials` for asynchronous programs.

    Takes the same arguments; `client` may also be an asynchronous client, which serves the event
    loop it belongs to. One object works in successive `asyncio.run` calls, and in several loops
    at once (at worst with one token request for each).
    """

    _takes_async_client = True

    def _begin(self, *clock: Clock) -> None:
        super()._begin(*clock)
        self._send = AsyncSender(self._connection)

    @classmethod
    async def discover(
        cls: type[Self],
        issuer: str | Provider,
        client_id: str,
        client_secret: ClientSecret | None = None,
        *,
        verify_issuer: bool = True,
        **keywords: Any,
    ) -> Self:
        """See `OAuth2ClientCredentials.discover`; awaited."""
        from ._keywords import found, to_discover  # here, as the presets

        provider, known = to_discover(issuer, keywords)
        seeker = cls(client_id=client_id, client_secret=client_secret, **known)
        metadata = await seeker._carry_out(seeker._steps_to(provider, verify_issuer))
        how = found(metadata, known.get("client_auth"), secret=client_secret is not None)
        return cls(client_id=client_id, client_secret=client_secret, **{**known, **how})

    async def get_headers(self) -> dict[str, str]:
        """See `Credentials.get_headers`."""
        wall, since, until, authorization = self._glance.fresh
        if since <= wall() < until:
            return {"Authorization": authorization}
        return {"Authorization": (await self.token()).authorization}

    async def refresh_if_needed(self) -> None:
        """See `Credentials.refresh_if_needed`."""
        await self.token()

    async def token(self) -> Token:
        """See `OAuth2ClientCredentials.token`."""
        seen, now = self._lease, self._clock.now()
        held = self._held(seen, now)
        if held is not None:
            return held
        if self._within_own_request():
            return self._out_of_turn(seen, now)
        if self._background_refresh and seen.usable(now):
            await self._refresh_behind(seen)
            return self._out_of_turn(seen, now)
        release, turn = None, Turn(self)
        try:
            release, waited = await self._acquire(wait=not seen.usable(now))
            if release is None:
                return self._out_of_turn(seen, now)
            turn.begin()
            self._tell_of_waiting(waited)
            return self._settled(seen) or await self._refresh(self._call(now))
        finally:
            turn.over = True
            if release is not None:
                release()

    async def invalidate(self, token: Token | str) -> None:
        """See `OAuth2ClientCredentials.invalidate`."""
        await self._carry_out(self._invalidation(token))

    async def aclose(self) -> None:
        """See `OAuth2ClientCredentials.close`."""
        self._close()

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _refresh_for_others(self, seen: Lease) -> None:
        """Refresh while the callers go on with the held token. A failure stands in the lease."""
        with self._alone(), contextlib.suppress(OAuth2Error):
            if self._settled(seen) is None:
                await self._refresh(self._call(self._clock.now()))

    async def _refresh(self, call: Call) -> Token:
        if self._store is None:
            return await self._fetch(call)
        return await self._carry_out(self._shared(call))

    async def _fetch(self, call: Call) -> Token:
        while True:
            call.attempt += 1
            asked = self._clock.now()
            try:
                request = await self._prepared(asked, call)
                response = await self._send(request)
                return self._keep(response, request, asked, call)
            except OAuth2Error as error:
                wait = self._go_on_after(error, call)
            if isinstance(wait, Token):
                return wait
            if wait:
                await self._clock.sleep_in_loop(wait)

    async def _carry_out(self, steps: Steps[T]) -> T:
        outcome: object = None
        with contextlib.closing(steps):
            while True:
                step = next_step(steps, outcome)
                if isinstance(step, Done):
                    return step.value
                try:
                    outcome = await self._do(step)
                except Exception as error:
                    outcome = error

    async def _do(self, step: Any) -> object:
        """What comes of one step; see `_steps`."""
        if isinstance(step, Call):
            return await self._fetch(step)
        if isinstance(step, Request):
            return await self._send(step)
        if isinstance(step, Work):
            return await within_in_loop(step.seconds, step.run, late=step.late)
        await self._clock.sleep_in_loop(step)
        return None

    async def _prepared(self, asked: Instant, call: Call) -> Request:
        """The next request, made in a thread of its own where that takes more than a moment."""
        if self._grant.credential_at_hand:
            return self._request(asked, call)
        timeout = self._attempt_timeout(call.deadline)
        return await within_in_loop(
            timeout,
            lambda: self._alone_reading(timeout, lambda: self._request(asked, call)),
            late=lambda: credential_is_late(self._grant, timeout),
        )

    # -- the lock: one task at a time in each loop

    def _renew_locks(self) -> None:
        super()._renew_locks()
        self._locks: dict[asyncio.AbstractEventLoop, LoopLock] = {}
        self._tasks: dict[asyncio.Task[None], None] = {}

    async def _acquire(self, *, wait: bool) -> tuple[Callable[[], None] | None, float | None]:
        """What gives the lock back, or None where somebody else has it; and since when this caller
        waited for it, by the monotonic clock, if it did.
        """
        lock = self._lock()
        if lock.acquire():
            return lock.release, None
        if not wait:
            return None, None
        begun = self._clock.monotonic()
        if await lock.acquire_within(self._timeout + GRACE):
            return lock.release, begun
        with self._swap_lock:
            if self._locks.get(lock.loop) is lock:  # a lost one, as in the other twin
                del self._locks[lock.loop]
        return None, begun

    def _lock(self) -> LoopLock:
        """The lock of the running loop. Locks of closed loops are dropped."""
        loop = running_loop()
        with self._swap_lock:
            if loop not in self._locks:
                still_open = {
                    other: lock for other, lock in self._locks.items() if not other.is_closed()
                }
                self._locks = {**still_open, loop: LoopLock(loop)}
                for task in [task for task in self._tasks if task.get_loop().is_closed()]:
                    self._tasks.pop(task, None)
            return self._locks[loop]

    async def _refresh_behind(self, seen: Lease) -> None:
        """Have a task refresh, unless one does in this loop."""
        release, _ = await self._acquire(wait=False)
        if release is None:
            return
        refresh = self._refresh_for_others(seen)
        try:
            task = running_loop().create_task(refresh, name="pygen-auth refresh")
        except BaseException:  # of a task factory of the user's
            refresh.close()
            release()
            raise
        # A loop that is closed with its tasks pending drops this one, as it may; see asyncio.gather
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._tasks[task] = None  # an event loop itself holds its tasks weakly

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.pop(task, None)
            release()

        task.add_done_callback(ended)  # it may be cancelled before its first step

    def _close(self) -> None:
        super()._close()
        for task in list(self._tasks):
            loop = task.get_loop()
            with contextlib.suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(task.cancel)
