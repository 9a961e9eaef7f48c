"""Steps: what a generator wants done that itself neither waits nor sends; both twins share it.

A shell carries the steps out: it sends a `Request`, waits for a number of seconds, does `Work` in
a thread that it can leave. The generator is sent what came of it, or the error is thrown in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")

Steps = Generator[Any, Any, T]
"""Yields steps, and returns what all of them were for."""


class Work(NamedTuple):
    """Something that may take a while: done in a thread, and left when its time is up."""

    run: Callable[[], Any]
    seconds: float
    """After which it is left."""
    late: Callable[[], Exception]
    """Makes the error of work that was left."""


class Done(Generic[T]):
    """The end of the steps, and what they were for."""

    def __init__(self, value: T) -> None:
        self.value = value


def next_step(steps: Steps[T], outcome: object) -> Any | Done[T]:
    """The next step after `outcome` (None at first), or the end."""
    try:
        return steps.throw(outcome) if isinstance(outcome, Exception) else steps.send(outcome)
    except StopIteration as done:
        return Done(done.value)
