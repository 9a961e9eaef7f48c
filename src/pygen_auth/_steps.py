"""Steps: what a generator wants done that itself neither waits nor sends; both twins share it.

A shell carries the steps out: it sends a `Request`, waits for a number of seconds, does `Work` in
a thread that it can leave. The generator is sent what came of it, or the error is thrown in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Steps = Generator[Any, Any, T]
"""Yields steps, and returns what all of them were for."""


class Work:
    """Something that may take a while: done in a thread, and left when its time is up.

    Args:
        run: does it.
        seconds: after which it is left.
        late: makes the error of work that was left.
    """

    __slots__ = ("late", "run", "seconds")

    def __init__(
        self, run: Callable[[], Any], seconds: float, late: Callable[[], Exception]
    ) -> None:
        self.run, self.seconds, self.late = run, seconds, late


class Done(Generic[T]):
    """The end of the steps, and what they were for."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


def next_step(steps: Steps[T], outcome: object) -> Any | Done[T]:
    """The next step after `outcome` (None at first), or the end."""
    try:
        return steps.throw(outcome) if isinstance(outcome, Exception) else steps.send(outcome)
    except StopIteration as done:
        return Done(done.value)
