"""docs/moving.md as programs: what is before and after each change, and how they are run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pygen_auth.testing import AuthorizationServer

from .internet import Internet

PAGE = Path(__file__).parents[2] / "docs" / "moving.md"
SECONDS = 60
RUNNER = "import json, sys\nfor program in json.load(sys.stdin): exec(program, {})"
BEHIND_PROXY = """
import os
from cognite.client import global_config
global_config.proxy = os.environ["HTTPS_PROXY"]
global_config.disable_pypi_version_check = True
"""
"""What the Cognite SDK needs so as not to look for the real hosts; the oldest reads no variable."""

OWN = {"client_info"}
"""Form fields in which a library asks for what it does not need."""


def _sections() -> dict[str, list[tuple[str, str]]]:
    parts = re.split(r"^##+ (.+)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return {
        heading: re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }


SECTIONS = _sections()
"""Language and code of the blocks under each heading."""

CHANGES = {
    heading: [code for _, code in blocks]
    for heading, blocks in SECTIONS.items()
    if [language for language, _ in blocks[:2]] == ["text", "python"]
}
"""What is before, what is after, and what follows either, under each heading with a change."""


def run(internet: Internet, *programs: str) -> None:
    """Run programs, one after the other, in a process that has nothing else."""
    whole = [BEHIND_PROXY * ("cognite.client" in program) + program for program in programs]
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(whole),
        env=internet.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    missing = re.search(r"ModuleNotFoundError: No module named '(.+)'", done.stderr)
    if missing:
        pytest.skip(f"{missing[1]} is not installed here")
    assert done.returncode == 0, done.stderr


def asked_by_both_sides(
    heading: str, internet: Internet, authority: AuthorizationServer
) -> list[tuple[Any, ...]]:
    """The token requests of what is before and of what is after."""
    before, after, *common = CHANGES[heading]
    run(internet, *("\n".join([side, *common]) for side in (before, after)))
    return [
        (
            {name: values for name, values in request.form.items() if name not in OWN},
            request.auth_method,
            request.headers.get("authorization"),
        )
        for request in authority.token_requests
    ]
