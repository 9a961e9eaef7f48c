"""One call's attempts to get a token: each request, what comes of it, and what follows a failure.

As in `_keeper`, nothing here waits, sends or needs an event loop.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ._client_secret import ClientSecretBasic
from ._clock import Clock, Instant
from ._errors import ConfigurationError, OAuth2Error, refuses_client
from ._grant import credential_is_late
from ._keeper import TokenKeeper
from ._protocol import expired_on_arrival, parse_token, token_request
from ._token import Lease, Token, attempt_timeout, wait_before_retry
from ._ways import untried, ways
from ._wire import Request, Response, identified

if TYPE_CHECKING:
    from ._discovery import MetadataSteps
    from .client_auth import ClientAuth, Credential
    from .providers import Provider

T = TypeVar("T")

_log = logging.getLogger("pygen_auth")

COLON_HINT = (
    "some servers cannot take an id or a secret with a colon in it by Basic; "
    "try client_auth='client_secret_post'"
)


@dataclass(eq=False, repr=False)
class Call:
    """One call that needs a token: how long it may take, and what it has tried."""

    deadline: float
    """By the monotonic clock, in seconds."""
    closings: int
    """How often the credentials had been closed when it began."""
    had_token: bool
    """Whether there was a token to go on with when it began."""
    attempt: int = 0
    request_id: str | None = None
    """Of the last request; None where none was sent."""
    proof: tuple[ClientAuth, Credential] | None = None
    """What the last request proved the client with."""
    store_seconds: float = 0.0
    """What operations of the store have taken of it."""
    credential: Credential | None = None
    """What its first request is to use, where that was read for the store."""
    refused: list[tuple[ClientAuth, Credential]] = field(default_factory=list)
    refusal: OAuth2Error | None = None


class TokenAttempts(TokenKeeper):
    """The keeper's other half: what brings the next token."""

    def _begin(self, *clock: Clock) -> None:
        super()._begin(*clock)
        self._ways = ways(self._grant.client_auth)
        self._warned_of_lifetime = False

    def _renew_locks(self) -> None:
        super()._renew_locks()
        self._reading: threading.Lock | None = None  # most have nothing to read

    def _call(self, now: Instant) -> Call:
        had_token = self._lease.usable(now)
        return Call(now.monotonic + self._timeout, self._closings, had_token)

    def _attempt_timeout(self, deadline: float) -> float:
        return attempt_timeout(deadline - self._clock.monotonic())

    def _alone_reading(self, timeout: float, read: Callable[[], T]) -> T:
        """What `read` gives, in a thread that may be left: one at a time, lest stuck ones pile
        up.
        """
        with self._swap_lock:
            self._reading = reading = self._reading or threading.Lock()
        if not reading.acquire(timeout=timeout):
            raise credential_is_late(self._grant, timeout)
        try:
            return read()
        finally:
            reading.release()

    def _request(self, asked: Instant, call: Call) -> Request:
        """The next request of a call; raises the refusal where there is no other way to try."""
        credential, call.credential = call.credential or self._grant.credential(), None
        way = untried(self._ways, call.refused, self.client_id, credential)
        if way is None:
            assert call.refusal is not None
            raise call.refusal
        call.proof = way, credential
        timeout = self._attempt_timeout(call.deadline)
        request = identified(token_request(self._grant, way, credential, asked.wall, timeout))
        call.request_id = request.id
        return request

    def _hold_new(self, call: Call, renewed: Callable[[Lease], Lease]) -> None:
        """Hold a new token, unless the credentials were closed since: whoever did wants none, and
        the caller that fetched it gets it all the same.
        """
        with self._swap_lock:
            if call.closings == self._closings:
                self._hold(renewed(self._lease))

    def _keep(self, response: Response, request: Request, asked: Instant, call: Call) -> Token:
        """Take the token out of the answer and hold it; `asked` is when the request went out."""
        method = self._grant.client_auth.name
        token = parse_token(response, asked, self._default_lifetime, request.secrets, method)
        if call.proof is not None and call.proof[0] is not self._ways[0]:
            self._ways = self._ways[::-1]  # begin with what works, next time
        now, chance = self._clock.now(), random.random()
        if token.expires.reached(now):
            raise expired_on_arrival(token)
        self._hold_new(call, lambda lease: lease.renewed(token, self._spread_margin, now, chance))
        # Only after the swap: a log handler or a listener may use these credentials itself.
        _log.info("token %s obtained, it lives %.0f s", token.fingerprint, token.lifetime)
        took = now.monotonic - asked.monotonic
        about = token.fingerprint, token.lifetime, took, call.attempt, call.request_id
        self._tell("TokenObtained", *about)
        if token.lifetime_assumed and not self._warned_of_lifetime:
            self._warned_of_lifetime = True
            _log.warning(
                "%s names no expires_in; default_lifetime=%.0f s is assumed",
                self.token_url.partition("?")[0],
                self._default_lifetime,
            )
        return token

    def _go_on_after(self, error: OAuth2Error, call: Call) -> float | Token:
        """Seconds to the next attempt of this call, or the held token to go on with.

        Raises `error` where there is neither.
        """
        error.__traceback__ = None  # its frames hold secrets, and error reporters show variables
        if call.refusal is not None and isinstance(error, ConfigurationError):
            error = call.refusal  # its source gave nothing else
        if error is not call.refusal:
            error.request_id, call.request_id = call.request_id, None
            self._tell("TokenRequestFailed", error, call.attempt)
        if self._refused(error, call):
            return 0.0
        now = self._clock.now()
        if not self._lease.usable(now):
            left = call.deadline - now.monotonic
            wait = wait_before_retry(error, call.attempt, left, random.random())
            if wait is not None:
                return wait
        chance = random.random()
        lease = self._swap(lambda lease: lease.failed(error, now, self._timeout, chance))
        if lease.token is None or not lease.usable(now):
            assert lease.failure is not None
            error.retry_after = lease.failure.retry_after
            raise error
        _log.warning(
            "token refresh failed; the held token %s stays in use for up to %.0f s: %s",
            lease.token.fingerprint,
            lease.end.until(now),
            error,
        )
        return self._used(lease.token, now)

    def _refused(self, error: OAuth2Error, call: Call) -> bool:
        """Whether the server refused the client itself, so that there may be another proof.

        Another one is a credential that has changed at its source, or the other Basic encoding.
        """
        if call.proof is None or error is call.refusal or not refuses_client(error):
            return False
        call.refused.append(call.proof)
        call.refusal = error
        way, credential = call.proof
        if isinstance(way, ClientSecretBasic) and ":" in f"{self.client_id}{credential}":
            error.hint = COLON_HINT
        return True

    # -- discovery

    def _steps_to(self, provider: Provider, verify_issuer: bool) -> MetadataSteps:
        """The steps to the provider's metadata, by this one's settings and clock."""
        from ._discovery import discovery

        assert provider.issuer is not None
        return discovery(
            provider.issuer,
            provider.issuers,
            verify_issuer=verify_issuer,
            insecure_hosts=self._insecure_hosts,
            timeout=self._timeout,
            monotonic=self._clock.monotonic,
            wall=self._clock.wall,
            chance=random.random,
        )
