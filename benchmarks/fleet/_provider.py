"""The provider that a fleet asks for tokens: it has an outage, and a limit of requests a second."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from pygen_auth._wire import Request, Response

from ._time import START, Timeline, pause

SECONDS_TO_ANSWER = 0.1
UNAVAILABLE = Response(503, {}, b"")


@dataclass(frozen=True)
class Outage:
    """The provider answers 503. It begins with a token request, just when tokens are needed."""

    after: float
    """Seconds from the start. The first token request after them finds the provider down."""
    seconds: float = 600.0


@dataclass(frozen=True)
class Limit:
    """Requests within one second; what goes beyond is answered by 429."""

    per_second: int
    retry_after: int
    """Seconds."""


class Provider:
    """Answers token requests, and counts them."""

    def __init__(
        self, timeline: Timeline, lifetime: int, outage: Outage | None, limit: Limit | None
    ) -> None:
        self._timeline = timeline
        self.lifetime = lifetime
        self._outage = outage
        self._limit = limit
        self.down_at: float | None = None
        """Seconds from the start; None before the outage."""
        self.requests: Counter[int] = Counter()
        """By second from the start."""
        self.statuses: Counter[int] = Counter()

    async def send(self, request: Request) -> Response:
        """The sender of the credentials."""
        status = self.status()
        expires = self._timeline.now + self.lifetime
        await pause(SECONDS_TO_ANSWER)
        if status == 200:
            return _granted(f"{self.statuses[200]}-{expires}", self.lifetime)
        if status == 429 and self._limit is not None:
            return Response(429, {"retry-after": str(self._limit.retry_after)}, b"")
        return UNAVAILABLE

    def status(self) -> int:
        """Count a request, and say how it is answered."""
        since = self._timeline.now - START
        self.requests[int(since)] += 1
        status = self._status(since)
        self.statuses[status] += 1
        return status

    def _status(self, since: float) -> int:
        if self._outage is not None:
            if self.down_at is None and since >= self._outage.after:
                self.down_at = since
            if self.down_at is not None and since < self.down_at + self._outage.seconds:
                return 503
        limit = self._limit
        return 429 if limit is not None and self.requests[int(since)] > limit.per_second else 200


def _granted(access_token: str, lifetime: int) -> Response:
    fields = {"access_token": access_token, "token_type": "Bearer", "expires_in": lifetime}
    return Response(200, {}, json.dumps(fields).encode())


def expiry(access_token: str) -> float:
    """When a token of this provider's expires, as it is written in it."""
    return float(access_token.partition("-")[2])
