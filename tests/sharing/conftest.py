"""One redis-server for all tests of a run; without it on PATH they are skipped by its name.

With many processes, `make test` runs what needs a few seconds and no server; `make sharing` says
`SHARING_RUNS`, and runs all of it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks._server import SeparateServer, separate_server
from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials
from pygen_auth.stores import FileTokenStore, TokenStore

from .member import Plan, redis_store
from .redis_server import PROGRAM, RedisServer, stopped_after

RUNS = int(os.environ.get("SHARING_RUNS", "0"))
CLIENT_ID, SECRET = "the-fleet", "Zq8!very+secret/värde"

NewStore = Callable[[], TokenStore]


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if PROGRAM is None:
        pytest.skip("redis-server is not on PATH; `make sharing` installs it")
    with stopped_after(RedisServer(tmp_path_factory.mktemp("redis"))) as server:
        yield server


@pytest.fixture
def token_server() -> Iterator[SeparateServer]:
    """An authorization server in a process of its own, which counts."""
    with separate_server() as server:
        server.ask("add_client", CLIENT_ID, SECRET)
        yield server


@pytest.fixture
def in_files(tmp_path: Path) -> NewStore:
    """Makes stores in files, each with a new directory."""
    return lambda: FileTokenStore(tmp_path / secrets.token_hex(8))


@pytest.fixture
def long() -> None:
    """For a test that `make test` leaves out."""
    if not RUNS:
        pytest.skip("takes long, or needs a Redis of its own: `make sharing`")


@pytest.fixture
def in_redis(long: None, redis_server: RedisServer) -> NewStore:
    """Makes stores in Redis, each with a new prefix."""
    return lambda: redis_store(redis_server.port, f"{secrets.token_hex(8)}:")


@pytest.fixture(params=["in_files", "in_redis"])
def new_store(request: pytest.FixtureRequest) -> NewStore:
    """Both of them."""
    made: NewStore = request.getfixturevalue(request.param)
    return made


Plans = Callable[..., list[Plan]]


@pytest.fixture
def plans(token_server: SeparateServer) -> Plans:
    """Makes the plans of a fleet with this store; every other process is asynchronous."""

    def make(count: int, store: TokenStore, timeout: float = 30.0, **plan: object) -> list[Plan]:
        kinds = (OAuth2ClientCredentials, AsyncOAuth2ClientCredentials)
        return [
            Plan(
                kinds[number % 2](
                    token_server.token_url, CLIENT_ID, SECRET, store=store, timeout=timeout
                ),
                **plan,  # type: ignore[arg-type]
            )
            for number in range(count)
        ]

    return make
