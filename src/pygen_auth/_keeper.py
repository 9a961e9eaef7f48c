"""What the two shells share: the settings, the lease, and every swap of one lease for the next.

Nothing here waits, sends or needs an event loop. A shell (`_credentials`) adds the lock that lets
one caller refresh at a time, and the sender.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import os
import random
import ssl
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, ClassVar

from ._clients import Client, Verify, is_client_object
from ._clock import SYSTEM_CLOCK, Clock, Instant
from ._errors import ConfigurationError, OAuth2Error, UnreachableError
from ._grant import ClientSecret, Params, check_grant, check_hosts, check_seconds
from ._interface import holders_of_locks
from ._protocol import expired_on_arrival, parse_token, token_request
from ._token import Lease, Token, attempt_timeout, wait_before_retry
from ._wire import Request, Response

_log = logging.getLogger("pygen_auth")

_refreshing: contextvars.ContextVar[frozenset[int]] = contextvars.ContextVar(
    "pygen_auth refreshing", default=frozenset()
)


class TokenKeeper:
    """Settings, checked, and the lease on the current token."""

    _takes_async_client: ClassVar[bool]

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: ClientSecret | None = None,
        scopes: Iterable[str] | str | None = None,
        audience: str | None = None,
        refresh_margin: float = 300,
        *,
        client_auth: str = "client_secret_post",
        params: Params | None = None,
        client: Client | None = None,
        verify: Verify = True,
        insecure_hosts: Collection[str] = (),
        timeout: float = 30.0,
        default_lifetime: float = 3600.0,
    ) -> None:
        hosts = check_hosts(insecure_hosts)
        self._grant = check_grant(
            token_url, client_id, client_secret, scopes, audience, params, client_auth, hosts
        )
        self._margin = check_seconds("refresh_margin", refresh_margin, zero=True)
        self._client = self._check_client(client)
        self._verify = _check_verify(verify, client)
        self._timeout = check_seconds("timeout", timeout, finite=True)
        self._default_lifetime = check_seconds("default_lifetime", default_lifetime, finite=True)
        self._begin()

    def _begin(self, clock: Clock = SYSTEM_CLOCK) -> None:
        """Start without a token, by this clock."""
        self._clock = clock
        self._warned_of_lifetime = False
        self._hold(Lease())
        self._renew_locks()
        holders_of_locks.add(self)

    def _renew_locks(self) -> None:
        self._swap_lock = threading.Lock()

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

    # -- settings, as Pygen has them

    @property
    def token_url(self) -> str:
        """The token endpoint (RFC 6749 §3.2)."""
        return self._grant.token_url

    @property
    def client_id(self) -> str:
        """The client identifier (RFC 6749 §2.2)."""
        return self._grant.client_id

    @property
    def client_secret(self) -> ClientSecret:
        """The client's secret, or the callable that gives it."""
        return self._grant.client_secret

    @property
    def scopes(self) -> list[str]:
        """The scopes that are asked for; empty where none are."""
        return list(self._grant.scopes)

    @property
    def audience(self) -> str | None:
        """The audience that is asked for, as Auth0 and others want it."""
        return self._grant.audience

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

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(token_url={self.token_url.partition('?')[0]!r}, "
            f"client_id={self.client_id!r}, scopes={self.scopes!r}, audience={self.audience!r})"
        )

    # -- pickle and copy: the settings (with the secret), never a token, a lock or a client

    _OF_THIS_RUN: ClassVar = {
        "_clock", "_fresh", "_lease", "_lock", "_locks", "_send", "_swap_lock",
        "_warned_of_lifetime",
    }  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        if is_client_object(self._client):
            raise ConfigurationError(
                "client is an object, which no pickle or copy can carry; pass a callable that "
                "makes one, as in client=httpx.Client"
            )
        if isinstance(self._verify, ssl.SSLContext):
            raise ConfigurationError(
                "verify is an ssl.SSLContext, which no pickle or copy can carry; pass the path "
                "of a CA file"
            )
        return {name: value for name, value in vars(self).items() if name not in self._OF_THIS_RUN}

    def __setstate__(self, settings: dict[str, Any]) -> None:
        vars(self).update(settings)
        self._begin()

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

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Mark this context, and the thread that gets a copy of it, as refreshing."""
        marked = _refreshing.set(_refreshing.get() | {id(self)})
        try:
            yield
        finally:
            with contextlib.suppress(ValueError):  # an abandoned coroutine ends anywhere
                _refreshing.reset(marked)

    def _within_own_request(self) -> bool:
        """Whether the call comes out of its own token request, and would wait for itself.

        A log handler that uses the credentials and hears httpx makes such calls.
        """
        return id(self) in _refreshing.get()

    def _attempt_timeout(self, deadline: float) -> float:
        return attempt_timeout(deadline - self._clock.monotonic())

    def _request(self, secret: str, deadline: float) -> Request:
        return token_request(self._grant, secret, self._attempt_timeout(deadline))

    def _keep(self, response: Response, request: Request, asked: Instant) -> Token:
        """Take the token out of the answer and hold it; `asked` is when the request went out."""
        token = parse_token(response, asked, self._default_lifetime, request.secrets)
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

    def _go_on_after(self, error: OAuth2Error, attempt: int, deadline: float) -> float | Token:
        """Seconds to the next attempt of this call, or the held token to go on with.

        Raises `error` where there is neither.
        """
        now = self._clock.now()
        if not self._lease.usable(now):
            left = deadline - now.monotonic
            wait = wait_before_retry(error, attempt, left, random.random())
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

    def _invalidate(self, token: Token) -> None:
        now, chance = self._clock.now(), random.random()
        self._swap(lambda lease: lease.invalidated(token, now, chance))

    def _check_client(self, client: Client | None) -> Client | None:
        if client is None:
            return None
        if not is_client_object(client) and not callable(client):
            raise ConfigurationError("client must be an httpx client or a callable that gives one")
        if is_client_object(client) and hasattr(client, "aclose") and not self._takes_async_client:
            raise ConfigurationError(
                "client is an asynchronous one; these credentials are synchronous"
            )
        return client


def _check_verify(verify: Verify, client: Client | None) -> Verify:
    if verify is True or isinstance(verify, ssl.SSLContext):
        known = True
    elif isinstance(verify, bool) or not isinstance(verify, (str, os.PathLike)):
        raise ConfigurationError(
            "verify must be True, an ssl.SSLContext or the path of a CA file; checking "
            "certificates cannot be switched off, since the secret would go to anybody"
        )
    else:
        known = os.path.isfile(verify)
    if not known:
        raise ConfigurationError(f"verify names no file: {os.fspath(verify)!r}")  # type: ignore[arg-type]
    if client is not None and verify is not True:
        raise ConfigurationError("verify has no effect on the given client; set it up there")
    return verify
