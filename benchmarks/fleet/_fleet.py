"""One fleet's day: who is in it, what happens to it, and the figures of it."""

from __future__ import annotations

import contextlib
import functools
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from unittest import mock

from pygen_auth import _attempts, _protocol, _sealing

from ._provider import Limit, Outage, Provider
from ._time import START, Timeline
from ._workers import (
    CountedStore,
    Ledger,
    Shift,
    SimulatedCredentials,
    now_and_then,
    with_credentials,
    with_naive_cache,
)

T = TypeVar("T")
Kind = Literal["naive", "alone", "shared"]
SEED = 6749


@dataclass(frozen=True)
class Plan:
    """What is simulated."""

    kind: Kind
    """Workers with a naive cache, with credentials each for itself, or with a store."""
    lifetime: int
    """Seconds that each token lives."""
    workers: int = 10_000
    hours: float = 24.0
    seconds_between_calls: float = 10.0
    """Of a worker, on average; each has its own average, from half to one and a half of this."""
    seconds_of_start: float = 60.0
    """All start within them."""
    outage: Outage | None = None
    limit: Limit | None = None


@dataclass(frozen=True)
class Day:
    """What came of it."""

    plan: Plan
    requests: Counter[int]
    """By second from the start."""
    statuses: Counter[int]
    down_at: float | None
    """Seconds from the start, when the outage began."""
    ledger: Ledger


def simulate(plan: Plan) -> Day:
    """Run it; the same plan gives the same figures."""
    random.seed(SEED)
    timeline, ledger = Timeline(), Ledger()
    provider = Provider(timeline, plan.lifetime, plan.outage, plan.limit)
    store = CountedStore(timeline, ledger) if plan.kind == "shared" else None
    end = START + 3600 * plan.hours
    for _ in range(plan.workers):
        begin = random.uniform(0, plan.seconds_of_start)
        rhythm = now_and_then(plan.seconds_between_calls * random.uniform(0.5, 1.5))
        shift = Shift(begin, end, rhythm)
        if plan.kind == "naive":
            timeline.add(with_naive_cache(provider, timeline, ledger, shift))
        else:
            credentials = made(timeline, provider, store)
            timeline.add(with_credentials(credentials, timeline, ledger, shift))
    with _quick_and_quiet():
        timeline.run()
    return Day(plan, provider.requests, provider.statuses, provider.down_at, ledger)


def made(
    timeline: Timeline, provider: Provider, store: CountedStore | None
) -> SimulatedCredentials:
    """A worker's credentials, as every process of a fleet makes them."""
    credentials = SimulatedCredentials(
        "https://auth.example.com/oauth2/token", "my-client-id", "my-client-secret", store=store
    )
    credentials._begin(timeline.clock)
    credentials._send = provider.send  # type: ignore[assignment]
    return credentials


@contextlib.contextmanager
def _quick_and_quiet() -> Iterator[None]:
    """A day has millions of refreshes. So pure functions that have nothing to do with time do
    their work once: all workers have the same settings. And an outage is not logged 10,000 times.
    """
    log = logging.getLogger("pygen_auth")
    was_disabled, log.disabled = log.disabled, True
    decrypted = functools.lru_cache(8)(_sealing._decrypted)
    try:
        with (
            mock.patch.object(_attempts, "token_request", _once(_protocol.token_request)),
            mock.patch.object(_sealing, "place_of", _once(_sealing.place_of)),
            mock.patch.object(_sealing, "_decrypted", decrypted),
        ):
            yield
    finally:
        log.disabled = was_disabled


def _once(function: Callable[..., T]) -> Callable[..., T]:
    """What the function gave for the first worker, for all."""
    given: list[T] = []

    def same(*about: Any) -> T:
        if not given:
            given.append(function(*about))
        return given[0]

    return same
