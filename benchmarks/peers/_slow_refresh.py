"""Scenario 4: the token is due, and its endpoint takes half a second: who waits, and how long."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from benchmarks._result import Figure, Goal, Result, judged
from benchmarks._slow_refresh import THREADS, call_until

from ._bench import Bench, Row, Rows, Scenario, markdown
from ._candidates import OWN, PEERS
from ._clock import moved_clock, real_sleep
from ._own import OwnInBackground
from ._server import Server

DELAY = 0.5
"""Seconds the endpoint takes."""
CALLING = 1.0
"""Seconds for which the threads call."""
ROUNDS = 2
LIFETIME = 3600
LONGEST = Goal("at most", 50, "ms")

_numbers = itertools.count()


def measure(bench: Bench) -> Rows:
    """The worst of the rounds."""
    found: dict[str, list[Row]] = {name: [] for name in PEERS}
    for name in bench.turns(PEERS, ROUNDS):
        found[name].append(bench.run(name, _round, name))
    return {
        name: {figure: max(row[figure] for row in rounds) for figure in rounds[0]}
        for name, rounds in found.items()
    }


def _round(server: Server, name: str) -> Row:
    peer = PEERS[name](server.endpoint(f"{name}, slow refresh {next(_numbers)}"))
    server.behave(lifetime=LIFETIME)
    with moved_clock() as shift:
        peer.header()
        shift(LIFETIME - peer.margin / 2)
        server.behave(lifetime=LIFETIME, delay=DELAY)
        calls = [peer.caller() for _ in range(THREADS)]
        by_thread = call_until(time.monotonic() + CALLING, calls)
        real_sleep(DELAY)  # so that what is under way ends
    longest = sorted(1e3 * max(seconds) for seconds in by_thread)
    waiting = [milliseconds for milliseconds in longest if milliseconds > 1e3 * DELAY / 2]
    return {
        "waiting": len(waiting),
        "longest_ms": longest[-1],
        "others_ms": longest[-len(waiting) - 1] if len(waiting) < THREADS else 0.0,
        "requests": server.count(),
    }


def judge(rows: Rows) -> list[Result]:
    """In the background nobody waits, otherwise one caller."""
    own, behind = rows[OWN], rows[OwnInBackground.name]
    return [
        judged(
            "callers that wait",
            Goal("exactly", 1, "caller"),
            Figure(own["waiting"], f"of {THREADS}; token requests: {own['requests']}"),
            also=own["requests"] == 1,
        ),
        judged("longest wait of the others", LONGEST, Figure(own["others_ms"], "")),
        judged("background_refresh: longest wait", LONGEST, Figure(behind["longest_ms"], "")),
        judged(
            "background_refresh: token requests",
            Goal("exactly", 1, "token request"),
            Figure(behind["requests"], ""),
        ),
    ]


def table(rows: Rows) -> Iterator[str]:
    """Whoever makes the fewest wait first."""
    order = sorted(rows, key=lambda name: (rows[name]["waiting"], rows[name]["longest_ms"]))
    yield from markdown(
        (f"{THREADS} threads", "of them wait", "longest wait ms", "of the others ms",
         "token requests"),
        ((name, *_cells(rows[name])) for name in order),
    )  # fmt: skip


def _cells(row: Row) -> Iterator[str]:
    yield f"{row['waiting']}"
    yield f"{row['longest_ms']:,.1f}"
    yield "" if row["waiting"] == THREADS else f"{row['others_ms']:,.1f}"
    yield f"{row['requests']}"


SCENARIO = Scenario("slow-refresh", measure, judge, table)
