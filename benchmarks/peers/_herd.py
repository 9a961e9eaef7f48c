"""Scenario 3: many callers at once, and no token or an expired one."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from statistics import median
from typing import Any
from urllib.request import urlopen

from benchmarks._hot_path import together
from benchmarks._locked_cache import LockedCache
from benchmarks._result import Figure, Goal, Result, judged

from ._bench import Bench, Row, Rows, Scenario, markdown, medians
from ._candidates import ASYNC_PEERS, OWN, PEERS
from ._clock import moved_clock
from ._own import Own
from ._server import Server

THREADS, TASKS = 64, 500
DELAY = 0.1
"""Seconds the endpoint takes."""
ROUNDS = 3
ALLOWED = 10
"""Milliseconds beyond one round trip."""
LIFETIME = 3600
MOMENTS = ("cold", "expired")
FLOOR = "a lock around one request"
"""What so many threads cost by themselves: one sends, and they wait for its lock."""

_numbers = itertools.count()
"""Names a client, so that no cache of the process knows it yet."""


def measure(bench: Bench) -> Rows:
    """Over the rounds; `tasks` are those of an event loop."""
    rows: Rows = {}
    for kind, names, function in (
        ("threads", [FLOOR, *PEERS], _threads),
        ("tasks", [FLOOR, *ASYNC_PEERS], _tasks),
    ):
        found: dict[str, list[Row]] = {name: [] for name in names}
        for name in bench.turns(names, ROUNDS):
            row: Row = {}
            for moment in MOMENTS:
                row |= bench.run(name, function, name, moment)
            found[name].append(row)
        rows |= {f"{name}, {kind}": _over(rounds) for name, rounds in found.items()}
    return rows


def _over(rounds: list[Row]) -> Row:
    """Of times the median, of what is counted the most."""
    most = {name: max(row[name] for row in rounds) for name in rounds[0] if name[-3:] != "_ms"}
    return {**medians(rounds), **most}


def _threads(server: Server, name: str, moment: str) -> Row:
    number = f"{name} {next(_numbers)}"
    server.behave()
    if name == FLOOR:
        calls: list[Callable[[], Any]] = [LockedCache(lambda: _fetch(server)).get_headers] * THREADS
        read: Callable[[Any], str] = Own.access_token
    else:
        PEERS[name](server.endpoint(f"{number}, first")).header()  # what it imports and builds once
        peer = PEERS[name](server.endpoint(number))
        calls, read = [peer.caller() for _ in range(THREADS)], peer.access_token
    seconds, answers, expired = [0.0] * THREADS, [None] * THREADS, ""

    def work(index: int) -> None:
        began = time.perf_counter()
        with contextlib.suppress(Exception):  # then there is no answer to read
            answers[index] = calls[index]()
        seconds[index] = time.perf_counter() - began

    with moved_clock() as shift:
        if moment == "expired":
            server.behave(lifetime=LIFETIME)
            expired = read(calls[0]())
            shift(LIFETIME + 1)
        alone = _alone(server)
        server.behave(delay=DELAY)
        together(THREADS, work)
    good = [answer for answer in answers if _is_good(read, answer, expired)]
    return _row(moment, server, alone, seconds, THREADS - len(good))


def _is_good(read: Callable[[Any], str], answer: Any, expired: str) -> bool:
    """Whether it has a token, and not the one that has expired."""
    try:
        return read(answer) != expired
    except Exception:
        return False


def _tasks(server: Server, name: str, moment: str) -> Row:
    return asyncio.run(_in_loop(server, name, moment))


async def _in_loop(server: Server, name: str, moment: str) -> Row:
    server.behave()
    peer = None
    if name != FLOOR:
        first, peer = (ASYNC_PEERS[name](server.endpoint(f"{next(_numbers)}")) for _ in range(2))
        await first.header()  # what it imports and builds once
        await first.close()
    header = peer.header if peer is not None else _floor_in_loop(server)

    async def timed() -> tuple[str, float]:
        began = time.perf_counter()
        return await header(), time.perf_counter() - began

    expired = ""
    with moved_clock() as shift:
        if moment == "expired":
            server.behave(lifetime=LIFETIME)
            expired = await header()
            shift(LIFETIME + 1)
        alone = _alone(server)
        server.behave(delay=DELAY)
        answers = await asyncio.gather(*(timed() for _ in range(TASKS)), return_exceptions=True)
    if peer is not None:
        await peer.close()
    done = [answer for answer in answers if isinstance(answer, tuple)]
    seconds = [took for _, took in done]
    good = [value for value, _ in done if value != expired]
    return _row(moment, server, alone, seconds or [0.0], TASKS - len(good))


def _floor_in_loop(server: Server) -> Callable[[], Awaitable[str]]:
    cache, lock = LockedCache(lambda: _fetch(server)), asyncio.Lock()

    async def header() -> str:
        async with lock:
            if cache._is_due():
                await asyncio.to_thread(cache.refresh_if_needed)
            return cache.get_headers()["Authorization"]

    return header


def _row(moment: str, server: Server, alone: float, seconds: list[float], failed: int) -> Row:
    return {
        f"{moment} requests": server.count(),
        f"{moment} longest_ms": 1e3 * max(seconds),
        "round_trip_ms": 1e3 * alone,
        f"{moment} failed": failed,
    }


def _alone(server: Server) -> float:
    """Seconds of one round trip of nobody's library, while nothing else goes on."""
    server.behave(delay=DELAY)
    began = time.perf_counter()
    _fetch(server)
    return time.perf_counter() - began


