"""Scenario 6: tokens of five minutes, a minute and five seconds, with default settings."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks._result import Figure, Goal, Result, judged

from ._bench import Bench, Row, Rows, Scenario, markdown
from ._candidates import OWN, PEERS
from ._clock import moved_clock, settle
from ._own import OwnInBackground
from ._server import Server

LIFETIMES = (300, 60, 5)
"""Seconds."""
CALLS = 1000
"""Spread over one lifetime."""
AWAY = 1.2
"""Lifetimes that go by afterwards before one more call, as in a program that was idle."""


def measure(bench: Bench) -> Rows:
    """Counts, which are exact; once."""
    return {
        name: {f"{lifetime}": bench.run(name, _run, name, lifetime) for lifetime in LIFETIMES}
        for name in PEERS
    }


def _run(server: Server, name: str, lifetime: int) -> Row:
    peer = PEERS[name](server.endpoint(f"{name}, {lifetime} s"))
    call, access_token, now, expired = peer.caller(), peer.access_token, 0.0, 0
    seen: dict[str, float] = {}  # since when
    server.behave(lifetime=lifetime)
    with moved_clock(stands_still=True) as shift:
        for number in range(CALLS + 1):
            if number == CALLS:
                requests, last = server.count(), AWAY * lifetime
                shift(last)
                now += last
            token = access_token(call())
            expired += now - seen.setdefault(token, now) >= lifetime
            shift(lifetime / CALLS)
            now += lifetime / CALLS
            if not peer.waits:
                settle()
    return {"requests": requests, "expired": expired}


def judge(rows: Rows) -> list[Result]:
    """A token is asked for twice in its life, and none is used beyond it."""
    return [
        judged(
            f"{name}, tokens of {lifetime} s",
            Goal("at most", 2, "token requests"),
            Figure(row["requests"], f"{row['expired']} calls with an expired token"),
            also=row["expired"] == 0,
        )
        for name in (OWN, OwnInBackground.name)
        for lifetime, row in rows[name].items()
    ]


def table(rows: Rows) -> Iterator[str]:
    """In the order of their token requests."""
    order = sorted(
        rows, key=lambda name: [rows[name][f"{each}"]["requests"] for each in (5, 60, 300)]
    )
    yield from markdown(
        ("token requests for 1,000 calls in one lifetime",
         *(f"of {lifetime} s" for lifetime in LIFETIMES), "calls with an expired token"),
        (
            (
                name,
                *(f"{rows[name][f'{lifetime}']['requests']:,}" for lifetime in LIFETIMES),
                sum(row["expired"] for row in rows[name].values()),
            )
            for name in order
        ),
    )  # fmt: skip


SCENARIO = Scenario("lifetimes", measure, judge, table)
