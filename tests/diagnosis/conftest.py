"""A server that is well, and that tells the time."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest

from pygen_auth.testing import Answer, AuthorizationServer

from ..support import Twin
from .support import CLIENT, SECRET


def tells_time(server: AuthorizationServer, seconds: float = 0.0, **headers: str) -> None:
    import time

    date = {"Date": formatdate(time.time() + seconds, usegmt=True), **headers}
    server.documents["/oauth2/token"] = Answer(405, date)


@pytest.fixture(scope="session")
def running() -> Iterator[AuthorizationServer]:
    with AuthorizationServer(tls=True) as server:
        server.add_client(CLIENT, SECRET)
        yield server


@pytest.fixture
def server(running: AuthorizationServer) -> Iterator[AuthorizationServer]:
    documents, metadata = dict(running.documents), dict(running.metadata)
    tells_time(running)
    running.add_client(CLIENT, SECRET)
    yield running
    running.override = None
    running.documents.clear()
    running.documents.update(documents)
    running.metadata.clear()
    running.metadata.update(metadata)


@pytest.fixture
def settings(server: AuthorizationServer) -> dict[str, Any]:
    return {
        "token_url": server.token_url,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "verify": server.ca_file,
    }


@pytest.fixture
def credentials(settings: dict[str, Any], twin: Twin) -> Any:
    return twin.make(**settings)
