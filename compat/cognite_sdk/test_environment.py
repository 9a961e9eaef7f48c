"""The two environments of `make sdk` hold what they are for."""

from __future__ import annotations

from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from .clients import WHY

pytest.importorskip("cognite.client", reason=WHY)

HERE = Path(__file__).parent


def requirement(name: str, lines: list[str]) -> Requirement:
    (found,) = [line for line in lines if line.startswith(name)]
    return Requirement(found)


def test_oldest_environment_has_the_oldest_sdk_that_pygen_allows() -> None:
    allowed = requirement("cognite-sdk", requires("cognite-pygen") or []).specifier
    (oldest,) = [Version(part.version) for part in allowed if part.operator == ">="]
    (pinned,) = requirement(
        "cognite-sdk", (HERE / "oldest.txt").read_text("utf-8").splitlines()
    ).specifier
    assert (pinned.operator, Version(pinned.version)) == ("==", oldest)


def test_sdk_is_one_that_pygen_allows() -> None:
    allowed = requirement("cognite-sdk", requires("cognite-pygen") or []).specifier
    assert version("cognite-sdk") in allowed
