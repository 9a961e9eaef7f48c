"""What credentials are put under stress with: a fast clock that jumps, and servers that fail."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pygen_auth import UnreachableError
from pygen_auth._clock import Clock, Instant
from pygen_auth._wire import Request, Response
from pygen_auth.testing import Answer, AuthorizationServer

from ..support import SECRET, TOKEN_URL, UNAVAILABLE, WRONG_SECRET, answer, granted

FASTER = 200
"""A pause of a second takes 5 ms, and a token of 20 s lives 0.1 s."""
LIFETIMES: list[float] = [0.5, 5, 20, 60]


class JumpingClock:
    """Both clocks, fast; each can be moved while the others look."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._offsets = Instant(1_800_000_000.0, 5_000.0)
        self.jumps = 0
        """Odd while it jumps. Who reads one even number before and after has seen no jump."""
        self.clock = Clock(
            lambda: self.now().wall, lambda: self.now().monotonic, self._sleep, self._sleep_in_loop
        )

    def now(self) -> Instant:
        return self._offsets.after((time.monotonic() - self._began) * FASTER)

    def jump(self, wall: float, monotonic: float) -> None:
        with self._lock:
            self.jumps += 1
            self._offsets = Instant(self._offsets.wall + wall, self._offsets.monotonic + monotonic)
            self.jumps += 1

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds / FASTER)

    async def _sleep_in_loop(self, seconds: float) -> None:
        await asyncio.sleep(seconds / FASTER)


class LocalSender:
    """A sender without a network: it counts what is under way at once, and fails at random."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.well = True
        self._lifetimes = LIFETIMES
        self.in_flight = self.most_in_flight = self.requests = 0

    @property
    def token_url(self) -> str:
        return TOKEN_URL

    def serve(self, credentials: Any, asynchronous: bool) -> None:
        credentials._send = self._send_in_loop if asynchronous else self._send

    @contextmanager
    def _under_way(self) -> Iterator[tuple[float, Response | UnreachableError]]:
        with self._lock:
            self.requests += 1
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            chosen = self._random.choice([0.0, 0.0, 0.0005, 0.003]), self._answer()
        try:
            yield chosen
        finally:
            with self._lock:
                self.in_flight -= 1

    def _answer(self) -> Response | UnreachableError:
        good = granted(f"tok-{self.requests}", expires_in=self._random.choice(self._lifetimes))
        if self.well:
            return good
        outcomes: list[Response | UnreachableError] = [
            *(good, good, granted("the-same", expires_in=20), granted("dead", expires_in=0)),
            *(UNAVAILABLE, WRONG_SECRET, answer(429, {"retry-after": "2"})),
            *(Response(200, {}, b"<html>"), UnreachableError("lost", retryable=True)),
        ]  # fmt: skip
        return self._random.choice(outcomes)

    def _send(self, request: Request) -> Response:
        with self._under_way() as (seconds, outcome):
            time.sleep(seconds)
            return _response(outcome)

    async def _send_in_loop(self, request: Request) -> Response:
        with self._under_way() as (seconds, outcome):
            await asyncio.sleep(seconds)
            return _response(outcome)

    def upset(self, chance: random.Random) -> None:
        self.well = chance.random() < 0.4

    def calm(self) -> None:
        self.well, self._lifetimes = True, [3600]

    def close(self) -> None:
        pass


def _response(outcome: Response | UnreachableError) -> Response:
    if isinstance(outcome, UnreachableError):
        raise UnreachableError("Token request failed: lost", retryable=True)
    return outcome


class RealServer:
    """The testing server behind real sockets; here it cannot be counted what is under way."""

    most_in_flight = 0

    def __init__(self, seed: int) -> None:
        self._server = AuthorizationServer(lifetime=20)
        self._server.add_client("the-client", SECRET)

    @property
    def token_url(self) -> str:
        return self._server.token_url

    @property
    def requests(self) -> int:
        return self._server.token_request_count

    def serve(self, credentials: Any, asynchronous: bool) -> None:
        """It is asked by the credentials' own sender."""

    def upset(self, chance: random.Random) -> None:
        self._server.lifetime = chance.choice(LIFETIMES)
        self._server.delay = chance.choice([0.0, 0.0, 0.002])
        self._server.override = chance.choice(
            [None, None, None, Answer(503), Answer(body="<html>")]
        )
        if chance.random() < 0.3:
            self._server.script(
                chance.choice(
                    [
                        Answer(401, body={"error": "invalid_client"}),
                        Answer(429, {"Retry-After": "2"}),
                        Answer(reset="before"),
                        Answer(reset="in_body", body=b"{}"),
                    ]
                )
            )

    def calm(self) -> None:
        self._server.lifetime, self._server.delay, self._server.override = 3600, 0.0, None
        self._server._script.clear()

    def close(self) -> None:
        self._server.close()
