"""The figures of a day, as they stand in `results.json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ._fleet import Day, Plan

Figures = Mapping[str, Any]


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
