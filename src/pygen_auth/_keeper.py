"""What the two shells share: the lease, and every swap of one lease for the next.

Nothing here waits, sends or needs an event loop. A shell (`_credentials`) adds the lock that lets
one caller refresh at a time, and the sender.
"""

from __future__ import annotations

import contextvars
import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._checks import check_seconds
from ._clock import SYSTEM_CLOCK, Clock, Instant
from ._errors import ConfigurationError, OAuth2Error, UnreachableError
from ._grant import credential_is_late
from ._interface import holders_of_locks
from ._protocol import expired_on_arrival, parse_token, token_request
from ._refusal import refuses_client
from ._settings import ClientSettings
from ._token import Lease, Token, attempt_timeout, wait_before_retry
from ._ways import untried, ways
from ._wire import Request, Response
from .client_auth import ClientAuth, ClientSecretBasic, Credential

if TYPE_CHECKING:
    from ._discovery import Steps
    from .providers import Provider

_log = logging.getLogger("pygen_auth")

COLON_HINT = (
    "some servers cannot take an id or a secret with a colon in it by Basic; "
    "try client_auth='client_secret_post'"
)

_turns: contextvars.ContextVar[tuple[Turn, ...]] = contextvars.ContextVar(
    "pygen_auth turns", default=()
)


class Turn:
    """One caller's turn to refresh.

    It marks the caller's context, of which threads and tasks get copies. Those may outlive it, and
    Ctrl-C can keep a mark from being taken off; so a mark counts until its turn is over.
    """

    __slots__ = ("_keeper", "over")

    def __init__(self, keeper: TokenKeeper) -> None:
        self._keeper = id(keeper)
        self.over = False

    def begin(self) -> None:
        """Mark this context."""
        _turns.set((*(turn for turn in _turns.get() if not turn.over), self))

    def is_on(self, keeper: TokenKeeper) -> bool:
        """Whether it is these credentials' turn, and not yet over."""
        return not self.over and self._keeper == id(keeper)


@dataclass
class Call:
    """One call that needs a token: how long it may take, and what it has tried."""

    deadline: float
    """By the monotonic clock, in seconds."""
    attempt: int = 0
    proof: tuple[ClientAuth, Credential] | None = None
    """What the last request proved the client with."""
    refused: list[tuple[ClientAuth, Credential]] = field(default_factory=list)
    refusal: OAuth2Error | None = None


