"""Scenario 8: many credentials objects without a token, as in a service with many customers."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Iterator

from benchmarks._objects import LARGEST, SLOWEST
from benchmarks._result import Figure, Result, judged

from ._bench import Bench, Row, Rows, Scenario, markdown
from ._candidates import OWN, PEERS
from ._server import Server

OBJECTS, OF_PEERS, HEAVY = 10_000, 1000, 100
"""Of our own; of another library; and where one takes more than `SLOW`, and tens of kilobytes."""
SLOW = 0.0005
"""Seconds."""
TRIED = 10
"""Objects by which that is known."""


def measure(bench: Bench) -> Rows:
    """Microseconds and bytes of each; once, since the bytes are what they are."""
    return {name: bench.run(name, _run, name) for name in PEERS}


def _run(server: Server, name: str) -> Row:
    _made(server, name, 1)  # imports, and caches that fill once
    few = _seconds(server, name, TRIED)
    many = OBJECTS if PEERS[name].distribution == "pygen-auth" else OF_PEERS
    count = HEAVY if few > TRIED * SLOW else many
    seconds = 10 * min(_seconds(server, name, count // 10) for _ in range(10))
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        objects = _made(server, name, count)
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    return {"objects": count, "us": 1e6 * seconds / count, "bytes": held / len(objects)}


def _seconds(server: Server, name: str, count: int) -> float:
    began = time.perf_counter()
    _made(server, name, count)
    return time.perf_counter() - began


def _made(server: Server, name: str, count: int) -> list[object]:
    """Objects of as many clients; what the adapter around each of them holds, and not itself."""
    kind = PEERS[name]
    return [
        tuple(vars(kind(server.endpoint(f"customer {number}"))).values()) for number in range(count)
    ]


def judge(rows: Rows) -> list[Result]:
    """Absolute bounds; most of them is Python's own share in an object."""
    own = rows[OWN]
    return [
        judged("an object, no token", LARGEST, Figure(own["bytes"], f"of {own['objects']:,.0f}")),
        judged("an object, to build", SLOWEST, Figure(own["us"], f"of {own['objects']:,.0f}")),
    ]


def table(rows: Rows) -> Iterator[str]:
    """Smallest first."""
    order = sorted(rows, key=lambda name: rows[name]["bytes"])
    yield from markdown(
        ("", "objects", "bytes each", "µs to build"),
        (
            (name, *(f"{rows[name][figure]:,.0f}" for figure in ("objects", "bytes", "us")))
            for name in order
        ),
    )


SCENARIO = Scenario("objects", measure, judge, table)
