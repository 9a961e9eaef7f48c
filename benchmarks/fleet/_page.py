"""The tables of docs/sharing.md, made of `results.json`; a run writes them anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ._figures import Figures

PAGE = Path(__file__).parents[2] / "docs/sharing.md"
NAMES = {"naive": "a naive cache", "alone": "pygen-auth", "shared": "pygen-auth with a store"}
LIFETIMES = {300: "5 minutes", 3600: "1 hour", 86_400: "1 day"}
MANY = 1_000_000
"""Workers of one Redis. Each adds the same, so those of a fleet are counted many times."""


def written(page: str, results: Figures) -> str:
    """The page with the tables of these results; each is found by its first line."""
    for rows in (_days(results), _outages(results), _commands(results), _memory(results)):
        head, *others = [f"| {row} |" for row in rows]
        table = "\n".join([head, "|" + "---|" * (head.count("|") - 1), *others, ""])
        before, found, after = page.partition(f"{head}\n")
        assert found, f"docs/sharing.md has no table that begins with {head}"
        page = before + table + re.sub(r"\A(\|.*\n)*", "", after)
    return page


def _days(results: Figures) -> Iterator[str]:
    yield (
        "Tokens live | Simulated | Each worker has | Token requests | in the busiest second "
        "| answered 429"
    )
    for fleet in results["fleets"]:
        if "outage" not in fleet:
            hours = f"{fleet['hours']:g} h"
            figures = (fleet[name] for name in ("requests", "requests_peak", "limited"))
            yield " | ".join(
                [_life(fleet), hours, _name(fleet), *(f"{each:,}" for each in figures)]
            )


def _outages(results: Figures) -> Iterator[str]:
    yield "Tokens live | Each worker has | Token requests in the outage | in its busiest second"
    for fleet in results["fleets"]:
        if "outage" in fleet:
            figures = (fleet["outage"][name] for name in ("requests", "requests_peak"))
            yield " | ".join([_life(fleet), _name(fleet), *(f"{each:,}" for each in figures)])


def _commands(results: Figures) -> Iterator[str]:
    yield "Tokens live | Commands a second, on average | in the busiest second"
    for fleet in results["fleets"]:
        if fleet["kind"] == "shared":
            times = MANY / fleet["workers"]
            average, peak = fleet["operations_per_second"] * times, fleet["operations_peak"] * times
            if "outage" in fleet:
                yield f"{_life(fleet)}, in the outage | | {peak:,.0f}"
            else:
                yield f"{_life(fleet)} | {average:,.0f} | {peak:,.0f}"


def _memory(results: Figures) -> Iterator[str]:
    connection = results["redis"]["bytes_of_connection"]
    yield "Memory | bytes | for a million"
    yield f"the key, with a token of 1,500 characters | {results['redis']['bytes_of_key']:,} | once"
    for name, state in (("idle", "idle"), ("in_use", "used in the last seconds")):
        size = connection[name]
        yield f"a connection, {state} | {size:,} | {size * MANY / 1e9:.1f} GB"


def _life(fleet: Figures) -> str:
    return LIFETIMES[fleet["lifetime"]]


def _name(fleet: Figures) -> str:
    return NAMES[fleet["kind"]]
