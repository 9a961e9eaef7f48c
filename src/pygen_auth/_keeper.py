"""What the two shells share: the lease, and every swap of one lease for the next.

Nothing here waits, sends or needs an event loop. A shell (`_credentials`) adds the lock that lets
one caller refresh at a time, and the sender.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import random
import threading
from collections.abc import Callable, Iterator
from typing import Literal

from ._checks import check_seconds
from ._clock import SYSTEM_CLOCK, Clock, Instant
from ._errors import UnreachableError
from ._interface import holders_of_locks
from ._settings import ClientSettings
from ._token import Lease, Token

GRACE = 0.5
"""Seconds beyond its own time-out for which a call waits for the one that refreshes: that one began
as late as this one, and is about to say what came of it."""
MARGIN_SPREAD = 0.1
"""Of the margin, at most: 30 s for the usual one of 300 s, too little for anybody to notice."""

GLANCE = 1.0
"""Seconds, at most, for which a token that both clocks call fresh is handed out at a glance at the
wall clock alone. Nothing that matters to a token happens in less."""

_turns: contextvars.ContextVar[tuple[Turn, ...]] = contextvars.ContextVar(
    "pygen_auth turns", default=()
)


class Turn:
    """One caller's turn to refresh.

    It marks the caller's context, of which threads and tasks get copies. Those may outlive it, and
    Ctrl-C can keep a mark from being taken off; so a mark counts until its turn is over.
    """

    __slots__ = ("_keeper", "_process", "over")

    def __init__(self, keeper: TokenKeeper) -> None:
        self._keeper, self._process = id(keeper), os.getpid()  # a child of a fork has no turn
        self.over = False

    def begin(self) -> None:
        """Mark this context."""
        _turns.set((*(turn for turn in _turns.get() if not turn.over), self))

    def is_on(self, keeper: TokenKeeper) -> bool:
        """Whether it is these credentials' turn, and not yet over."""
        mine = self._keeper == id(keeper) and self._process == os.getpid()
        return mine and not self.over


EventName = Literal[
    "HeldTokenUsed",
    "SharedTokenTaken",
    "TokenInvalidated",
    "TokenObtained",
    "TokenRequestFailed",
    "Waited",
]
"""Of a class in `events`, which are loaded for who listens: they take 3 ms."""

Stretch = tuple[Callable[[], float], float, float, str]
"""All that `get_headers()` needs of a fresh token, which is called millions of times for each time
that a lease changes: the wall clock; from when until when, by it, the token may be handed out
without a look at the other clock; and the header's value."""


class Glance:
    """The token of one lease at hand, while the wall clock is in the stretch.

    A wall clock that is set forward or back leaves the stretch, and then both clocks are read. A
    stretch is what a look at this very lease says, so to replace it takes no lock: a glance whose
    lease was replaced has no reader.
    """

    __slots__ = ("fresh", "lease")

    def __init__(self, lease: Lease, wall: Callable[[], float]) -> None:
        authorization = lease.token.authorization if lease.token else ""
        self.lease = lease
        self.fresh: Stretch = (wall, 0.0, 0.0, authorization)


class TokenKeeper(ClientSettings):
    """The lease on the current token, and what changes it."""

    def _begin(self, clock: Clock = SYSTEM_CLOCK) -> None:
        """Start without a token, by this clock."""
        self._clock = clock
        self._closings = 0
        self._hold(Lease())
        self._renew_locks()
        holders_of_locks.add(self)

    def _renew_locks(self) -> None:
        """What each process has for itself; called anew in the child of a fork."""
        # Entered again by a signal handler or a finalizer that comes while it is held, and uses
        # these credentials.
        self._swap_lock = threading.RLock()
        self._spread = MARGIN_SPREAD * random.random() if self._store is not None else 0.0
        self._hold(self._lease.with_margin(self._spread_margin))

    def _hold(self, lease: Lease) -> None:
        glance = Glance(lease, self._clock.wall)
        self._glance, self._lease = glance, lease  # at once: Ctrl-C must not come in between

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
            self._hold(self._lease.with_margin(self._spread_margin))

    @property
    def _spread_margin(self) -> float:
        """The margin, and a little more for those who share a token: they would otherwise all
        look for the next one in the same second.
        """
        return self._margin * (1 + self._spread)

    # -- pickle and copy: the settings (with the secret), never a token, a lock or a client

    _OF_THIS_RUN = frozenset({
        "_clock", "_closings", "_glance", "_lease", "_lock", "_locks", "_look_at", "_misses",
        "_reading", "_send", "_spread", "_store_ails", "_store_failures", "_stored", "_swap_lock",
        "_tasks", "_warned_of_lifetime", "_ways",
    })  # fmt: skip

    # -- steps of a token's life that both shells take

    def _held(self, lease: Lease, now: Instant) -> Token | None:
        """The token where no request is wanted now; raises the failure that still stands."""
        held = lease.held(now)
        if held is not None:
            self._put_at_hand(lease, now)
        elif not lease.usable(now):
            failure = lease.standing_failure(now)
            if failure is not None:
                raise failure
        return held

    def _put_at_hand(self, lease: Lease, now: Instant) -> None:
        """Have the token handed out at a glance for a while, now that both clocks were read."""
        glance = self._glance
        wall, since, until, authorization = glance.fresh
        if glance.lease is lease and not since <= now.wall < until:
            until = now.wall + min(GLANCE, lease.held_until().until(now))
            glance.fresh = wall, now.wall, until, authorization

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
                return self._used(lease.token, now)
        raise UnreachableError(
            "Token request failed: these credentials were used within their own token request"
            if self._within_own_request()
            else f"Token request failed: another thread's request took over {self._timeout:.3g} s",
            retryable=True,
        )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Have the turn for a while."""
        turn = Turn(self)
        turn.begin()
        try:
            yield
        finally:
            turn.over = True

    def _within_own_request(self) -> bool:
        """Whether the call comes out of its own token request, and would wait for itself.

        A log handler that uses the credentials and hears httpx makes such calls.
        """
        return any(turn.is_on(self) for turn in _turns.get())

    def _used(self, token: Token, now: Instant) -> Token:
        """The held token, for a call that would have refreshed it."""
        if token.due(self._spread_margin).reached(now):  # else somebody has just refreshed it
            self._tell("HeldTokenUsed", token.fingerprint, token.expires.until(now))
        return token

    def _tell_of_waiting(self, since: float | None) -> None:
        """How long a caller waited for another one's request, if it did; for whom it is."""
        if since is not None:
            self._tell("Waited", self._clock.monotonic() - since)

    def _tell(self, event: EventName, *about: object) -> None:
        """Tell the listener, if there is one, of this event."""
        if self._on_event is not None:
            from . import events  # here, so that a program without a listener need not load them

            url = self.token_url.partition("?")[0]
            events.tell(self._on_event, getattr(events, event)(url, self.client_id, *about))

    def _close(self) -> None:
        """Drop the token, and hold none that is under way."""
        now = self._clock.now()
        with self._swap_lock:
            self._closings += 1
            self._hold(self._lease.dropped(now))

    def _invalidate(self, token: Token | str) -> None:
        if isinstance(token, str):
            held = self._lease.token
            if held is None or held.access_token != token:
                return  # a newer one is held, or none
            token = held
        now, chance = self._clock.now(), random.random()
        refused = token
        was_usable = self._lease.usable(now)
        lease = self._swap(lambda lease: lease.invalidated(refused, now, chance))
        if was_usable and lease.refused == refused.access_token and not lease.usable(now):
            self._tell("TokenInvalidated", refused.fingerprint)
