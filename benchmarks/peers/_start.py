"""Scenario 7: a cold process to its first header over TLS, and what has to be installed for it."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks._cold_process import cpu_ms, in_turns, wall_ms
from benchmarks._first_header import BARE, GOAL, HTTPX, OURS, trusting
from benchmarks._result import Figure, Goal, Result, judged

from ._bench import Bench, Row, Rows, Scenario, markdown
from ._candidates import PEERS
from ._closure import closure, size
from ._header_peers import private_key
from ._programs import ALL, OF_PEERS, programs
from ._token_peers import Msal

ROUNDS = 15
COMPLETE = [name for name in OF_PEERS if name != Msal.name]
"""Peers that use httpx or requests. msal does, too; it is shown, and does less: it hands out a
dict that its caller has to look through, and serves Entra ID alone."""


def measure(bench: Bench) -> Rows:
    """Time, modules and memory of each program over bare Python; megabytes of its installation."""
    endpoint = bench.server.endpoint()
    found = programs(
        endpoint.secure.removeprefix("https://"),
        endpoint.token_url(tls=True),
        private_key().decode("ascii"),
    )
    with trusting(bench.server.ca_file) as environment:
        starts = in_turns(found, environment, bench.turns(ALL, ROUNDS))
    bare = starts[BARE]
    rows: Rows = {}
    for name, own in starts.items():
        rows[name] = {
            "ms": wall_ms(own) - wall_ms(bare),
            "median_ms": wall_ms(own, median) - wall_ms(bare, median),
            "cpu_ms": cpu_ms(own) - cpu_ms(bare),
            "modules": own[0].modules,
            "memory_mb": median(start.memory for start in own) / 1e6,
        } | _installed(name)
    return rows


def _installed(name: str) -> Row:
    if name == BARE:
        return {"packages": 0, "installed_mb": 0.0}
    distribution = PEERS[name].distribution if name in PEERS else "httpx"
    return {"packages": len(closure(distribution)), "installed_mb": size(distribution) / 1e6}


def judge(rows: Rows) -> list[Result]:
    """Against httpx with one request, and against the lightest peer that does the same."""
    own, httpx = rows[OURS], rows[HTTPX]
    return [
        judged(
            "first header / httpx alone",
            GOAL,
            Figure(own["ms"] / httpx["ms"], _both(own, httpx, "ms", "ms")),
        ),
        _against_peers(rows, "ms", Goal("under", 1, "×")),
        _against_peers(rows, "memory_mb", Goal("at most", 1.01, "×")),
    ]


def _against_peers(rows: Rows, figure: str, goal: Goal) -> Result:
    """The hundredth is for memory, where the least of them is level with us: see the page."""
    least = min(COMPLETE, key=lambda name: float(rows[name][figure]))
    own, other = rows[OURS], rows[least]
    what, unit = {"ms": ("start", "ms"), "memory_mb": ("memory", "MB")}[figure]
    return judged(
        f"{what} / {least}, the least of a peer",
        goal,
        Figure(own[figure] / other[figure], _both(own, other, figure, unit)),
    )


def _both(own: Row, other: Row, figure: str, unit: str) -> str:
    return f"{own[figure]:.1f} / {other[figure]:.1f} {unit}"


def table(rows: Rows) -> Iterator[str]:
    """Fastest first."""
    order = sorted(rows, key=lambda name: rows[name]["ms"])
    yield from markdown(
        ("over bare Python", "ms", "ms, median", "ms of processors", "modules", "memory MB",
         "installed MB", "packages"),
        (
            (
                name,
                *(f"{rows[name][figure]:.0f}" for figure in ("ms", "median_ms", "cpu_ms")),
                rows[name]["modules"],
                f"{rows[name]['memory_mb']:.1f}",
                f"{rows[name]['installed_mb']:.1f}",
                rows[name]["packages"],
            )
            for name in order
        ),
    )  # fmt: skip


SCENARIO = Scenario("start", measure, judge, table)
