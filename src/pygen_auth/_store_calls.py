"""How a store is called: it may raise anything, and be left at any time.

Third-party code runs here. What it raises, StopIteration and SystemExit too, comes out as a value.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Raised:
    """What an operation of the store raised."""

    error: BaseException


def guarded(operation: Callable[[], Any]) -> Any:
    """What the operation gives, or what it raised."""
    try:
        return operation()
    except BaseException as error:
        return Raised(error)


def late(seconds: float) -> Exception:
    """The error of an operation that was left."""
    return TimeoutError(f"no answer within {seconds:.3g} s")


class StoreLock:
    """A store's lock, which is entered and left in threads that may themselves be left."""

    def __init__(self, make: Callable[[], AbstractContextManager[bool]]) -> None:
        self._make = make
        self._guard = threading.Lock()
        self._manager: AbstractContextManager[bool] | None = None
        self._is_left = False

    @property
    def entered(self) -> bool:
        return self._manager is not None

    def enter(self) -> bool:
        """Whether it was had, without waiting for it."""
        manager = self._make()
        had = manager.__enter__()
        with self._guard:
            keep = had and not self._is_left
            if keep:
                self._manager = manager
        if not keep:  # it is somebody else's, or it came when nobody waited for it any more
            manager.__exit__(None, None, None)
        return keep

    def leave(self) -> None:
        """Give it back; also one that is had only later."""
        with self._guard:
            manager, self._manager, self._is_left = self._manager, None, True
        if manager is not None:
            manager.__exit__(None, None, None)

    def leave_quietly(self) -> None:
        """`leave`, where nobody could hear of it."""
        with contextlib.suppress(Exception):
            self.leave()
