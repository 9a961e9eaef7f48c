"""Client credentials, kept fresh, for threads and for event loops.

`OAuth2ClientCredentials` and `AsyncOAuth2ClientCredentials` are two shells round the same keeper:
each adds a lock, so that one caller refreshes at a time, and a sender. They differ by `await`;
`tests/test_twins.py` holds them to that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from ._clock import Clock
from ._errors import OAuth2Error
from ._grant import secret_is_late
from ._http import AsyncSender, Sender, within, within_in_loop
from ._interface import AsyncCredentials, Credentials
from ._keeper import TokenKeeper
from ._token import Lease, Token

if TYPE_CHECKING:
    import asyncio

Self = TypeVar("Self", bound=TokenKeeper)


class OAuth2ClientCredentials(TokenKeeper, Credentials):
    """A token from the client credentials grant (RFC 6749 §4.4), kept fresh.

    The token is fetched at the first use and again ahead of its expiry, by one thread while the
    others go on. A failed refresh never takes a working token away. Objects can be shared between
    threads, forked, pickled (with the secret, without the token) and never need to be closed.

    Args:
        token_url: the token endpoint, https; http only on this machine and `insecure_hosts`.
        client_id: the client identifier.
        client_secret: the secret, or a callable without arguments that is asked for it at each
            token request.
        scopes: list of str, or one str with spaces between them.
        audience: sent as the form field `audience`, as Auth0 and others want it.
        refresh_margin: seconds before expiry from which on a new token is fetched; at most half
            of a token's life counts. Can be assigned later.
        client_auth: "client_secret_post" (in the form) or "client_secret_basic" (RFC 6749 §2.3.1).
        params: further form fields; a list as value is sent as a repeated field (RFC 8707).
        client: an httpx or httpx2 client of yours for the token requests, or a callable that
            makes one for each; for client certificates, special proxies and the like.
        verify: True, an `ssl.SSLContext`, or the path of a CA file. SSL_CERT_FILE, SSL_CERT_DIR
            and the proxy variables of the environment are honoured.
        insecure_hosts: hosts that may be spoken to over plain http, e.g. `("keycloak",)`.
        timeout: seconds one call may take, its retries and waits included.
        default_lifetime: seconds a token lives where the server does not say.

    Raises:
        ConfigurationError: a setting cannot be right; the message names it.
    """

    _takes_async_client = False

    def _begin(self, *clock: Clock) -> None:
        super()._begin(*clock)
        self._send = Sender(self._client, self._verify)

    def get_headers(self) -> dict[str, str]:
        """See `Credentials.get_headers`."""
        monotonic, until, wall, until_wall, authorization = self._fresh
        if monotonic() < until and wall() < until_wall:
            return {"Authorization": authorization}
        token = self.token()
        return {"Authorization": f"Bearer {token.access_token}"}

    def refresh_if_needed(self) -> None:
        """See `Credentials.refresh_if_needed`."""
        self.token()

    def token(self) -> Token:
        """The token to use now, fetched if there is none or it is due.

        Raises:
            OAuth2Error: there is no usable token and none can be had.
        """
        seen, now = self._lease, self._clock.now()
        held = self._held(seen, now)
        if held is not None:
            return held
        if self._within_own_request():
            return self._out_of_turn(seen, now)
        release = None
        try:
            release = self._acquire(wait=not seen.usable(now))
            if release is None:
                return self._out_of_turn(seen, now)
            with self._alone():
                return self._settled(seen) or self._refresh(now.monotonic + self._timeout)
        finally:
            if release is not None:
                release()

    def invalidate(self, token: Token) -> None:
        """Drop a token that a resource server refused with 401; a newer one stays.

        If the next token is refused as well, further token requests wait 1 s to 30 s, and until
        then the refused token is handed out, so that you see the API's own answer.
        """
        self._invalidate(token)

    def close(self) -> None:
        """Drop the token. Not needed; a later call simply fetches again."""
        self._swap(Lease.dropped)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _refresh(self, deadline: float) -> Token:
        attempt = 0
        while True:
            attempt += 1
            asked = self._clock.now()
            try:
                secret = self._secret(deadline)
                request = self._request(secret, deadline)
                response = self._send(request)
                return self._keep(response, request, asked)
            except OAuth2Error as error:
                wait = self._go_on_after(error, attempt, deadline)
            if isinstance(wait, Token):
                return wait
            self._clock.sleep(wait)

    def _secret(self, deadline: float) -> str:
        if isinstance(self._grant.client_secret, str):
            return self._grant.client_secret
        timeout = self._attempt_timeout(deadline)
        return within(timeout, self._grant.secret, late=lambda: secret_is_late(timeout))

    # -- the lock: one thread at a time

    def _renew_locks(self) -> None:
        super()._renew_locks()
        self._lock = threading.Lock()

    def _acquire(self, *, wait: bool) -> Callable[[], None] | None:
        """What gives the lock back, or None where somebody else has it."""
        lock = self._lock
        timeout = min(self._timeout, threading.TIMEOUT_MAX)  # 49 days on Windows
        if lock.acquire(timeout=timeout if wait else 0):
            return lock.release
        if wait and self._lock is lock:
            # No holder may take that long. It was interrupted between getting the lock and
            # knowing that it has it, as Ctrl-C can do.
            self._lock = threading.Lock()
        return None


class AsyncOAuth2ClientCredentials(TokenKeeper, AsyncCredentials):
    """The twin of `OAuth2ClientCredentials` for asynchronous programs.

    Takes the same arguments; `client` may also be an asynchronous client, which serves the event
    loop it belongs to. One object works in successive `asyncio.run` calls, and in several loops
    at once (at worst with one token request for each).
    """

    _takes_async_client = True

    def _begin(self, *clock: Clock) -> None:
        super()._begin(*clock)
        self._send = AsyncSender(self._client, self._verify)

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
        release = None
        try:
            release = await self._acquire(wait=not seen.usable(now))
            if release is None:
                return self._out_of_turn(seen, now)
            with self._alone():
                return self._settled(seen) or await self._refresh(now.monotonic + self._timeout)
        finally:
            if release is not None:
                release()

    async def invalidate(self, token: Token) -> None:
        """See `OAuth2ClientCredentials.invalidate`."""
        self._invalidate(token)

    async def aclose(self) -> None:
        """See `OAuth2ClientCredentials.close`."""
        self._swap(Lease.dropped)

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _refresh(self, deadline: float) -> Token:
        attempt = 0
        while True:
            attempt += 1
            asked = self._clock.now()
            try:
                secret = await self._secret(deadline)
                request = self._request(secret, deadline)
                response = await self._send(request)
                return self._keep(response, request, asked)
            except OAuth2Error as error:
                wait = self._go_on_after(error, attempt, deadline)
            if isinstance(wait, Token):
                return wait
            await self._clock.sleep_in_loop(wait)

    async def _secret(self, deadline: float) -> str:
        if isinstance(self._grant.client_secret, str):
            return self._grant.client_secret
        timeout = self._attempt_timeout(deadline)
        return await within_in_loop(
            timeout, self._grant.secret, late=lambda: secret_is_late(timeout)
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

        loop = asyncio.get_running_loop()
        with self._swap_lock:
            if loop not in self._locks:
                still_open = {
                    other: lock for other, lock in self._locks.items() if not other.is_closed()
                }
                self._locks = {**still_open, loop: asyncio.Lock()}
            return loop, self._locks[loop]
