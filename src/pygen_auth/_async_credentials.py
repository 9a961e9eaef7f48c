"""The asynchronous shell: client credentials, kept fresh, for event loops.

It differs from `_credentials` by `await`; `tests/test_twins.py` holds the two to that.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ._clock import Clock, Instant
from ._errors import OAuth2Error
from ._grant import ClientSecret, credential_is_late
from ._http import AsyncSender
from ._interface import AsyncCredentials
from ._keeper import Call, TokenKeeper, Turn
from ._token import Token
from ._wire import Request
from ._worker import running_loop, within_in_loop

if TYPE_CHECKING:
    import asyncio

    from ._discovery import Outcome, Steps
    from ._metadata import Metadata
    from .providers import Provider

Self = TypeVar("Self", bound="AsyncOAuth2ClientCredentials")


class AsyncOAuth2ClientCredentials(TokenKeeper, AsyncCredentials, made_of="client_credentials"):
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
        metadata = await seeker._seek(seeker._steps_to(provider, verify_issuer))
        how = found(metadata, known.get("client_auth"), secret=client_secret is not None)
        return cls(client_id=client_id, client_secret=client_secret, **{**known, **how})

    async def get_headers(self) -> dict[str, str]:
        """See `Credentials.get_headers`."""
        monotonic, until, wall, until_wall, authorization = self._fresh
        if monotonic() < until and wall() < until_wall:
            return {"Authorization": authorization}
        token = await self.token()
        return {"Authorization": f"Bearer {token.access_token}"}

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
        release, turn = None, Turn(self)
        try:
            release = await self._acquire(wait=not seen.usable(now))
            if release is None:
                return self._out_of_turn(seen, now)
            turn.begin()
            return self._settled(seen) or await self._refresh(Call(now.monotonic + self._timeout))
        finally:
            turn.over = True
            if release is not None:
                release()

    async def invalidate(self, token: Token | str) -> None:
        """See `OAuth2ClientCredentials.invalidate`."""
        self._invalidate(token)

    async def aclose(self) -> None:
        """See `OAuth2ClientCredentials.close`."""
        self._drop()

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _refresh(self, call: Call) -> Token:
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

    async def _seek(self, steps: Steps) -> Metadata:
        """Take the steps of a discovery with these, which know all but the token endpoint."""
        from ._discovery import next_step

        outcome: Outcome = None
        while True:
            step = next_step(steps, outcome)
            if not isinstance(step, (Request, float)):
                return step
            outcome = None
            if isinstance(step, float):
                await self._clock.sleep_in_loop(step)
                continue
            try:
                outcome = await self._send(step)
            except OAuth2Error as error:
                outcome = error

    async def _prepared(self, asked: Instant, call: Call) -> Request:
        """The next request, made in a thread of its own where that takes more than a moment."""
        if self._grant.credential_at_hand:
            return self._request(asked, call)
        timeout = self._attempt_timeout(call.deadline)
        return await within_in_loop(
            timeout,
            lambda: self._request_alone(asked, call, timeout),
            late=lambda: credential_is_late(self._grant, timeout),
        )

    # -- the lock: one task at a time in each loop

    def _renew_locks(self) -> None:
        super()._renew_locks()
        self._locks: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}

    async def _acquire(self, *, wait: bool) -> Callable[[], None] | None:
        """What gives the lock back, or None where somebody else has it."""
        loop, lock = self._lock()
        if not wait and lock.locked():
            return None
        await lock.acquire()  # fair, so each holder's time is up before ours is
        # A coroutine that its loop abandoned is finished by the garbage collector, anywhere.
        return lambda: None if loop.is_closed() else lock.release()

    def _lock(self) -> tuple[asyncio.AbstractEventLoop, asyncio.Lock]:
        """The lock of the running loop. Locks of closed loops are dropped."""
        import asyncio

        loop = running_loop()
        with self._swap_lock:
            if loop not in self._locks:
                still_open = {
                    other: lock for other, lock in self._locks.items() if not other.is_closed()
                }
                self._locks = {**still_open, loop: asyncio.Lock()}
            return loop, self._locks[loop]
