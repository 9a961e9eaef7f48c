"""A store for one process: values in a dict, and locks that a fork does not leave behind."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator
from typing import Any
from weakref import WeakValueDictionary

from .._clock import SYSTEM_CLOCK, Instant
from .._interface import holders_of_locks
from ._base import TokenStore


class _Shelf:
    """What all copies of one store have together."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[bytes, Instant]] = {}
        self._renew_locks()
        holders_of_locks.add(self)

    def _renew_locks(self) -> None:
        self.changed = threading.Condition()
        self.held: dict[str, object] = {}


_shelves: WeakValueDictionary[str, _Shelf] = WeakValueDictionary()
"""By name, so that an unpickled store finds the shelf of its original."""
_naming = _Shelf()
"""Keeps no values; its lock guards the names, and is renewed by a fork as that of any other."""


class MemoryTokenStore(TokenStore):
    """One token for all credentials of a process that are given this store.

    For services that build credentials anew for each request: make one store for the process, and
    give it to all of them. What has expired is forgotten at the next save.

    A copy, and in the same process a pickle, is the same store. In another process the pickle is an
    empty store of that process, which all copies there share while one of them is alive. After a
    fork the child goes on with what the parent had, and each for itself.

    Args:
        encryption_key: see `TokenStore`.
    """

    def __init__(self, *, encryption_key: str | bytes | None = None) -> None:
        super().__init__(encryption_key=encryption_key)
        self._clock = SYSTEM_CLOCK
        self._take(secrets.token_hex(16))

    def _take(self, name: str) -> None:
        self._name = name
        with _naming.changed:
            self._shelf = _shelves.setdefault(name, _Shelf())

    def __getstate__(self) -> dict[str, Any]:
        return {"encryption_key": self.encryption_key, "name": self._name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.encryption_key = state["encryption_key"]
        self._clock = SYSTEM_CLOCK
        self._take(state["name"])

    def __repr__(self) -> str:
        return "MemoryTokenStore()"

    def load(self, key: str) -> bytes | None:
        """See `TokenStore.load`."""
        value, end = self._shelf.values.get(key, (None, Instant(0, 0)))
        return None if end.reached(self._clock.now()) else value

    def save(self, key: str, value: bytes, seconds: float) -> None:
        """See `TokenStore.save`."""
        now, shelf = self._clock.now(), self._shelf
        with shelf.changed:
            shelf.values = {
                name: kept for name, kept in shelf.values.items() if not kept[1].reached(now)
            }
            shelf.values[key] = bytes(value), now.after(seconds)

    def delete(self, key: str, value: bytes) -> None:
        """See `TokenStore.delete`."""
        shelf = self._shelf
        with shelf.changed:
            if key in shelf.values and shelf.values[key][0] == value:
                del shelf.values[key]

    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        """See `TokenStore.lock`. A lock that is held during a fork is free in the child."""
        shelf, mine = self._shelf, object()
        with shelf.changed:
            timeout = min(timeout, threading.TIMEOUT_MAX)  # 49 days on Windows
            free = shelf.changed.wait_for(lambda: key not in shelf.held, timeout)
            if free:
                shelf.held[key] = mine
        try:
            yield free
        finally:
            with shelf.changed:
                if shelf.held.get(key) is mine:
                    del shelf.held[key]
                    shelf.changed.notify_all()
