"""`import pygen_auth` in a cold process, against `import httpx`."""

from __future__ import annotations

from collections.abc import Mapping

from ._cold_process import ALONE, cold_environment, cpu_ms, in_turns
from ._result import Figure, Goal, Result, best_run

ROUNDS = 9
PROGRAMS = {
    name: f"{ALONE}{statement}"
    for name, statement in (("bare", ""), ("ours", "import pygen_auth"), ("httpx", "import httpx"))
}


def results() -> list[Result]:
    """The goal of a program's start."""
    with cold_environment() as environment:
        return [
            best_run(
                "import pygen_auth / import httpx",
                Goal("at most", 1.3, "×"),
                lambda: _measure(environment),
            )
        ]


def _measure(environment: Mapping[str, str]) -> Figure:
    """Time of a processor in rounds in turns, each without the bare start of Python."""
    starts = in_turns(PROGRAMS, environment, [*PROGRAMS] * ROUNDS)
    bare, ours, httpx = (cpu_ms(starts[name]) for name in PROGRAMS)
    detail = f"{ours - bare:.0f} ms / {httpx - bare:.0f} ms, without the {bare:.0f} ms of Python"
    return Figure((ours - bare) / (httpx - bare), detail)
