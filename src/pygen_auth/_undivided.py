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

    def let_end(self, timeout: float) -> None:
        """Wait for the thread that is at it, for `timeout` seconds at most."""
        if self._lock.acquire(timeout=timeout):
            self._lock.release()

    def renew_lock(self) -> None:
        """For the child of a fork that waited in vain."""
        self._lock = threading.RLock()


_all: list[Undivided] = []
first_use = Undivided()
"""Of other libraries: they are imported then, and OpenSSL sets itself up."""


def _let_all_end(timeout: float = LONGEST_FORK) -> None:
    for work in _all:
        work.let_end(timeout)


def _renew_locks_in_child() -> None:
    for work in _all:
        work.renew_lock()


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(before=_let_all_end, after_in_child=_renew_locks_in_child)
atexit.register(_let_all_end, LONGEST_END)