class TokenKeeper(ClientSettings):
    """The lease on the current token, and what changes it."""

    def _begin(self, clock: Clock = SYSTEM_CLOCK) -> None:
        """Start without a token, by this clock."""
        self._clock = clock
        self._ways = ways(self._grant.client_auth)
        self._warned_of_lifetime = False
        self._hold(Lease())
        self._renew_locks()
        holders_of_locks.add(self)

    def _renew_locks(self) -> None:
        self._swap_lock = threading.Lock()
        self._reading = threading.Lock()

    def _hold(self, lease: Lease) -> None:
        until = lease.held_until()
        token = lease.token.access_token if lease.token else ""
        # All that get_headers() needs of a fresh token, in one attribute: that call is made
        # millions of times for each time that this one is.
        self._fresh = (
            self._clock.monotonic,
            until.monotonic,
            self._clock.wall,
            until.wall,
            f"Bearer {token}",
        )
        self._lease = lease

    def _swap(self, change: Callable[[Lease], Lease]) -> Lease:
        with self._swap_lock:
            self._hold(change(self._lease))
            return self._lease

    # -- settings

    @property
    def refresh_margin(self) -> float:
        """Seconds before expiry from which on a new token is fetched; can be assigned any time.

        At most half of a token's life counts.
        """
        return self._margin

    @refresh_margin.setter
    def refresh_margin(self, seconds: float) -> None:
        margin = check_seconds("refresh_margin", seconds, zero=True)
        with self._swap_lock:
            self._margin = margin
            self._hold(self._lease.with_margin(margin))

    # -- pickle and copy: the settings (with the secret), never a token, a lock or a client

    _OF_THIS_RUN = frozenset({
        "_clock", "_fresh", "_lease", "_lock", "_locks", "_reading", "_send",
        "_swap_lock", "_warned_of_lifetime", "_ways",
    })  # fmt: skip

    # -- discovery

    def _steps_to(self, provider: Provider, verify_issuer: bool) -> Steps:
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

    # -- steps of a token's life that both shells take

    def _held(self, lease: Lease, now: Instant) -> Token | None:
        """The token where no request is wanted now; raises the failure that still stands."""
        held = lease.held(now)
        if held is None and not lease.usable(now):
            failure = lease.standing_failure(now)
            if failure is not None:
                raise failure
        return held

    def _settled(self, seen: Lease) -> Token | None:
        """Look again after having waited: somebody else's token, or their failure."""
        lease, now = self._lease, self._clock.now()
        failure = lease.failure_since(seen, now)
        if failure is not None:
            raise failure
        return self._held(lease, now)

    def _out_of_turn(self, seen: Lease, now: Instant) -> Token:
        """Somebody else is refreshing, and this caller does not wait, or not any longer."""
        for lease in (self._lease, seen):
            if lease.token is not None and lease.usable(now):
                return lease.token
        raise UnreachableError(
            "Token request failed: these credentials were used within their own token request"
            if self._within_own_request()
            else f"Token request failed: another thread's request took over {self._timeout:.3g} s",
            retryable=True,
        )

    def _within_own_request(self) -> bool:
        """Whether the call comes out of its own token request, and would wait for itself.

        A log handler that uses the credentials and hears httpx makes such calls.
        """
        return any(turn.is_on(self) for turn in _turns.get())

    def _attempt_timeout(self, deadline: float) -> float:
        return attempt_timeout(deadline - self._clock.monotonic())

    def _request_alone(self, asked: Instant, call: Call, timeout: float) -> Request:
        """`_request` in a thread that may be left: one at a time, lest stuck ones pile up."""
        if not self._reading.acquire(timeout=timeout):
            raise credential_is_late(self._grant, timeout)
        try:
            return self._request(asked, call)
        finally:
            self._reading.release()

    def _request(self, asked: Instant, call: Call) -> Request:
        """The next request of a call; raises the refusal where there is no other way to try."""
        credential = self._grant.credential()
        way = untried(self._ways, call.refused, self.client_id, credential)
        if way is None:
            assert call.refusal is not None
            raise call.refusal
        call.proof = way, credential
        timeout = self._attempt_timeout(call.deadline)
        return token_request(self._grant, way, credential, asked.wall, timeout)

    def _keep(self, response: Response, request: Request, asked: Instant, call: Call) -> Token:
        """Take the token out of the answer and hold it; `asked` is when the request went out."""
        method = self._grant.client_auth.name
        token = parse_token(response, asked, self._default_lifetime, request.secrets, method)
        if call.proof is not None and call.proof[0] is not self._ways[0]:
            self._ways = self._ways[::-1]  # begin with what works, next time
        now, chance = self._clock.now(), random.random()
        if token.expires.reached(now):
            raise expired_on_arrival(token)
        self._swap(lambda lease: lease.renewed(token, self._margin, now, chance))
        # Only after the swap: a log handler may use these credentials itself.
        _log.info("token %s obtained, it lives %.0f s", token.fingerprint, token.lifetime)
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
        if call.refusal is not None and isinstance(error, ConfigurationError):
            error = call.refusal  # its source gave nothing else
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
        return lease.token

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

    def _invalidate(self, token: Token | str) -> None:
        if isinstance(token, str):
            held = self._lease.token
            if held is None or held.access_token != token:
                return  # a newer one is held, or none
            token = held
        now, chance = self._clock.now(), random.random()
        refused = token
        self._swap(lambda lease: lease.invalidated(refused, now, chance))

    def _drop(self) -> None:
        now = self._clock.now()
        self._swap(lambda lease: lease.dropped(now))
