"""The memory that one call takes, measured in a process that holds nothing but credentials.

python -m tests.faults.memory URL CA_FILE TWIN     is that process
"""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

from pygen_auth import OAuth2Error
from tests.support import Twin

from .fault import Fault
from .server import FaultServer
from .world import MARK, World

LIMIT = 8_000_000
"""Bytes above what the process held before, whatever a server sends."""
ROOT = Path(__file__).parent.parent.parent
RESET = "/proc/self/clear_refs"


def taken(fault: Fault, tls: bool, twin: str, world: World) -> int:
    """Bytes that a call takes at its peak when it meets this fault."""
    with FaultServer(fault, tls, world, MARK, time.time) as server:
        command = [sys.executable, "-m", "tests.faults.memory", server.url, world.ca_file, twin]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            server.breaks()
            out, _ = child.communicate("go\n", timeout=120)
    assert server.attempts > 0
    return int(out)


def _measured(url: str, ca_file: str, name: str) -> int:
    twin = Twin(name)
    credentials = twin.make(url, "id", "a secret", verify=ca_file, timeout=60.0)
    for _ in range(3):  # what is imported and built once does not count
        twin.token(credentials)
        twin.call(credentials, "close")
    gc.collect()
    print("ready", flush=True)
    sys.stdin.readline()
    resident = os.access(RESET, os.W_OK)
    if resident:
        Path(RESET).write_text("5")  # forget the peak so far, see proc_pid_clear_refs(5)
    else:
        tracemalloc.start()
    before = _peak() if resident else 0
    with contextlib.suppress(OAuth2Error):
        twin.token(credentials)
    return (_peak() if resident else tracemalloc.get_traced_memory()[1]) - before


def _peak() -> int:
    """Bytes of memory that this process has had at once."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    print(_measured(*sys.argv[1:]))
