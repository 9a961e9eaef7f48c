"""Runs all benchmarks, prints a table, writes `results.json`; exits with 1 if a goal is missed."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from . import (
    _bearer_auth,
    _cold_start,
    _first_header,
    _hot_path,
    _import,
    _objects,
    _shared_hit,
    _slow_refresh,
)
from ._result import Result, table

SUBJECTS = (
    _hot_path,
    _bearer_auth,
    _objects,
    _import,
    _first_header,
    _shared_hit,
    _cold_start,
    _slow_refresh,
)
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
    print(table(results))
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


if __name__ == "__main__":
    sys.exit(main())
