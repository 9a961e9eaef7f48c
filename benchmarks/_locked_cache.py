"""What one writes first, and the shape of Pygen's own class: every call takes the lock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta


class LockedCache:
    """Compares the naive local time with a margin of 300 s, as Pygen does.

    `fetch` gives an access token and the seconds it lives.
    """

    def __init__(self, fetch: Callable[[], tuple[str, float]]) -> None:
        self.refresh_margin = 300
        self._fetch = fetch
        self._lock = threading.Lock()
        self._access_token: str | None = None
        self._expiry: datetime | None = None

    def get_headers(self) -> dict[str, str]:
        self.refresh_if_needed()
        if not self._access_token:
            raise RuntimeError("Failed to acquire access token")
        return {"Authorization": f"Bearer {self._access_token}"}

    def refresh_if_needed(self) -> None:
        with self._lock:
            if self._is_due():
                self._access_token, seconds = self._fetch()
                self._expiry = datetime.now() + timedelta(seconds=seconds)

    def _is_due(self) -> bool:
        if self._access_token is None or self._expiry is None:
            return True
        return (self._expiry - datetime.now()).total_seconds() < self.refresh_margin
