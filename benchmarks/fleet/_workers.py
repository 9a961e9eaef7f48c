"""Workers with the real credentials, and workers with the cache that one writes first."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2Error
from pygen_auth._steps import Work
from pygen_auth.stores import TokenStore

from ._provider import Provider, expiry
from ._time import START, Timeline, pause

CALL_SECONDS = 0.001
"""What a worker does with its token; its next call is not at the same time."""
NAIVE_MARGIN = 300.0
"""Seconds before expiry from which on the usual caches fetch."""

Rhythm = Callable[[float], float]
"""When a worker makes its first call from a moment on, both since the epoch."""


@dataclass(frozen=True)
class Shift:
    """When a worker works, and how often it makes a call."""

    begin: float
    """Seconds from the start."""
    end: float
    """Since the epoch."""
    next_call: Rhythm


def now_and_then(mean: float) -> Rhythm:
    """Calls at random, `mean` seconds apart on average. Those before make no difference, so the
    ones that need nothing but the held token need not be simulated.
    """
    return lambda moment: moment + random.expovariate(1 / mean)


def every(seconds: float) -> Rhythm:
    """Calls at fixed times."""
    return lambda moment: START - ((START - moment) // seconds) * seconds


class Ledger:
    """What is counted besides the requests."""

    def __init__(self) -> None:
        self.operations: Counter[str] = Counter()
        self.operations_at: Counter[int] = Counter()
        """By second from the start."""
        self.expired_in_use = 0
        self.restored = 0.0
        """Seconds from the start: when one whose call had failed last got a token."""

    def ended(self, now: float, has_token: bool, had_failed: bool) -> bool:
        """A call of a worker's has ended. Whether it failed, for the next one."""
        if has_token and had_failed:
            self.restored = now - START
        return not has_token


class CountedStore(TokenStore):
    """A store by the simulated clock that counts its operations as a server would see them."""

    def __init__(self, timeline: Timeline, ledger: Ledger) -> None:
        super().__init__()
        self._timeline = timeline
        self._ledger = ledger
        self._values: dict[str, tuple[bytes, float]] = {}
        self._locked: set[str] = set()

    def _count(self, operation: str) -> None:
        self._ledger.operations[operation] += 1
        self._ledger.operations_at[int(self._timeline.now - START)] += 1

    def load(self, key: str) -> bytes | None:
        self._count("load")
        value, end = self._values.get(key, (None, 0.0))
        return value if self._timeline.now < end else None

    def save(self, key: str, value: bytes, seconds: float) -> None:
        self._count("save")
        self._values[key] = value, self._timeline.now + seconds

    def delete(self, key: str, value: bytes) -> None:
        raise NotImplementedError("no token is refused in a simulation")

    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        assert timeout == 0  # nobody can wait within an operation
        self._count("lock")
        free = key not in self._locked
        self._locked.add(key)
        try:
            yield free
        finally:
            if free:
                self._count("unlock")
                self._locked.remove(key)


class SimulatedCredentials(AsyncOAuth2ClientCredentials):
    """The real ones, without an event loop and without threads.

    A worker makes one call at a time, so nobody else has its lock. An operation of the store takes
    no time: a millisecond more would make no difference beside a token request.
    """

    async def _acquire(self, *, wait: bool) -> tuple[Callable[[], None], None]:
        return _released, None

    async def _do(self, step: Any) -> object:
        if not isinstance(step, Work):
            return await super()._do(step)
        return step.run()


def _released() -> None:
    pass


async def with_credentials(
    credentials: SimulatedCredentials, timeline: Timeline, ledger: Ledger, shift: Shift
) -> None:
    """The life of a worker: all its calls that need more than the token it holds."""
    await pause(shift.begin)
    failed = False
    while timeline.now < shift.end:
        with contextlib.suppress(OAuth2Error):
            await credentials.token()
        lease, now = credentials._lease, timeline.clock.now()
        # Until then calls get the held token; or without one, the failure that stands.
        quiet_until = lease.pause.wall
        if lease.token is not None and lease.usable(now):
            quiet_until = lease.held_until().wall
            if expiry(lease.token.access_token) <= max(now.wall, quiet_until - 1e-3):
                ledger.expired_in_use += 1
        failed = ledger.ended(now.wall, lease.usable(now), failed)
        await pause(shift.next_call(max(quiet_until, now.wall + CALL_SECONDS)) - now.wall)


async def with_naive_cache(
    provider: Provider, timeline: Timeline, ledger: Ledger, shift: Shift
) -> None:
    """The life of a worker that fetches when its token has less than the margin left, at each
    call until that succeeds.
    """
    await pause(shift.begin)
    failed = False
    while timeline.now < shift.end:
        fresh_until = timeline.now
        granted = provider.status() == 200
        if granted:
            fresh_until += max(0.0, provider.lifetime - NAIVE_MARGIN)
        failed = ledger.ended(timeline.now, granted, failed)
        await pause(shift.next_call(fresh_until) - timeline.now)
