"""An authorization server, and a project of Data Fusion that asks it about each token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version

import pytest

from pygen_auth.testing import AuthorizationServer
from tests.support import HandClock

from .data_fusion import DataFusion
from .internet import Internet

SHOWN = ("cognite-sdk", "cognite-pygen", "authlib", "httpx", "httpx2")


def pytest_report_header() -> str:
    return "Cognite: " + ", ".join(f"{name} {_version(name)}" for name in SHOWN)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


@pytest.fixture
def authority() -> Iterator[AuthorizationServer]:
    with AuthorizationServer() as running:
        running.add_client("the-client", "the-secret-of-the-client")
        yield running


@pytest.fixture
def data_fusion(authority: AuthorizationServer) -> Iterator[DataFusion]:
    with closing(DataFusion(authority)) as running:
        yield running


@pytest.fixture
def internet(authority: AuthorizationServer, data_fusion: DataFusion) -> Iterator[Internet]:
    authority.add_client("my-client-id", "my-client-secret")
    with closing(Internet(authority, data_fusion)) as running:
        yield running


@pytest.fixture
def clock() -> HandClock:
    return HandClock()
