"""No call is lost and nothing hangs, whatever happens at once; in processes of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SECONDS = float(os.environ.get("PYGEN_AUTH_STRESS_SECONDS", "3"))
SEED = int(os.environ.get("PYGEN_AUTH_STRESS_SEED", "1"))
SERVERS = ["sender", "sockets"]
PROCESSES = {
    "development mode": (["-X", "dev"], []),
    "switching threads all the time": ([], ["--switch-interval", "1e-6"]),
}
KEYWORDS: list[dict[str, Any]] = [{}, {"background_refresh": True}]
"""Of the credentials; each is put under stress."""


@pytest.mark.parametrize("keywords", KEYWORDS, ids=json.dumps)
@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("server", SERVERS)
def test_no_call_is_lost_under_stress(server: str, process: str, keywords: dict[str, Any]) -> None:
    seconds = SECONDS / (len(SERVERS) * len(PROCESSES) * len(KEYWORDS))
    options, arguments = PROCESSES[process]
    ended = subprocess.run(
        [
            *(sys.executable, "-W", "error", *options, "-m", "tests.stress", server, str(seconds)),
            *("--seed", str(SEED), "--keywords", json.dumps(keywords), *arguments),
        ],
        capture_output=True,
        text=True,
        timeout=seconds + 120,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    print(ended.stdout)
    assert re.match(r"[1-9]\d* rounds, [1-9]\d* calls, ", ended.stdout)
