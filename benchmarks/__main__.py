"""Runs all benchmarks, prints a table, writes `results.json`; exits with 1 if a goal is missed."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from . import _cold_start, _hot_path, _import, _memory, _slow_refresh
from ._result import Result

SUBJECTS = (_hot_path, _import, _cold_start, _slow_refresh, _memory)
RESULTS_FILE = Path(__file__).with_name("results.json")


def main() -> int:
    """Measure, report, and give the exit status."""
    results: list[Result] = []
    for subject in SUBJECTS:
        name = subject.__name__.rpartition("._")[2].replace("_", " ")
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        results += subject.results()
    environment = _environment()
    print(", ".join(f"{name} {value}" for name, value in environment.items()), end="\n\n")
    print(_table(results))
    content = {"environment": environment, "results": [asdict(result) for result in results]}
    RESULTS_FILE.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0 if all(result.met for result in results) else 1


def _environment() -> dict[str, str | int | None]:
    """What the figures depend on besides the code."""
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "httpx": version("httpx"),
        "authlib": version("authlib"),
        "cpus": os.cpu_count(),
    }


def _table(results: Iterable[Result]) -> str:
    """The results in aligned columns, for people."""
    rows = [("measurement", "measured", "goal", "met", "detail"), *map(_row, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(_line(row, widths) for row in rows)


def _row(result: Result) -> tuple[str, ...]:
    measured = f"{result.measured:.3g} {result.unit}"
    runs = f"{result.runs} run{'s' if result.runs > 1 else ''}"
    met = "yes" if result.met else "NO"
    return result.name, measured, result.goal, met, f"{result.detail}; {runs}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


if __name__ == "__main__":
    sys.exit(main())
