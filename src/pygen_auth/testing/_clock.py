"""A clock for tests: tokens age without a wait."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from collections.abc import Iterator

from .._clock import SYSTEM_CLOCK, Clock
from .._interface import holders_of_locks
from .._keeper import TokenKeeper
from .._token import Lease
from ._time import SERVER_TIME


class FakeClock:
    """A clock that stands still until it is advanced, as a context manager.

    Within `with`, all credentials, stores and servers of this process go by it, those that were
    made before as well. It begins at the present, so that a held token is as old as it was. Where
    the library waits, between two attempts or for a token of another process, the clock goes on by
    as much, and nobody waits. What is real stays so: the time that a request takes, its time-out,
    and the delay of a server.

    At the end the credentials that are left drop their tokens, which come from another time.

    Attributes:
        wall: seconds since the epoch, as `time.time()` gives them; may be set, also back.
        monotonic: seconds, as `time.monotonic()` gives them; only differences mean anything.
        slept: the seconds of each wait of the library, in order.
    """

    def __init__(self) -> None:
        self.wall, self.monotonic = SYSTEM_CLOCK.now()
        self.slept: list[float] = []
        self._moving = threading.Lock()
        self._places: list[contextlib.AbstractContextManager[None]] = []
        self._clock = Clock(
            lambda: self.wall, lambda: self.monotonic, self._sleep, self._sleep_in_loop
        )

    def advance(self, seconds: float) -> None:
        """Let that many seconds pass on both clocks.

        Raises:
            ValueError: `seconds` is negative or not finite.
        """
        if not 0 <= seconds < math.inf:
            raise ValueError("seconds must be finite and not negative; set wall to step it back")
        with self._moving:
            self.wall += seconds
            self.monotonic += seconds

    def __enter__(self) -> FakeClock:
        self.wall, self.monotonic = SYSTEM_CLOCK.now()  # it may have been advanced in another test
        place = self._in_place()
        place.__enter__()
        self._places.append(place)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._places.pop().__exit__(None, None, None)

    @contextlib.contextmanager
    def _in_place(self) -> Iterator[None]:
        ours, servers = vars(SYSTEM_CLOCK).copy(), vars(SERVER_TIME).copy()
        # The two monotonic clocks need not have begun at the same moment.
        lead = SERVER_TIME.monotonic() - self.monotonic
        vars(SYSTEM_CLOCK).update(vars(self._clock))
        vars(SERVER_TIME).update(wall=lambda: self.wall, monotonic=lambda: self.monotonic + lead)
        for keeper in _keepers():
            keeper._swap(lambda lease: lease)  # what get_headers() reads names the clock's parts
        try:
            yield
        finally:
            vars(SYSTEM_CLOCK).update(ours)
            vars(SERVER_TIME).update(servers)
            for keeper in _keepers():
                keeper._close()
                keeper._swap(lambda _: Lease())  # also a pause, which would last for too long

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    async def _sleep_in_loop(self, seconds: float) -> None:
        self._sleep(seconds)
        await asyncio.sleep(0)


def _keepers() -> list[TokenKeeper]:
    """All credentials that hold tokens by the clock of the process."""
    return [
        holder
        for holder in list(holders_of_locks)
        if isinstance(holder, TokenKeeper) and holder._clock is SYSTEM_CLOCK
    ]
