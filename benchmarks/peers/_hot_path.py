"""Scenario 1: what a call costs while the token is fresh, in one thread."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from timeit import Timer
from typing import Any

from benchmarks._hot_path import floor
from benchmarks._result import Figure, Goal, Result, judged

from ._bench import Bench, Rows, Scenario, markdown
from ._candidates import OWN, PEERS, others
from ._server import Server
from ._token_peers import Auth0

ROUNDS = 41
SECONDS = 0.004
"""Length of a round of one candidate, about; short, so that many are not interrupted."""
FLOOR = "floor"
BARE = Auth0.name
"""The fastest getter of a bare token: no lock, one clock, no dict."""

_callers: dict[str, tuple[Timer, int]] = {}
"""Of the process in which all candidates take turns: what to time, and how often."""


def measure(bench: Bench) -> Rows:
    """Nanoseconds of a call, as medians over the rounds."""
    names = [FLOOR, *PEERS]
    bench.run("all", _prepare)
    found: dict[str, list[float]] = {name: [] for name in names}
    for name, nanoseconds in bench.run("all", _rounds, list(bench.turns(names, ROUNDS))):
        found[name].append(nanoseconds)
    middle = {name: sorted(figures)[len(figures) // 2] for name, figures in found.items()}
    return {
        name: {
            "ns": middle[name],
            "shortest_ns": min(found[name]),
            "times_floor": middle[name] / middle[FLOOR],
            "times_own": middle[name] / middle[OWN],
        }
        for name in names
    }


def _prepare(server: Server) -> None:
    if _callers:
        return
    server.behave()
    _time(FLOOR, floor())
    for name, kind in PEERS.items():
        peer = kind(server.endpoint(f"{name}, hot path"))
        peer.header()
        _time(name, peer.caller())
    gc.collect()
    gc.freeze()  # what was imported is no work for the collector any more


def _time(name: str, call: Callable[[], Any]) -> None:
    timer = Timer("call()", globals={"call": call})
    number, seconds = timer.autorange()
    _callers[name] = timer, max(1, round(number * SECONDS / seconds))


def _rounds(server: Server, turns: list[str]) -> list[tuple[str, float]]:
    timed = ((name, *_callers[name]) for name in turns)
    return [(name, timer.timeit(number) / number * 1e9) for name, timer, number in timed]


def judge(rows: Rows) -> list[Result]:
    """Against the floor, against whoever hands out a header, against the fastest getter."""
    nearest = min(others("header"), key=lambda name: float(rows[name]["ns"]))
    own, bare = rows[OWN], rows[BARE]
    return [
        judged(
            "header / floor",
            Goal("at most", 2.0, "×"),
            Figure(own["times_floor"], f"{own['ns']:.0f} ns / {rows[FLOOR]['ns']:.0f} ns"),
        ),
        judged(
            "the next fastest that hands out a header",
            Goal("at least", 1.7, "×"),
            Figure(rows[nearest]["times_own"], f"{nearest}, {rows[nearest]['ns']:.0f} ns"),
        ),
        judged(
            "header / bare token of auth0-python",
            Goal("at most", 1.5, "×"),
            Figure(1 / bare["times_own"], f"{own['ns']:.0f} ns / {bare['ns']:.0f} ns"),
        ),
    ]


def table(rows: Rows) -> Iterator[str]:
    """Fastest first."""
    order = sorted(rows, key=lambda name: rows[name]["ns"])
    yield from markdown(
        ("", "hands out", "ns, median", "ns, shortest round", "× floor", "× pygen-auth"),
        (
            (
                name,
                PEERS[name].gives if name in PEERS else "header",
                *(f"{rows[name][figure]:,.0f}" for figure in ("ns", "shortest_ns")),
                *(f"{rows[name][figure]:.1f}" for figure in ("times_floor", "times_own")),
            )
            for name in order
        ),
    )


SCENARIO = Scenario("hot-path", measure, judge, table)
