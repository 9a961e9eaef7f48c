"""Scenario 8: many credentials objects without a token, as in a service with many customers."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Iterator

from benchmarks._objects import LARGEST, SLOWEST
from benchmarks._result import Figure, Result, judged

from ._bench import Bench, Row, Rows, Scenario, markdown, medians
from ._candidates import OWN, PEERS
from ._server import Server

OBJECTS = 10_000
FEWER, SLOW = 100, 0.0005
"""So many where one takes more than these seconds, which also keep tens of kilobytes each."""
TRIED = 10
"""Objects by which that is known."""
ROUNDS = 3


def measure(bench: Bench) -> Rows:
    """Microseconds and bytes of each, as medians over the rounds."""
    found: dict[str, list[Row]] = {name: [] for name in PEERS}
    for name in bench.turns(PEERS, ROUNDS):
        found[name].append(bench.run(name, _run, name))
    return {name: medians(rows) for name, rows in found.items()}


def _run(server: Server, name: str) -> Row:
    _made(server, name, 1)  # imports, and caches that fill once
    few = _seconds(server, name, TRIED)
    count = FEWER if few > TRIED * SLOW else OBJECTS
    seconds = _seconds(server, name, count)
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
