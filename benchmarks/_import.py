"""`import pygen_auth` in a cold process, against `import httpx`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from statistics import median

from ._result import Figure, Goal, Result, best_run

ROUNDS = 9
STATEMENTS = ("pass", "import pygen_auth", "import httpx")


def results() -> list[Result]:
    """The goal of a program's start."""
    with tempfile.TemporaryDirectory() as cache:
        # An installed package comes with its bytecode. A source folder may not, as where
        # PYTHONDONTWRITEBYTECODE is set, and compiling would then be measured for one of the two.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for statement in STATEMENTS:
            _seconds(statement, environment)
        return [
            best_run(
                "import pygen_auth / import httpx",
                Goal("at most", 1.3, "×"),
                lambda: _measure(environment),
            )
        ]


def _measure(environment: Mapping[str, str]) -> Figure:
    """The medians of rounds in turns, each without the bare start of Python."""
    rounds = [[_seconds(statement, environment) for statement in STATEMENTS] for _ in range(ROUNDS)]
    bare, ours, httpx = (median(seconds) for seconds in zip(*rounds, strict=True))
    detail = (
        f"{(ours - bare) * 1e3:.0f} ms / {(httpx - bare) * 1e3:.0f} ms, "
        f"without the {bare * 1e3:.0f} ms of bare Python"
    )
    return Figure((ours - bare) / (httpx - bare), detail)


def _seconds(statement: str, environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], env=environment, check=True)
    return time.perf_counter() - began