def _fetch(server: Server) -> tuple[str, float]:
    with urlopen(server.endpoint().token_url(), data=b"grant_type=client_credentials") as response:
        answer = json.load(response)
    return answer["access_token"], answer["expires_in"]


def judge(rows: Rows) -> list[Result]:
    """One token request, and nobody waits much longer than for one round trip."""
    round_trip = median(float(row["round_trip_ms"]) for row in rows.values())
    return [
        result
        for kind, callers in (("threads", THREADS), ("tasks", TASKS))
        for moment in MOMENTS
        for result in _judge(rows, kind, callers, moment, round_trip)
    ]


def _judge(rows: Rows, kind: str, callers: int, moment: str, round_trip: float) -> Iterator[Result]:
    own, least = (
        rows[f"{name}, {kind}"][f"{moment} longest_ms"] - round_trip for name in (OWN, FLOOR)
    )
    row = rows[f"{OWN}, {kind}"]
    what = f"{callers} {kind}, {'no token' if moment == 'cold' else 'an expired token'}"
    yield judged(
        f"{what}: token requests",
        Goal("exactly", 1, "token request"),
        Figure(row[f"{moment} requests"], f"{row[f'{moment} failed']:g} failed"),
        also=row[f"{moment} failed"] == 0,
    )
    yield judged(
        f"{what}: longest wait beyond one round trip",
        Goal("at most", ALLOWED, "ms"),
        Figure(own, f"which takes {round_trip:.1f} ms; {FLOOR}: {least:.1f} ms"),
    )


def table(rows: Rows) -> Iterator[str]:
    """One for the threads, one for the tasks; the shortest wait first."""
    for kind, callers in (("threads", THREADS), ("tasks", TASKS)):
        names = [name for name in rows if name.endswith(f", {kind}")]
        order = sorted(names, key=lambda name: float(rows[name]["cold longest_ms"]))
        yield from markdown(
            (f"{callers} {kind}", *("token requests", "longest wait ms", "failed") * 2),
            ((_shown(name, kind), *_cells(rows[name])) for name in order),
        )
        yield ""


def _shown(name: str, kind: str) -> str:
    name = name.removesuffix(f", {kind}")
    found = PEERS if kind == "threads" else ASYNC_PEERS
    return f"{name} (TLS)" if name in found and found[name].tls_only else name


def _cells(row: Row) -> Iterator[str]:
    for moment in MOMENTS:
        yield f"{row[f'{moment} requests']:g}"
        yield f"{row[f'{moment} longest_ms']:,.0f}"
        yield f"{row[f'{moment} failed']:g}"


SCENARIO = Scenario("herd", measure, judge, table)
