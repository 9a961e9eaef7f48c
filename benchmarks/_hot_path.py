"""`get_headers()` with a fresh token: what one call costs, and what threads cost each other."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from timeit import Timer

from pygen_auth import OAuth2ClientCredentials
from pygen_auth.testing import AuthorizationServer

from ._locked_cache import LockedCache
from ._result import Figure, Goal, Result, best_run

ROUNDS = 600
"""Of each subject, in turns. Many short rounds: the shortest is one that nothing interrupted."""
CALLS = 1000
"""Calls in a round, about 0.2 ms."""

THREADS = 8
THREAD_ROUNDS = 8
"""With one thread and with all of them, in turns."""
SHARE = Goal("at least", 85.0, "%")
"""Of calls in a second of processor. By the time that goes by, other work on the machine decides:
with two more busy processes than processors the same code had 77 % in one run and 160 % in another,
and with a lock around each call 105 %. By time of a processor it had 98 and 99 %, and with that
lock 69 %. What threads do in the time that goes by is `peers/_threads.py`'s, on a quiet machine."""
SECONDS = 0.25
"""Length of such a round."""
BATCH = 50
"""Calls between two looks at the clock."""


def results() -> list[Result]:
    """The goals of the path that a program takes millions of times an hour."""
    with _fresh_credentials() as credentials:
        ours = credentials.get_headers
        cache = LockedCache(lambda: ("t" * 43, 3600))
        cache.get_headers()
        return [
            best_run(
                "get_headers() / floor",
                Goal("at most", 1.6, "×"),  # 1.8 where it reads a second clock
                lambda: _cost(credentials, "floor()", floor=floor()),
            ),
            best_run(
                "get_headers() / cache with a lock",
                Goal("under", 0.5, "×"),
                lambda: _cost(credentials, "cache.get_headers()", cache=cache),
            ),
            best_run(
                f"{THREADS} threads / 1 thread",
                SHARE,
                lambda: _throughput(ours),
            ),
        ]


@contextlib.contextmanager
def _fresh_credentials() -> Iterator[OAuth2ClientCredentials]:
    with AuthorizationServer() as server:
        server.add_client("benchmark", "secret")
        credentials = OAuth2ClientCredentials(server.token_url, "benchmark", "secret")
        credentials.get_headers()
    yield credentials  # the token is good for an hour, and no server thread is left


def floor() -> Callable[[], dict[str, str]]:
    """The least that a cache with an expiry can do: a clock read, a comparison, a dict."""
    monotonic = time.monotonic
    until, authorization = monotonic() + 3600, "Bearer " + "t" * 43

    def floor() -> dict[str, str]:
        if monotonic() < until:
            return {"Authorization": authorization}
        raise AssertionError

    return floor


def _cost(credentials: OAuth2ClientCredentials, other: str, **names: object) -> Figure:
    """The cost of a call of ours in calls of the other; the shortest round of each."""
    timers = (
        Timer("credentials.get_headers()", globals={"credentials": credentials}),
        Timer(other, globals=names),
    )
    rounds = [tuple(timer.timeit(CALLS) for timer in timers) for _ in range(ROUNDS)]
    ours, theirs = (min(seconds) / CALLS for seconds in zip(*rounds, strict=True))
    return Figure(ours / theirs, f"{ours * 1e9:.0f} ns / {theirs * 1e9:.0f} ns")


def _throughput(call: Callable[[], object]) -> Figure:
    """What all threads do together, in percent of what one does alone; the best round of each."""
    rounds = [
        [calls_per_second([call] * threads, clock=time.process_time) for threads in (1, THREADS)]
        for _ in range(THREAD_ROUNDS)
    ]
    alone, together = (max(rates) for rates in zip(*rounds, strict=True))
    detail = f"{together / 1e6:.2f} / {alone / 1e6:.2f} million calls per second of processor"
    return Figure(100 * together / alone, detail)


def calls_per_second(
    calls: Sequence[Callable[[], object]],
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """What a thread for each of these does together in a second by this clock, when all call as
    fast as they can for so many seconds.
    """
    counts = [0] * len(calls)

    def work(index: int) -> None:
        call, count, end = calls[index], 0, time.perf_counter() + seconds
        while time.perf_counter() < end:
            for _ in itertools.repeat(None, BATCH):
                call()
            count += BATCH
        counts[index] = count

    elapsed = together(len(calls), work, clock)
    return sum(counts) / elapsed


def together(
    threads: int, work: Callable[[int], object], clock: Callable[[], float] = time.perf_counter
) -> float:
    """Have threads with the numbers from 0 on work, begun at once; seconds until all are done."""
    barrier = threading.Barrier(threads + 1)

    def begin(index: int) -> None:
        barrier.wait()
        work(index)

    workers = [threading.Thread(target=begin, args=(index,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    barrier.wait()
    began = clock()
    for worker in workers:
        worker.join()
    return clock() - began
