"""A server, an environment without settings, and the command line as a function."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from pygen_auth.__main__ import main
from pygen_auth.testing import Answer, AuthorizationServer

CLIENT = "my-client-id"
SECRET = "Zq8-very-s3cret-value"

_OURS = ("IDP_", "CDF_", "COGNITE_", "PROVIDER", "LOGIN_FLOW", "NO_COLOR", "FORCE_COLOR", "COLUMNS")


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with AuthorizationServer() as running:
        running.add_client(CLIENT, SECRET)
        running.documents["/api"] = Answer()
        yield running


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        monkeypatch.delenv(name)


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment."""
    monkeypatch.setenv("IDP_CLIENT_SECRET", SECRET)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command; what it printed, and its status, also where argparse ends the program."""

    def ran(*arguments: str, stdin: str = "") -> Ran:
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        try:
            status: Any = main(list(arguments))
        except SystemExit as end:
            status = end.code
        return Ran(status, *capsys.readouterr())

    return ran


@pytest.fixture
def at(server: AuthorizationServer) -> list[str]:
    """The options that name the server and the client."""
    return ["--token-url", server.token_url, "--client-id", CLIENT]
