"""Scenario 2: the call with a fresh token, from many threads at once.

Throughput and waiting are measured apart. For the throughput a thread looks at the clock once in
fifty calls. For the waiting it reads the clock before and after each call, so the time of one
reading is in every figure; the row of the floor says how much that is.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from benchmarks._hot_path import calls_per_second, floor, together
from benchmarks._result import Figure, Goal, Result, judged

from ._bench import Bench, Row, Rows, Scenario, markdown
from ._candidates import OWN, PEERS, others
from ._hot_path import BARE, FLOOR
from ._own import OwnInBackground
from ._peer import Peer
from ._server import Server

THREADS = (8, 32, 64)
ROUNDS = 3
SECONDS = 0.15
"""Of each measurement of a round."""
ALONE = 3
"""Measurements of one thread in a round, of which the best counts: all shares are of it, and one
that was interrupted would flatter them."""
LOCK_FREE = ("Authlib's OAuth2Client", "botocore's token cache", "requests_oauth2client",
             "google-auth")  # fmt: skip
"""Besides the bare getter, the peers that take no lock for a fresh token, by their source."""
SHORT = (FLOOR, OWN, OwnInBackground.name, BARE, *LOCK_FREE)
"""Have three turns in each round: the slowest in a thousand of calls this short are those that an
interrupt of the machine met, and how many a turn has is chance."""

_peers: dict[str, Peer] = {}
"""Of the process in which all candidates take turns."""


def measure(bench: Bench) -> Rows:
    """Figures of each candidate over its turns, by the number of threads."""
    names = [FLOOR, *PEERS]
    bench.run("all", _prepare)
    found: dict[str, list[Row]] = {name: [] for name in names}
    for name in bench.turns([*names, *SHORT, *SHORT], ROUNDS):
        found[name].append(bench.run("all", _round, name))
    return {name: _over(turns) for name, turns in found.items()}


def _over(turns: list[Row]) -> Row:
    """Of what was done, the median; of the waiting, to which other work of the machine can only
    add, the least.
    """
    return {
        figure: (min if " p" in figure else median)(turn[figure] for turn in turns)
        for figure in turns[0]
    }


def _prepare(server: Server) -> None:
    server.behave()
    for name, kind in PEERS.items():
        if name not in _peers:
            _peers[name] = kind(server.endpoint(f"{name}, threads"))
            _peers[name].header()


def _round(server: Server, name: str) -> Row:
    row = {"1 calls/s": max(calls_per_second(_calls(name, 1), SECONDS) for _ in range(ALONE))}
    for threads in THREADS:
        row[f"{threads} calls/s"] = calls_per_second(_calls(name, threads), SECONDS)
        times = _times(_calls(name, threads))
        for percent in (50, 99, 99.9):
            row[f"{threads} p{percent:g}"] = _percentile(times, percent)
    return row


def _calls(name: str, threads: int) -> list[Callable[[], Any]]:
    return [floor() if name == FLOOR else _peers[name].caller() for _ in range(threads)]


def _times(calls: Sequence[Callable[[], Any]]) -> Counter[int]:
    """How many calls of all threads took how many nanoseconds."""
    by_thread = [array("q") for _ in calls]

    def work(index: int) -> None:
        call, keep, clock = calls[index], by_thread[index].append, time.perf_counter_ns
        end = clock() + SECONDS * 1e9
        while True:
            began = clock()
            call()
            done = clock()
            keep(done - began)
            if done > end:
                return

    together(len(calls), work)
    counts: Counter[int] = Counter()
    for times in by_thread:
        counts.update(times)
    return counts


def _percentile(counts: Counter[int], percent: float) -> int:
    left = counts.total() * percent / 100
    for nanoseconds in sorted(counts):
        left -= counts[nanoseconds]
        if left < 0:
            return nanoseconds
    raise AssertionError("there are no calls")


def judge(rows: Rows) -> list[Result]:
    """Throughput against one thread and against the peers; waiting against those without a lock."""
    return [result for threads in THREADS for result in _judge(rows, threads)]


def _judge(rows: Rows, threads: int) -> Iterator[Result]:
    own, rate = rows[OWN], f"{threads} calls/s"
    fastest = max(others("header"), key=lambda name: float(rows[name][rate]))
    yield judged(
        f"{threads} threads / 1 thread",
        Goal("at least", 70, "%"),
        Figure(100 * own[rate] / own["1 calls/s"], f"{own[rate] / 1e6:.2f} million calls/s"),
    )
    yield judged(
        f"{threads} threads / the best peer that hands out a header",
        Goal("at least", 2, "×"),
        Figure(own[rate] / rows[fastest][rate], fastest),
    )
    for percentile in ("p99", "p99.9"):
        name = f"{threads} {percentile}"
        best = min(LOCK_FREE, key=lambda peer: float(rows[peer][name]))
        for what, peer, bound in (
            (f"bare token of {BARE}", BARE, 1.5),
            ("the best other without a lock", best, 1.0),
        ):
            yield judged(
                f"{threads} threads, {percentile} / {what}",
                Goal("at most", bound, "×"),
                Figure(
                    own[name] / rows[peer][name], f"{own[name]} / {rows[peer][name]} ns: {peer}"
                ),
            )


def table(rows: Rows) -> Iterator[str]:
    """A table for each number of threads, fastest first."""
    for threads in THREADS:
        order = sorted(rows, key=lambda name: -float(rows[name][f"{threads} calls/s"]))
        yield from markdown(
            (
                f"{threads} threads",
                "million calls/s",
                "of 1 thread",
                "p50 µs",
                "p99 µs",
                "p99.9 µs",
            ),
            ((name, *_cells(rows[name], threads)) for name in order),
        )
        yield ""


def _cells(row: Row, threads: int) -> Iterator[str]:
    rate = row[f"{threads} calls/s"]
    yield f"{rate / 1e6:.2f}"
    yield f"{100 * rate / row['1 calls/s']:.0f} %"
    for percentile in ("p50", "p99", "p99.9"):
        yield f"{row[f'{threads} {percentile}'] / 1e3:,.1f}"


SCENARIO = Scenario("threads", measure, judge, table)
