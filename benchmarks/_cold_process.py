"""Programs in processes of their own, from nothing to their end, and what they took until then."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_REPORT = """
import time as _time
_took = {"ended": _time.monotonic(), "cpu_seconds": _time.process_time()}
import sys as _sys
_took["modules"] = len(_sys.modules)
with open("/proc/self/status") as _status:
    _peak = next(_line for _line in _status if _line.startswith("VmHWM"))
_took["memory"] = int(_peak.split()[1]) * 1024
import json as _json
print(_json.dumps(_took), flush=True)
"""
"""Runs behind a program: the clocks first, and what is imported for it not counted. The module
`resource` would tell the memory of the process that started this one, if that had more."""


ALONE = """
import sys
sys.modules.update(click=None, trio=None)
"""
"""Before a program: httpx as it is installed by itself. Where click and trio are there, as in an
environment for development, it takes twice as long: it loads them, for its command line and for
event loops that are not asyncio's."""


@dataclass(frozen=True)
class Start:
    """What one process took, until its program had done what it does."""

    seconds: float
    """Since before there was a process."""
    cpu_seconds: float
    """Of processors, in the program and in the system for it. Two that work at once count twice."""
    modules: int
    """That were imported."""
    memory: int
    """Bytes: the most that was resident."""


@contextlib.contextmanager
def cold_environment(**variables: str) -> Iterator[dict[str, str]]:
    """The environment of such processes, with these variables.

    An installed package comes with its bytecode. A source folder may not, as where
    PYTHONDONTWRITEBYTECODE is set, and compiling would then be measured for some of them.
    """
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, **variables, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield environment


def started(program: str, environment: Mapping[str, str]) -> Start:
    """What this program takes in a process of its own.

    Raises:
        CalledProcessError: it failed.
    """
    began = time.monotonic()  # the same clock in all processes
    took: dict[str, Any] = json.loads(output(program + _REPORT, environment).splitlines()[-1])
    return Start(seconds=took.pop("ended") - began, **took)


def output(program: str, environment: Mapping[str, str]) -> str:
    """What it prints.

    Raises:
        CalledProcessError: it failed.
    """
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip


def in_turns(
    programs: Mapping[str, str], environment: Mapping[str, str], turns: Iterable[str]
) -> dict[str, list[Start]]:
    """What each program took, whenever it was its turn. The first start of all is not counted."""
    for program in programs.values():
        started(program, environment)  # writes bytecode, and brings files into memory
    found: dict[str, list[Start]] = {name: [] for name in programs}
    for name in turns:
        found[name].append(started(programs[name], environment))
    return found


def wall_ms(starts: Iterable[Start], choose: Callable[[Iterable[float]], float] = min) -> float:
    """Milliseconds that went by; of the start that was disturbed the least, unless told."""
    return 1e3 * choose(start.seconds for start in starts)


def cpu_ms(starts: Iterable[Start], choose: Callable[[Iterable[float]], float] = min) -> float:
    """Milliseconds of all processors together, likewise."""
    return 1e3 * choose(start.cpu_seconds for start in starts)
