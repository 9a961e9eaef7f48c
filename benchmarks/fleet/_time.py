"""Simulated time: coroutines that pause, carried on in the order in which their pauses end."""

from __future__ import annotations

import contextvars
import heapq
import types
from collections.abc import Coroutine, Generator
from typing import Any

from pygen_auth._clock import Clock

START = 1_800_000_000.0
"""Seconds since the epoch: when a simulation begins, by both clocks."""


@types.coroutine
def pause(seconds: float) -> Generator[float, None, None]:
    """Let that much simulated time go by."""
    yield seconds


class Timeline:
    """Simulated time, which goes on while `run` does."""

    def __init__(self) -> None:
        self.now = START
        self.clock = Clock(self._read, self._read, _nobody_sleeps, pause)
        self._due: list[tuple[float, int, Coroutine[float, None, None], contextvars.Context]] = []

    def _read(self) -> float:
        return self.now

    def add(self, life: Coroutine[Any, None, None]) -> None:
        """Have this one run, too; each has a context of its own, as a process has."""
        self._due.append((self.now, len(self._due), life, contextvars.Context()))

    def run(self) -> None:
        """Until all have ended."""
        due = self._due
        heapq.heapify(due)
        while due:
            self.now, number, life, context = due[0]
            try:
                seconds = context.run(life.send, None)
            except StopIteration:
                heapq.heappop(due)
            else:
                heapq.heapreplace(due, (self.now + seconds, number, life, context))


def _nobody_sleeps(seconds: float) -> None:
    raise AssertionError("a simulated worker blocks")
