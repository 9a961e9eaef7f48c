"""The synchronous shell: client credentials, kept fresh, for threads.

A shell adds a lock to the keeper, so that one caller refreshes at a time, and a sender.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ._attempts import Call
from ._clock import Clock, Instant
from ._errors import OAuth2Error
from ._grant import ClientSecret, credential_is_late
from ._http import Sender
from ._interface import Credentials
from ._keeper import GRACE, Turn
from ._sharing import SharedAttempts
from ._steps import Done, Steps, Work, next_step
from ._token import Lease, Token
from ._wire import Request
from ._worker import behind, within

if TYPE_CHECKING:
    from .providers import Provider

T = TypeVar("T")
Self = TypeVar("Self", bound="OAuth2ClientCredentials")


class OAuth2ClientCredentials(SharedAttempts, Credentials, made_of="client_credentials"):
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
        client_auth: how the client proves itself: "client_secret_post" (in the form),
            "client_secret_basic" (in a header), or a value of `pygen_auth.client_auth`.
        params: further form fields; a list as value is sent as a repeated field (RFC 8707).
        client: an httpx or httpx2 client of yours for the token requests, or a callable that
            makes one for each; for special proxies and the like.
        verify: True, an `ssl.SSLContext`, or the path of a CA file. SSL_CERT_FILE, SSL_CERT_DIR
            and the proxy variables of the environment are honoured.
        insecure_hosts: hosts that may be spoken to over plain http, e.g. `("keycloak",)`.
        timeout: seconds one call may take, its retries and waits included.
        default_lifetime: seconds a token lives where the server does not say.
        store: a `pygen_auth.stores.TokenStore`, to share the token with other processes.
        background_refresh: True has a thread fetch the next token while callers go on with the
            one that is due.
        on_event: a callable that hears what happens to tokens; see `pygen_auth.events`.

    Raises:
        ConfigurationError: a setting cannot be right; the message names it.
    """

    _takes_async_client = False

    def _begin(self, *clock: Clock) -> None:
        super()._begin(*clock)
        self._send = Sender(self._connection)

    @classmethod
    def discover(
        cls: type[Self],
        issuer: str | Provider,
        client_id: str,
        client_secret: ClientSecret | None = None,
        *,
        verify_issuer: bool = True,
        **keywords: Any,
    ) -> Self:
        """Credentials for a server that says itself where its token endpoint is (RFC 8414).

        Sends one or two requests, more where the server is not well. How the client proves itself
        is chosen from what the server takes, unless `client_auth` says it.

        Args:
            issuer: the server's issuer URL, the whole URL of its metadata, or a `Provider` with
                an issuer.
            client_id: the client identifier.
            client_secret: the secret, or a callable that gives it.
            verify_issuer: False takes metadata that names another issuer. The exception: whoever
                can serve such a document gets the client's secret.
            **keywords: those of the constructor, all but `token_url`. `timeout` holds for the
                discovery, too.

        Raises:
            ConfigurationError: a setting cannot be right, or the server takes no such client.
            UnreachableError: no server answered.
            RefusedError: there is no metadata where it should be.
            InvalidResponseError: the metadata cannot be used, or is that of another issuer.
        """
        from ._keywords import found, to_discover  # here, as the presets

        provider, known = to_discover(issuer, keywords)
        seeker = cls(client_id=client_id, client_secret=client_secret, **known)
        metadata = seeker._carry_out(seeker._steps_to(provider, verify_issuer))
        how = found(metadata, known.get("client_auth"), secret=client_secret is not None)
        return cls(client_id=client_id, client_secret=client_secret, **{**known, **how})

    def get_headers(self) -> dict[str, str]:
        """See `Credentials.get_headers`."""
        wall, since, until, authorization = self._glance.fresh
        if since <= wall() < until:
            return {"Authorization": authorization}
        return {"Authorization": self.token().authorization}

    def _at_hand(self) -> dict[str, str] | None:
        wall, since, until, authorization = self._glance.fresh
        if since <= wall() < until:
            return {"Authorization": authorization}
        if self._background_refresh and self._lease.usable(self._clock.now()):
            return self.get_headers()  # a thread refreshes
        return None

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
        if self._background_refresh and seen.usable(now):
            self._refresh_behind(seen)
            return self._out_of_turn(seen, now)
        release, turn = None, Turn(self)
        try:
            release, waited = self._acquire(wait=not seen.usable(now))
            if release is None:
                return self._out_of_turn(seen, now)
            turn.begin()
            self._tell_of_waiting(waited)
            return self._settled(seen) or self._refresh(self._call(now))
        finally:
            turn.over = True
            if release is not None:
                release()

    def invalidate(self, token: Token | str) -> None:
        """Drop a token that a resource server refused with 401; a newer one stays.

        Args:
            token: the token, or the access token in it.

        If the next token is refused as well, further token requests wait 1 s to 30 s, and until
        then the refused token is handed out, so that you see the API's own answer.
        """
        self._carry_out(self._invalidation(token))

    def close(self) -> None:
        """Drop the token. Not needed; a later call simply fetches again."""
        self._close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _refresh_for_others(self, seen: Lease) -> None:
        """Refresh while the callers go on with the held token. A failure stands in the lease."""
        with self._alone(), contextlib.suppress(OAuth2Error):
            if self._settled(seen) is None:
                self._refresh(self._call(self._clock.now()))

    def _refresh(self, call: Call) -> Token:
        if self._store is None:
            return self._fetch(call)
        return self._carry_out(self._shared(call))

    def _fetch(self, call: Call) -> Token:
        while True:
            call.attempt += 1
            asked = self._clock.now()
            try:
                request = self._prepared(asked, call)
                response = self._send(request)
                return self._keep(response, request, asked, call)
            except OAuth2Error as error:
                wait = self._go_on_after(error, call)
            if isinstance(wait, Token):
                return wait
            if wait:
                self._clock.sleep(wait)

    def _carry_out(self, steps: Steps[T]) -> T:
        outcome: object = None
        with contextlib.closing(steps):
            while True:
                step = next_step(steps, outcome)
                if isinstance(step, Done):
                    return step.value
                try:
                    outcome = self._do(step)
                except Exception as error:
                    outcome = error

    def _do(self, step: Any) -> object:
        """What comes of one step; see `_steps`."""
        if isinstance(step, Call):
            return self._fetch(step)
        if isinstance(step, Request):
            return self._send(step)
        if isinstance(step, Work):
            return within(step.seconds, step.run, late=step.late)
        self._clock.sleep(step)
        return None

    def _prepared(self, asked: Instant, call: Call) -> Request:
        """The next request, made in a thread of its own where that takes more than a moment."""
        if self._grant.credential_at_hand:
            return self._request(asked, call)
        timeout = self._attempt_timeout(call.deadline)
        return within(
            timeout,
            lambda: self._alone_reading(timeout, lambda: self._request(asked, call)),
            late=lambda: credential_is_late(self._grant, timeout),
        )

    # -- the lock: one thread at a time

    def _renew_locks(self) -> None:
        super()._renew_locks()
        self._lock = threading.Lock()

    def _acquire(self, *, wait: bool) -> tuple[Callable[[], None] | None, float | None]:
        """What gives the lock back, or None where somebody else has it; and since when this caller
        waited for it, by the monotonic clock, if it did.
        """
        lock = self._lock
        if lock.acquire(blocking=False):
            return lock.release, None
        if not wait:
            return None, None
        begun = self._clock.monotonic()
        timeout = min(self._timeout + GRACE, threading.TIMEOUT_MAX)  # 49 days on Windows
        if lock.acquire(timeout=timeout):
            return lock.release, begun
        if self._lock is lock:
            # No holder may take that long. It was interrupted between getting the lock and
            # knowing that it has it, as Ctrl-C can do.
            self._lock = threading.Lock()
        return None, begun

    def _refresh_behind(self, seen: Lease) -> None:
        """Have a thread refresh, unless one does."""
        release, _ = self._acquire(wait=False)
        if release is None:
            return

        def work() -> None:
            try:
                self._refresh_for_others(seen)
            finally:
                release()

        behind(work, otherwise=release)
