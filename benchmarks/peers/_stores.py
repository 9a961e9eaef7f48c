"""Scenario 10: one token for many processes, in a file or in Redis: of a hit, and of a thousand.

Own figures alone: no peer shares a token of this grant between processes by itself.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import redis

from benchmarks._result import Figure, Goal, Result, judged
from benchmarks._shared_hit import GOAL, NO_STORE, first_headers
from pygen_auth import OAuth2ClientCredentials
from pygen_auth.stores import FileTokenStore, RedisTokenStore, TokenStore
from tests.sharing.redis_server import RedisServer, stopped_after

from ._bench import Bench, Row, Rows, Scenario, markdown
from ._server import Server

ROUNDS = 300
PROCESSES, AT_A_TIME = 1000, 64
"""A thousand at the same moment would wait for two processors, and not for a store."""
FILE, REDIS = "file", "Redis"
STARTS = {FILE: "1,000 processes, by a file", REDIS: "1,000 processes, by Redis"}
NOT_ASKED = ("client", "config", "hello", "info")
ONE = Goal("exactly", 1, "token request")


def measure(bench: Bench) -> Rows:
    """Milliseconds of a first header by where it comes from; what a thousand processes do."""
    with (
        tempfile.TemporaryDirectory() as directory,
        stopped_after(RedisServer(Path(directory))) as redis_server,
    ):
        return bench.run("stores", _run, directory, redis_server.port)


def _run(server: Server, directory: str, port: int) -> Rows:
    connect = partial(redis.Redis, port=port, socket_timeout=30, socket_connect_timeout=30)
    stores: dict[str, Callable[[], TokenStore]] = {
        FILE: lambda: FileTokenStore(Path(directory, "tokens")),
        REDIS: lambda: RedisTokenStore(connect),
    }
    server.behave()
    url = server.endpoint().token_url()
    held = {NO_STORE: None, **{name: make() for name, make in stores.items()}}
    seconds = first_headers(url, held, ROUNDS)
    rows: Rows = {
        name: {"ms": 1e3 * median(found), "shortest_ms": 1e3 * min(found)}
        for name, found in seconds.items()
    }
    for name, make in stores.items():
        with contextlib.closing(connect()) as client:
            client.config_resetstat()
            rows[STARTS[name]] = _start_of_many(server, make) | {"commands": _commands(client)}
    return rows


def _start_of_many(server: Server, make: Callable[[], TokenStore]) -> Row:
    """Processes that start as fast as the machine can, some dozens at a time."""
    server.behave()
    url = server.endpoint("many").token_url()
    reading, telling = os.pipe()
    running, statuses = 0, set()
    for _ in range(PROCESSES):
        if running == AT_A_TIME:
            statuses.add(os.wait()[1])
            running -= 1
        _fork(url, make, telling)
        running += 1
    os.close(telling)
    statuses |= {os.wait()[1] for _ in range(running)}
    assert statuses == {0}, f"a process failed: {statuses}"
    with open(reading, encoding="ascii") as lines:
        took = sorted(1e3 * float(line) for line in lines)
    return {
        "requests": server.count(),
        "headers": len(took),
        "ms": took[len(took) // 2],
        "p99_ms": took[int(len(took) * 0.99)],
        "longest_ms": took[-1],
    }


def _fork(url: str, make: Callable[[], TokenStore], telling: int) -> None:
    """A child with credentials and a store of its own; it tells how long its first header took."""
    if os.fork():
        return
    status = 1
    try:
        began = time.monotonic()
        OAuth2ClientCredentials(url, "many", "secret", store=make()).get_headers()
        os.write(telling, f"{time.monotonic() - began}\n".encode("ascii"))
        status = 0
    finally:
        os._exit(status)


def _commands(client: Any) -> int:
    """What Redis was asked for; a connection's own beginning is not counted."""
    figures = client.info("commandstats")
    names = [name for name in figures if not name.removeprefix("cmdstat_").startswith(NOT_ASKED)]
    return sum(int(figures[name]["calls"]) for name in names)


def judge(rows: Rows) -> list[Result]:
    """A hit is less than to ask a server on this machine, and a thousand ask once."""
    asked = rows[NO_STORE]["shortest_ms"]
    hits = (
        judged(
            f"a token from {name} / a token request",
            GOAL,
            Figure(rows[name]["shortest_ms"] / asked, f"{rows[name]['shortest_ms']:.2f} ms"),
        )
        for name in (FILE, REDIS)
    )
    starts = (
        judged(
            name,
            ONE,
            Figure(rows[name]["requests"], f"the longest wait {rows[name]['longest_ms']:.0f} ms"),
            also=rows[name]["headers"] == PROCESSES,
        )
        for name in STARTS.values()
    )
    return [*hits, *starts]


def table(rows: Rows) -> Iterator[str]:
    """The hits, and the processes."""
    yield from markdown(
        ("first header of a new object, from", "ms, median", "ms, shortest"),
        (
            (name, f"{rows[name]['ms']:.2f}", f"{rows[name]['shortest_ms']:.2f}")
            for name in (NO_STORE, FILE, REDIS)
        ),
    )
    yield ""
    yield from markdown(
        (f"{AT_A_TIME} at a time", "token requests", "ms, median", "99 % within ms",
         "longest ms", "commands of Redis"),
        (
            (
                name,
                row["requests"],
                *(f"{row[figure]:.1f}" for figure in ("ms", "p99_ms", "longest_ms")),
                f"{row['commands']:,}" if name == STARTS[REDIS] else "",
            )
            for name, row in ((name, rows[name]) for name in STARTS.values())
        ),
    )  # fmt: skip


SCENARIO = Scenario("stores", measure, judge, table)
