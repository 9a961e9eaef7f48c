"""Scenario 5: the token is due and still valid, and the endpoint answers 503 for a minute."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks._result import Figure, Goal, Result, judged

from ._bench import Bench, Row, Rows, Scenario, markdown
from ._candidates import OWN, PEERS
from ._clock import moved_clock, settle
from ._own import OwnInBackground
from ._server import Server

OUTAGE = 60.0
"""Seconds. It begins when the margin of a candidate does, and is over when the token expires at
the latest, since from then on nobody has anything to hand out."""
CALLS_PER_SECOND = 5
LIFETIME = 3600


def measure(bench: Bench) -> Rows:
    """Counts, once; of ours the token requests vary by one with the chance in its pauses."""
    return {name: bench.run(name, _run, name) for name in PEERS}


def _run(server: Server, name: str) -> Row:
    peer = PEERS[name](server.endpoint(f"{name}, outage"))
    call, access_token = peer.caller(), peer.access_token
    seconds = min(OUTAGE, peer.margin - 1)
    calls, lost, errors = 0, 0, set()
    server.behave(lifetime=LIFETIME)
    with moved_clock(stands_still=True) as shift:
        access_token(call())
        shift(LIFETIME - peer.margin + 0.5)
        server.behave(status=503)
        end = time.time() + seconds
        while time.time() < end:  # a call that pauses between its attempts is one of fewer
            calls += 1
            try:
                access_token(call())
            except Exception as error:
                lost += 1
                errors.add(type(error).__name__)
            shift(1 / CALLS_PER_SECOND)
            if not peer.waits:
                settle()
    return {
        "seconds": seconds,
        "calls": calls,
        "lost": lost,
        "requests": server.count(),
        "errors": sorted(errors),
    }


def judge(rows: Rows) -> list[Result]:
    """No call is lost; the server is left alone, but asked again, or else nobody would notice when
    it is back.
    """
    return [
        result
        for name in (OWN, OwnInBackground.name)
        for result in (
            judged(
                f"{name}: calls lost",
                Goal("exactly", 0, "calls"),
                Figure(rows[name]["lost"], f"of {rows[name]['calls']}"),
            ),
            judged(
                f"{name}: token requests",
                Goal("at most", 10, "token requests"),
                Figure(rows[name]["requests"], f"in {rows[name]['seconds']:g} s"),
                also=rows[name]["requests"] > 1,
            ),
        )
    ]


def table(rows: Rows) -> Iterator[str]:
    """Whoever loses the smallest share first."""
    order = sorted(
        rows, key=lambda name: (rows[name]["lost"] / rows[name]["calls"], rows[name]["requests"])
    )
    yield from markdown(
        ("", "outage s", "calls", "lost", "token requests"),
        (
            (
                name,
                *(f"{rows[name][figure]:g}" for figure in ("seconds", "calls", "lost", "requests")),
            )
            for name in order
        ),
    )


SCENARIO = Scenario("outage", measure, judge, table)
