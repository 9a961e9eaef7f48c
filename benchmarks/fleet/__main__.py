"""Simulates all fleets, measures a Redis; writes `results.json`, plot and tables of the docs."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

from . import _redis
from ._figures import figures
from ._fleet import Day, Kind, Plan, simulate
from ._page import PAGE, written
from ._plot import Panel, svg
from ._provider import Limit, Outage

KINDS: tuple[Kind, ...] = ("naive", "alone", "shared")
LIMIT = Limit(per_second=100, retry_after=30)
RESULTS_FILE = Path(__file__).with_name("results.json")
PLOT_FILE = Path(__file__).parents[2] / "docs/assets/fleet.svg"

WITHOUT_OUTAGE = {300: 1.0, 3600: 24.0, 86_400: 25.0}
"""Hours, by the life of the token. With one of five minutes every hour is like the other; one of a
day is replaced just before its end."""
WITH_OUTAGE = {300: (0.75, Outage(1200)), 3600: (2.0, Outage(2900))}
"""The provider goes down when the tokens are due, which is the worst time."""
WORKERS_IN_OUTAGE = 1000
"""Whoever waits for a token asks the store all the time; ten thousand would take minutes."""


def plans() -> list[Plan]:
    """All that is simulated, in the order of the results."""
    quiet = [
        Plan(kind, lifetime, hours=hours, limit=LIMIT)
        for lifetime, hours in WITHOUT_OUTAGE.items()
        for kind in KINDS
    ]
    return quiet + [
        Plan(kind, lifetime, WORKERS_IN_OUTAGE, hours, outage=outage, limit=LIMIT)
        for lifetime, (hours, outage) in WITH_OUTAGE.items()
        for kind in KINDS
    ]


def main() -> int:
    """Simulate, report and write."""
    began = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        days = pool.map(simulate, plans(), chunksize=1)
    fleets, redis = [figures(day) for day in days], _redis.measured()
    for found in [*fleets, redis]:
        print(json.dumps(found))
    if redis is None:
        print("redis-server is not on PATH: its figures stay as they were", file=sys.stderr)
        redis = json.loads(RESULTS_FILE.read_text("utf-8"))["redis"]
    results = {"fleets": fleets, "redis": redis}
    RESULTS_FILE.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    PAGE.write_text(written(PAGE.read_text("utf-8"), results), "utf-8")
    PLOT_FILE.parent.mkdir(exist_ok=True)
    PLOT_FILE.write_text(plot(days), "utf-8")
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)
    return 1 if any(fleet["expired_in_use"] for fleet in fleets) else 0


def plot(days: list[Day]) -> str:
    """The fleets with a token of an hour: a day, and an outage."""
    hourly = [day for day in days if day.plan.lifetime == 3600]
    quiet = [day for day in hourly if day.plan.outage is None]
    outage = [day for day in hourly if day.plan.outage is not None]
    return svg([
        Panel("10,000 workers, tokens of an hour: requests in the busiest second of 10 minutes",
              quiet, 0, 86_400, 600, 10_800, "h", 3600),
        Panel("1,000 workers, the provider is down for 10 minutes: in the busiest second of 10",
              outage, -300, 1200, 10, 300, "min", 60),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
