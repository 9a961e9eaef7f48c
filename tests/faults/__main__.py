"""The whole matrix: plays every cell, and writes the page if all was as it should be."""

from __future__ import annotations

import os
import platform
import sys
import threading
import time
from functools import partial

from .catalog import FAULTS
from .fault import Fault
from .memory import LIMIT, taken
from .page import PAGE, figures, table, written
from .runner import Cell, Result, cells, cells_that_pass, in_parallel, play, play_once
from .world import World, world


def main() -> int:
    """Play, report, write, and give the exit status."""
    start = time.monotonic()
    wrong: list[str] = []

    def report(cell: Cell, error: Exception) -> None:
        wrong.append(f"{cell}: {type(error).__name__}: {error}")
        print(wrong[-1], flush=True)

    with world() as here:
        results = in_parallel(cells(), partial(play, world=here), report)
        passed = in_parallel(cells_that_pass(), partial(play_once, world=here), report)
        peaks = _peaks(here)
    wrong += [f"{fault} takes {peak:,} bytes" for fault, peak in peaks.items() if peak > LIMIT]
    wrong += [f"{thread} goes on" for thread in _left_over()]
    seconds = time.monotonic() - start
    measured = _measured(results, len(passed), peaks, seconds)
    print(figures(measured))
    if wrong:
        print(f"{len(wrong)} things are not as they should be:", *wrong, sep="\n")
        return 1
    labels = {(r.cell.fault, r.cell.tls, r.cell.moment): r.label for r in results}
    blocks = {"table": table(lambda *key: labels[key]), "figures": figures(measured)}
    PAGE.write_text(written(PAGE.read_text("utf-8"), **blocks), "utf-8")
    return 0


def _peaks(here: World) -> dict[Fault, int]:
    heavy = [fault for fault in FAULTS if fault.heavy]
    return {
        fault: max(
            taken(fault, tls, twin, here) for tls, twin in ((True, "sync"), (False, "async"))
        )
        for fault in heavy
    }


def _left_over() -> list[threading.Thread]:
    """Threads of token requests that have not ended, long after their callers left."""
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("pygen-auth")]
    for thread in ours:
        thread.join(5.0)
    return [thread for thread in ours if thread.is_alive()]


def _measured(
    results: list[Result], passed: int, peaks: dict[Fault, int], seconds: float
) -> dict[str, str]:
    latest = max(result.late for result in results)
    most = max(peaks, key=lambda fault: peaks[fault])
    python = ".".join(platform.python_version_tuple()[:2])
    return {
        "Faults": f"{len(FAULTS)}",
        "Cells": f"{len(results):,}, each as the tables say",
        "Cells in which the fault passed within the call": f"{passed:,}, each with the right token",
        "The latest answer": f"{max(latest, 0.0):.2f} s after its time-out; 1 s is allowed",
        "The most memory that one answer took": (
            f"{peaks[most] / 1e6:.1f} MB ({most}); 8 MB is allowed"
        ),
        "The run": f"{seconds:.0f} s on {os.cpu_count()} cores with Python {python}",
    }


if __name__ == "__main__":
    sys.exit(main())
