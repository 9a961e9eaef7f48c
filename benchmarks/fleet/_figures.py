"""The figures of a day, as they stand in `results.json` and in the docs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ._fleet import Day, Plan

Figures = Mapping[str, Any]
NAMES = {"naive": "a naive cache", "alone": "pygen-auth", "shared": "pygen-auth with a store"}
LIFETIMES = {300: "5 minutes", 3600: "1 hour", 86_400: "1 day"}


def figures(day: Day) -> Figures:
    """All that a reader may want to know of it."""
    plan, ledger = day.plan, day.ledger
    found: dict[str, Any] = {
        "kind": plan.kind,
        "lifetime": plan.lifetime,
        "workers": plan.workers,
        "hours": plan.hours,
        "requests": sum(day.requests.values()),
        "requests_peak": _peak(day.requests),
        "granted": day.statuses[200],
        "limited": day.statuses[429],
        "unavailable": day.statuses[503],
        "expired_in_use": ledger.expired_in_use,
    }
    if plan.kind == "shared":
        found["operations"] = dict(sorted(ledger.operations.items()))
        found["operations_per_second"] = _rounded(_settled(ledger.operations_at, plan))
        found["operations_peak"] = _peak(ledger.operations_at)
    if plan.outage is not None and day.down_at is not None:
        begin, end = int(day.down_at), int(day.down_at + plan.outage.seconds)
        found["outage"] = {
            "after": begin,
            "seconds": plan.outage.seconds,
            "requests": day.statuses[503],
            "requests_peak": max(day.requests[second] for second in range(begin, end)),
            "restored_after": _rounded(ledger.restored - day.down_at - plan.outage.seconds),
        }
    return found


def _settled(operations_at: Counter[int], plan: Plan) -> float:
    """Operations per second after the first token's life, when the start is over."""
    begin, end = min(plan.lifetime, int(plan.hours * 1800)), int(plan.hours * 3600)
    return sum(operations_at[second] for second in range(begin, end)) / (end - begin)


def _peak(by_second: Counter[int]) -> int:
    return max(by_second.values(), default=0)


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


# -- the tables of docs/sharing.md


def day_table(fleets: Sequence[Figures]) -> str:
    """Days without an outage."""
    lines = [
        "| Tokens live | Each worker has | Token requests | in the busiest second | answered 429 |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {LIFETIMES[fleet['lifetime']]}, {_hours(fleet)} | {NAMES[fleet['kind']]} "
        f"| {fleet['requests']:,} | {fleet['requests_peak']:,} | {fleet['limited']:,} |"
        for fleet in fleets
        if "outage" not in fleet
    ]
    return "\n".join(lines)


def outage_table(fleets: Sequence[Figures]) -> str:
    """Ten minutes without the provider."""
    lines = [
        "| Tokens live | Each worker has | Token requests meanwhile | in the busiest second |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {LIFETIMES[fleet['lifetime']]} | {NAMES[fleet['kind']]} "
        f"| {fleet['outage']['requests']:,} | {fleet['outage']['requests_peak']:,} |"
        for fleet in fleets
        if "outage" in fleet
    ]
    return "\n".join(lines)


def redis_table(results: Figures, workers: int = 1_000_000) -> str:
    """What one Redis carries for a million workers: the simulated fleets, times what is missing."""
    redis = results["redis"]
    lines = [
        "| Tokens live | Commands a second, on average | in the busiest second |",
        "|---|---|---|",
    ]
    for fleet in results["fleets"]:
        if fleet["kind"] == "shared" and "outage" not in fleet:
            times = workers / fleet["workers"]
            average, peak = fleet["operations_per_second"] * times, fleet["operations_peak"] * times
            lines.append(f"| {LIFETIMES[fleet['lifetime']]} | {average:,.0f} | {peak:,.0f} |")
        elif fleet["kind"] == "shared":
            peak = fleet["operations_peak"] * workers / fleet["workers"]
            lines.append(f"| {LIFETIMES[fleet['lifetime']]}, in an outage | | {peak:,.0f} |")
    connection = redis["bytes_of_connection"]
    lines += [
        "",
        "| Memory | |",
        "|---|---|",
        f"| the key, with a token of 1,500 characters | {redis['bytes_of_key']:,} bytes, once |",
        f"| {workers:,} connections, idle | {connection['idle'] * workers / 1e9:.1f} GB |",
        f"| each that was used in the last seconds | {connection['in_use']:,} bytes |",
    ]
    return "\n".join(lines)


def _hours(fleet: Figures) -> str:
    return f"{fleet['hours']:g} hours" if fleet["hours"] != 1 else "in an hour"
