"""The time that servers go by. `FakeClock` puts its own in; a server's delays are always real."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(eq=False)
class ServerTime:
    """The two clocks, in seconds: `wall` since the epoch, `monotonic` since some moment."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


SERVER_TIME = ServerTime()
