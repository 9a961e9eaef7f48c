"""The wall clock of this process, moved by hand: how a token grows old without waiting.

Each candidate reads the wall clock to know when its token is due, ours among others. Steady clocks
go on as they are.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import SupportsIndex

real_sleep = time.sleep


@contextlib.contextmanager
def moved_clock(*, stands_still: bool = False) -> Iterator[Callable[[float], None]]:
    """Until the block is left, what is given moves the wall clock forward by so many seconds.

    Where it stands still but for that, so does who sleeps: a pause between two attempts moves the
    clock and takes no time. `real_sleep` is what it was.
    """
    travel = import_module("time_machine").travel(time.time(), tick=not stands_still)
    with travel as traveller:

        def shift(seconds: SupportsIndex | float) -> None:
            traveller.shift(float(seconds))

        if stands_still:
            time.sleep = shift
        try:
            yield shift
        finally:
            time.sleep = real_sleep
