"""The token and every rule about its time: when it is fresh, due or expired, and when to ask again.

Rule 1: all rules about time and repetition stand in this file. Rule 2: it reads no clock and rolls
no dice; the moment (`now`) and the random number (`chance`, 0 to 1) are arguments. Rule 3: tokens
and leases are values; whoever holds a lease swaps it for the one that a method returns.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import Enum

from ._clock import PAST, Instant
from ._errors import OAuth2Error, copy_of

ATTEMPTS = 3
"""Token requests within one call that has no token: one more than a single lost packet needs."""
LONGEST_PAUSE = 30.0
"""Seconds: how late, at most, a restored server is used again."""
LONGEST_SERVER_PAUSE = 300.0
"""Seconds that a server's Retry-After may impose; some quotas name a whole day."""
SAME_TOKEN_PAUSE = 10.0
"""Seconds before a token that the server handed out twice is asked for again."""
LOOK_AGAIN = 5.0
"""Seconds, at most, after which a due token is looked for in the store once more: often enough
within a margin of minutes, and little for a store that thousands look into."""
UNCHALLENGED = 30.0
"""Seconds after which a token that followed a refused one counts as good."""


_BEARER = "Bearer "
"""RFC 6750 §2.1."""


class TokenState(Enum):
    """What may be done with a token now."""

    FRESH = "fresh"
    """Use it."""
    DUE = "due"
    """Use it; one caller fetches the next one."""
    EXPIRED = "expired"
    """Do not use it; all wait for one refresh. Also where there is no token."""


