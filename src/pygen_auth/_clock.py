"""The pair of clocks, and deadlines on both: the only place that reads the time of a token.

A wall clock can be set forward or back; a monotonic clock may stand still while a machine sleeps.
So every deadline is kept on both, and has passed as soon as either says so.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple


class Instant(NamedTuple):
    """One moment on both clocks, in seconds. Only differences of `monotonic` mean anything."""

    wall: float
    """Seconds since the epoch."""
    monotonic: float

    def after(self, seconds: float) -> Instant:
        """The moment that many seconds later."""
        return Instant(self.wall + seconds, self.monotonic + seconds)

    def reached(self, now: Instant) -> bool:
        """Whether either clock is there."""
        return now.wall >= self.wall or now.monotonic >= self.monotonic

    def until(self, now: Instant) -> float:
        """Seconds from `now` to this moment by the clock that is nearer, at least 0."""
        return max(0.0, min(self.wall - now.wall, self.monotonic - now.monotonic))

    def or_later(self, other: Instant) -> Instant:
        """The later of the two, on each clock."""
        return Instant(max(self.wall, other.wall), max(self.monotonic, other.monotonic))

    def or_earlier(self, other: Instant) -> Instant:
        """The earlier of the two, on each clock."""
        return Instant(min(self.wall, other.wall), min(self.monotonic, other.monotonic))


PAST = Instant(-math.inf, -math.inf)
"""A moment that has always been reached."""


async def _sleep_in_loop(seconds: float) -> None:
    import asyncio  # 30 ms that a synchronous program need not pay

    await asyncio.sleep(seconds)


# Where the system has it, a clock that counts while the machine sleeps: `time.monotonic` stands
# still then on Linux, and with the wall clock set back neither would notice that an hour is gone.
_steady: Callable[[], float] = (
    functools.partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    if hasattr(time, "CLOCK_BOOTTIME")
    else time.monotonic
)


@dataclass(eq=False, repr=False)
class Clock:
    """The two clocks and the two ways to wait. Tests pass a pair that they move by hand.

    Not frozen, since `pygen_auth.testing.FakeClock` puts its own parts into that of the process.
    """

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = _steady
    sleep: Callable[[float], None] = time.sleep
    sleep_in_loop: Callable[[float], Awaitable[None]] = _sleep_in_loop

    def now(self) -> Instant:
        """Both clocks, read together."""
        return Instant(self.wall(), self.monotonic())


SYSTEM_CLOCK = Clock()
