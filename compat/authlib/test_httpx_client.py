"""Why no `authlib.integrations.httpx_client.OAuth2Client` is held.

A test that fails here is good news, see `test_traps`. When all have failed, `docs/design.md` can
ask once more whether that class does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from .support import VERSION

SCRIPT = Path(__file__).with_name("httpx_client.py")
HTTPX2 = VERSION >= (1, 8) and find_spec("httpx2") is not None


@pytest.fixture(scope="module")
def ran() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", str(SCRIPT)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.fixture(scope="module")
def facts(ran: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(ran.stdout)


def test_which_http_library_runs_depends_on_what_is_installed(facts: Any) -> None:
    """When this fails: say in `docs/design.md` which one runs."""
    assert facts["library"] == ("httpx2" if HTTPX2 else "httpx")


def test_without_httpx2_it_warns_whatever_is_ignored(ran: Any) -> None:
    """When this fails: nothing to do. It began with 1.8."""
    warned = "AuthlibDeprecationWarning: The httpx module is deprecated" in ran.stderr
    assert warned is (VERSION >= (1, 8) and not HTTPX2)


def test_importing_it_costs_hundreds_of_modules(facts: Any) -> None:
    """When this fails: nothing to do. It is what a cold start is made of."""
    assert facts["new_modules"] > 200


def test_automatic_refresh_loses_the_audience(facts: Any) -> None:
    """authlib issue 783. When this fails: nothing to do; the life of the token stays ours."""
    first, second = facts["refreshed_fields"]
    assert set(first) - set(second) == {"audience"}


def test_failures_have_four_roots(facts: Any) -> None:
    """When this fails: nothing to do; `_http` and `_protocol` are where errors are mapped."""
    http = facts["library"]
    wanted = {
        "refused": "authlib.common.errors.AuthlibBaseError",
        "unavailable": f"{http}.HTTPStatusError",
        "out_of_reach": f"{http}.TransportError",
        "no_json": "builtins.ValueError",
    }
    for kind, root in wanted.items():
        others = [classes for other, classes in facts.items() if other in wanted and other != kind]
        assert root in facts[kind]
        assert all(root not in classes for classes in others)


def test_a_lifetime_that_is_no_number_raises(facts: Any) -> None:
    """When this fails: see `test_traps`."""
    assert "builtins.ValueError" in facts["lifetime"]


def test_a_refusal_without_a_code_passes_for_a_token(facts: Any) -> None:
    """When this fails: see `test_traps`."""
    assert facts["no_token"] == {"message": "no"}