@dataclass(frozen=True)
class Token:
    """An access token (RFC 6749 §1.4), always of type Bearer. Never changed, only replaced."""

    authorization: str = field(repr=False)
    """`Bearer …`, as the header has it. The token's text is kept in it alone: it is most of what
    credentials hold, and a service holds thousands of them."""
    expires: Instant = field(repr=False)
    """When it expires, by both clocks."""
    lifetime: float
    """Seconds from the request to the expiry, as the server named it."""
    scope: str | None = None
    """What was granted, where the server says so (RFC 6749 §5.1)."""
    lifetime_assumed: bool = False
    """Whether the server named no lifetime, so that `lifetime` is the caller's default."""

    @classmethod
    def bearer(
        cls,
        access_token: str,
        expires: Instant,
        lifetime: float,
        scope: str | None = None,
        lifetime_assumed: bool = False,
    ) -> Token:
        """The token with this text."""
        return cls(f"{_BEARER}{access_token}", expires, lifetime, scope, lifetime_assumed)

    @property
    def access_token(self) -> str:
        """Its text, without `Bearer`."""
        return self.authorization[len(_BEARER) :]

    @property
    def expires_at(self) -> float:
        """When it expires by the wall clock, in seconds since the epoch."""
        return self.expires.wall

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits of its SHA-256: names the token in a log, and opens nothing."""
        return hashlib.sha256(self.access_token.encode()).hexdigest()[:8]

    def due(self, margin: float) -> Instant:
        """When to fetch the next one: `margin` seconds ahead of expiry, at most half its life.

        Without the half, a token that lives less than the margin would be fetched on every call.
        """
        return self.expires.after(-min(margin, self.lifetime / 2))


@dataclass(frozen=True, slots=True)
class Lease:
    """The token that is held, and what is known against asking for another one."""

    token: Token | None = None
    due: Instant = PAST
    end: Instant = PAST
    """From here on the token is not handed out: its expiry, or earlier if it was refused."""
    pause: Instant = PAST
    """No token request before this moment."""
    failure: OAuth2Error | None = None
    """Why the last token request failed; None once one has succeeded."""
    failed_at: Instant = PAST
    failures: int = 0
    """Failed refreshes in a row."""
    refusals: int = 0
    """Tokens in a row that a resource server refused."""
    refused: str | None = field(default=None, repr=False)
    quiet_since: Instant = PAST
    """When a series of refusals last went on: a refusal, or the token that followed it."""

    # -- questions

    def usable(self, now: Instant) -> bool:
        """Whether there is a token that may be handed out."""
        return self.token is not None and not self.end.reached(now)

    def state(self, now: Instant) -> TokenState:
        """Where the token is in its life."""
        if not self.usable(now):
            return TokenState.EXPIRED
        return TokenState.DUE if self.due.reached(now) else TokenState.FRESH

    def held_until(self) -> Instant:
        """The token is used without asking for another one until then."""
        return PAST if self.token is None else self.due.or_later(self.pause).or_earlier(self.end)

    def held(self, now: Instant) -> Token | None:
        """The token, while it is to be used without asking for another one."""
        return None if self.held_until().reached(now) else self.token

    def standing_failure(self, now: Instant) -> OAuth2Error | None:
        """The failure that every caller without a token gets until the pause is over."""
        return None if self.pause.reached(now) else self._failure_for(now)

    def failure_since(self, seen: Lease, now: Instant) -> OAuth2Error | None:
        """The failure of a refresh that somebody else made since `seen`, if it left no token."""
        if self.failure is seen.failure or self.usable(now):
            return None
        return self._failure_for(now)

    def _failure_for(self, now: Instant) -> OAuth2Error | None:
        """The last failure, for one more caller, saying how long it stands."""
        if self.failure is None:
            return None
        age = max(0.0, now.monotonic - self.failed_at.monotonic)
        left = self.pause.until(now)
        return copy_of(
            self.failure,
            note=f"; that was {age:.1f} s ago, the next token request goes out in {left:.1f} s",
            retry_after=max(left, (self.failure.retry_after or 0.0) - age),
        )

    # -- what happens

    def renewed(self, token: Token, margin: float, now: Instant, chance: float) -> Lease:
        """A token request brought `token`. `margin` in seconds."""
        lease = Lease(token=token, due=token.due(margin), end=token.expires)
        same = self.token is not None and self.token.access_token == token.access_token
        if same:  # a server or a proxy with a cache: asking again at once brings it once more
            lease = replace(lease, pause=now.after(SAME_TOKEN_PAUSE))
        after_refusal = self.token is None or self.token.access_token == self.refused
        again = token.access_token == self.refused
        if self.refusals == 0 or (self._quiet(now) and (again or not after_refusal)):
            return lease
        if again:
            return replace(self, token=token, due=lease.due)._on_probation(now, chance)
        return replace(
            lease,
            refusals=self.refusals,
            refused=self.refused,
            quiet_since=now if after_refusal else self.quiet_since,
        )

    def failed(self, error: OAuth2Error, now: Instant, timeout: float, chance: float) -> Lease:
        """A token request failed; `timeout` is the seconds one call may take."""
        failures = self.failures + 1
        own = pause_after(failures, chance)
        asked = min(error.retry_after or 0.0, LONGEST_SERVER_PAUSE)
        pause = now.after(max(own, asked))
        if self.token is not None and self.usable(now):
            last_chance = self.end.after(-timeout)
            if asked <= own and not last_chance.reached(now):
                pause = pause.or_earlier(last_chance)
            pause = pause.or_earlier(self.end)  # the first call without a token asks at once
        failure = copy_of(error, retry_after=max(error.retry_after or 0.0, pause.until(now)))
        return replace(self, pause=pause, failure=failure, failed_at=now, failures=failures)

    def put_off(self, now: Instant, chance: float) -> Lease:
        """Another process is refreshing: the token stays, and is looked for again soon."""
        wait = min(LOOK_AGAIN, self.end.until(now) / 4) * (0.5 + chance / 2)
        return replace(self, pause=now.after(wait))

    def invalidated(self, token: Token, now: Instant, chance: float) -> Lease:
        """A resource server refused `token`. A newer one stays."""
        if self.token is None or self.token.access_token != token.access_token:
            return self
        if self.token.access_token == self.refused:  # known: it is out on probation
            return replace(self, quiet_since=now)
        if not self.usable(now):  # that says nothing new, and a pause begun since stays
            return self
        if self.refusals == 0 or self._quiet(now):
            return Lease(refusals=1, refused=token.access_token, quiet_since=now)
        return replace(self, refused=token.access_token, quiet_since=now)._on_probation(now, chance)

    def dropped(self, now: Instant) -> Lease:
        """The caller wants the token gone. A pause without one, and a token on probation, stay:
        closing and asking again in a loop must not wear down a server.
        """
        if self.token is None or self.token.access_token == self.refused:
            return self
        return replace(self, token=None, pause=PAST if self.usable(now) else self.pause)

    def with_margin(self, margin: float) -> Lease:
        """The caller set another refresh margin, in seconds."""
        return replace(self, due=self.token.due(margin)) if self.token else self

    def _on_probation(self, now: Instant, chance: float) -> Lease:
        """Hand the refused token out until the pause is over, so that callers see the API's 401.

        A new one now would be refused as well, and each would cost a token request.
        """
        assert self.token is not None
        end = now.after(pause_after(self.refusals, chance)).or_earlier(self.token.expires)
        return replace(
            self, pause=end, end=end, refusals=self.refusals + 1, failure=None, failures=0
        )

    def _quiet(self, now: Instant) -> bool:
        return self.quiet_since.after(UNCHALLENGED).reached(now)


def pause_after(failures: int, chance: float) -> float:
    """Seconds to leave a server alone: 1, 2, 4 … 30, times a random factor of 0.5 to 1.

    The factor keeps a fleet that failed together from coming back together.
    """
    return min(2.0 ** min(failures - 1, 10), LONGEST_PAUSE) * (0.5 + chance / 2)


def wait_before_retry(error: OAuth2Error, attempt: int, left: float, chance: float) -> float | None:
    """Seconds to wait before the next attempt of the same call, or None to give up.

    `left` is what remains of the call's time-out, in seconds. Full jitter, as in AWS's
    "Exponential backoff and jitter"; a server's Retry-After counts if it fits.
    """
    if not error.retryable or attempt >= ATTEMPTS:
        return None
    wait = max(error.retry_after or 0.0, chance * min(2.0 ** (attempt - 1), left / 2))
    return wait if wait < left else None


def attempt_timeout(left: float) -> float:
    """Seconds for one attempt: half of what is left, so that a lost answer leaves a second try.

    None is left where a wait took longer than it should have, as when the machine slept.
    """
    return max(0.0, left / 2)
