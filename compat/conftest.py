"""The server that plays every provider, and the twins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pygen_auth.testing import AuthorizationServer
from tests.support import Twin


@pytest.fixture(params=["sync", "async"])
def twin(request: pytest.FixtureRequest) -> Twin:
    return Twin(request.param)


@pytest.fixture(scope="session")
def running_server() -> Iterator[AuthorizationServer]:
    with AuthorizationServer() as running:
        yield running


@pytest.fixture
def server(running_server: AuthorizationServer) -> AuthorizationServer:
    running_server.override = None
    return running_server
