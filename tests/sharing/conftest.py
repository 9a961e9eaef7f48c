"""One redis-server for all tests of a run; without it on PATH they are skipped by its name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .redis_server import PROGRAM, RedisServer, stopped_after


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if PROGRAM is None:
        pytest.skip("redis-server is not on PATH; `make sharing` installs it")
    with stopped_after(RedisServer(tmp_path_factory.mktemp("redis"))) as server:
        yield server
