"""What the figures depend on besides the code: machine, Python, versions; and whom TLS trusts."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from ._candidates import PEERS
from ._server import Server

BENEATH = ("httpx", "httpx2", "requests", "urllib3", "aiohttp", "cryptography")
"""What the candidates send with."""


def trust(server: Server) -> None:
    """Have this process and its children trust the server's certificate.

    By the variables that users have for it, so that no candidate needs a setting of its own.
    """
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        os.environ[name] = server.ca_file


def environment() -> dict[str, str | int | None]:
    """Date, machine, Python."""
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cpus": os.cpu_count(),
    }


def versions() -> dict[str, str]:
    """Of all candidates and of what they send with."""
    names = [*(peer.distribution for peer in PEERS.values()), *BENEATH]
    return {name: version(name) for name in dict.fromkeys(names)}


def _processor() -> str:
    """As Linux knows it; elsewhere what Python knows."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
