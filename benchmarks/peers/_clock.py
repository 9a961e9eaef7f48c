"""The wall clock of this process, moved by hand: how a token grows old without waiting.

Each candidate reads the wall clock to know when its token is due, ours among others. Steady clocks
go on as they are.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module

real_sleep = time.sleep
LOOK = 0.0005
"""Real seconds between two looks of a sleeper at the clock that others move."""
SETTLED = 0.01
"""Real seconds, at most, that a token request of the loopback server's takes, signed and all."""


@contextlib.contextmanager
def moved_clock(*, stands_still: bool = False) -> Iterator[Callable[[float], None]]:
    """Until the block is left, what is given moves the wall clock forward by so many seconds.

    Where it stands still but for that, a pause between two attempts takes no time: who called moves
    the clock by it, and what goes on behind the calls sleeps until they have moved it so far.
    `real_sleep` is what `time.sleep` was.
    """
    caller, ended = threading.get_ident(), threading.Event()
    travel = import_module("time_machine").travel(time.time(), tick=not stands_still)
    with travel as traveller:

        def shift(seconds: float) -> None:
            traveller.shift(float(seconds))

        def sleep(seconds: float) -> None:
            if threading.get_ident() == caller:
                shift(seconds)
                return
            end = time.time() + seconds
            while time.time() < end and not ended.is_set():
                real_sleep(LOOK)

        if stands_still:
            time.sleep = sleep  # type: ignore[assignment]
        try:
            yield shift
        finally:
            ended.set()
            time.sleep = real_sleep


def settle() -> None:
    """Let what a call has begun behind itself come to its end, but for threads that never do."""
    end = time.perf_counter() + SETTLED
    while threading.active_count() > 1 and time.perf_counter() < end:
        real_sleep(LOOK)
