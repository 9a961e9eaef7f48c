"""Work that must not be cut in two: the only place that has a fork, or the end, wait for a thread.

A child has the thread that forked and no other. A module that one of the others was importing is
never whole in it, and a lock that OpenSSL held is never free: whoever needs either fails, or hangs,
for as long as the child lives.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Iterator

LONGEST_FORK, LONGEST_END = 10.0, 1.0
"""Seconds that a fork and the end wait, at most. The work takes a tenth of one, and some from a
slow disk. A child that was forked too early is of no use."""


class Undivided:
    """Work that one thread does at a time, and none while the process forks or ends."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.RLock()  # who is at it and forks does not wait for itself
        _all.append(self)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Do it now."""
        with self._lock:
            yield

    def take(self, timeout: float) -> bool:
        """Let nobody begin, once the thread that is at it has ended; whether it has, within
        `timeout` seconds.
        """
        return self._lock.acquire(timeout=timeout)

    def give_back(self) -> None:
        """Let others begin."""
        self._lock.release()

    def renew_lock(self) -> None:
        """For the child of a fork."""
        self._lock = threading.RLock()


_all: list[Undivided] = []
first_use = Undivided()
"""Of other libraries: they are imported then, and OpenSSL sets itself up."""


_taken: list[Undivided] = []
"""By the thread that forks. Nobody else forks meanwhile, but where work hangs."""


def _take_all(timeout: float = LONGEST_FORK) -> None:
    _taken[:] = [work for work in _all if work.take(timeout)]


def _give_all_back() -> None:
    while _taken:
        _taken.pop().give_back()


def _renew_locks_in_child() -> None:
    _taken.clear()
    for work in _all:
        work.renew_lock()


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(
        before=_take_all,
        after_in_parent=_give_all_back,
        after_in_child=_renew_locks_in_child,
    )


@atexit.register
def _let_all_end() -> None:
    _take_all(LONGEST_END)
    _give_all_back()
