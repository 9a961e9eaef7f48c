"""The contract of token stores, kept by each of ours against the real thing."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.sentinel
import valkey

from pygen_auth.stores import FileTokenStore, MemoryTokenStore, RedisTokenStore, TokenStore
from pygen_auth.testing import TokenStoreContract

from .redis_server import RedisServer, cluster_of_one, sentinel_of, stopped_after


class TestMemory(TokenStoreContract):
    def make_store(self) -> TokenStore:
        return MemoryTokenStore()


class TestFile(TokenStoreContract):
    @pytest.fixture(autouse=True)
    def directory(self, tmp_path: Path) -> None:
        self.path = tmp_path / "tokens"

    def make_store(self) -> TokenStore:
        return FileTokenStore(self.path)


_Sentinel: Any = redis.sentinel.Sentinel  # has no type hints


class TestStoreOfTheDocs(TokenStoreContract):
    """The one that the page on sharing writes."""

    @pytest.fixture(autouse=True)
    def written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        page = (Path(__file__).parents[2] / "docs" / "sharing.md").read_text("utf-8")
        section = page.partition("\n## A store of your own\n")[2].partition("\n## ")[0]
        self.names: dict[str, Any] = {}
        for block in re.findall(r"^```python\n(.*?)^```", section, re.S | re.M):
            exec(block, self.names)

    def make_store(self) -> TokenStore:
        store = self.names["TestDatabaseTokenStore"]().make_store()
        assert isinstance(store, TokenStore)
        return store


class WithClient(TokenStoreContract):
    client: Any

    def make_store(self) -> TokenStore:
        return RedisTokenStore(self.client, prefix="contract:")


class TestRedis(WithClient):
    @pytest.fixture(autouse=True)
    def connected(self, redis_server: RedisServer) -> Iterator[None]:
        with contextlib.closing(redis_server.client()) as self.client:
            yield


class TestValkeyClient(WithClient):
    @pytest.fixture(autouse=True)
    def connected(self, redis_server: RedisServer) -> Iterator[None]:
        with contextlib.closing(valkey.Valkey(port=redis_server.port)) as self.client:
            yield


class TestRedisCluster(WithClient):
    @pytest.fixture(autouse=True)
    def connected(self, cluster: RedisServer) -> Iterator[None]:
        with contextlib.closing(redis.RedisCluster("127.0.0.1", cluster.port)) as self.client:
            yield


class TestRedisFoundBySentinel(WithClient):
    @pytest.fixture(autouse=True)
    def connected(self, sentinel: RedisServer) -> Iterator[None]:
        with contextlib.closing(sentinel.client()) as client:
            found: Any = _Sentinel([])
            found.sentinels = [client]
            with contextlib.closing(found.master_for("main")) as self.client:
                yield


@pytest.fixture(scope="module")
def cluster(
    redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    with stopped_after(cluster_of_one(tmp_path_factory.mktemp("cluster"))) as server:
        yield server


@pytest.fixture(scope="module")
def sentinel(
    redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    directory = tmp_path_factory.mktemp("sentinel")
    with stopped_after(sentinel_of(redis_server, directory)) as server:
        yield server
