"""The store in Redis: names and expiry, what others put there, a server that is slow or gone."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import re
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from pygen_auth import ConfigurationError
from pygen_auth.stores import RedisTokenStore, _redis
from pygen_auth.stores._base import LARGEST_VALUE

from .forks import in_child
from .redis_server import RedisServer, stopped_after

PREFIX = "pygen-auth:"
PATIENCE = 20.0  # seconds; a loaded machine needs some


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    with contextlib.closing(redis_server.client()) as client:
        yield client


@pytest.fixture
def store(client: redis.Redis) -> RedisTokenStore:
    return RedisTokenStore(client)


@pytest.fixture
def key() -> str:
    return secrets.token_hex(32)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are extended every few milliseconds."""
    monkeypatch.setattr(_redis, "EXTEND_EVERY", 0.01)


def comes_true(condition: Callable[[], object]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


def extenders() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "pygen-auth lock"]


# -- names and expiry


@pytest.mark.parametrize("prefix", ["pygen-auth:", "team-a/{slot}/", ""])
def test_the_prefix_is_in_front_of_every_name(client: redis.Redis, key: str, prefix: str) -> None:
    store = RedisTokenStore(client, prefix=prefix)
    store.save(key, b"value", 60)
    assert client.get(f"{prefix}{key}") == b"value"
    with store.lock(key, 0):
        assert client.exists(f"{prefix}{key}:lock")


def test_every_key_expires_by_itself(store: RedisTokenStore, client: redis.Redis, key: str) -> None:
    store.save(key, b"value", 60.5)
    with store.lock(key, 0):
        lives = [client.pttl(f"{PREFIX}{key}"), client.pttl(f"{PREFIX}{key}:lock")]
    assert 0 < lives[0] <= 60_500
    assert 0 < lives[1] <= 10_000


@pytest.mark.parametrize("seconds", [0.0001, 0, -5])
def test_no_seconds_are_a_moment(store: RedisTokenStore, key: str, seconds: float) -> None:
    store.save(key, b"value", seconds)
    assert comes_true(lambda: store.load(key) is None)


def test_a_lock_leaves_nothing_behind(
    store: RedisTokenStore, client: redis.Redis, key: str
) -> None:
    with store.lock(key, 0):
        pass
    assert not client.exists(f"{PREFIX}{key}:lock")
    assert comes_true(lambda: not extenders())


def test_a_client_that_decodes_its_answers_will_do(redis_server: RedisServer, key: str) -> None:
    decoding = redis.Redis(port=redis_server.port, decode_responses=True)
    with contextlib.closing(decoding) as client:
        store = RedisTokenStore(client)
        store.save(key, b"a value in ASCII, as all of ours", 60)
        assert store.load(key) == b"a value in ASCII, as all of ours"
        with store.lock(key, 0) as had, store.lock(key, 0) as again:
            assert (had, again) == (True, False)
        store.delete(key, b"a value in ASCII, as all of ours")
        assert store.load(key) is None


# -- what others put there


def test_another_type_is_an_error_until_something_is_saved(
    store: RedisTokenStore, client: redis.Redis, key: str
) -> None:
    client.rpush(f"{PREFIX}{key}", "a", "list")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        store.load(key)
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        store.delete(key, b"value")
    store.save(key, b"value", 60)
    assert store.load(key) == b"value"


def test_another_type_under_the_name_of_the_lock_is_a_lock_that_somebody_has(
    store: RedisTokenStore, client: redis.Redis, key: str
) -> None:
    client.rpush(f"{PREFIX}{key}:lock", "a", "list")
    with store.lock(key, 0) as had:
        assert not had


@pytest.mark.parametrize(
    ("size", "there"), [(LARGEST_VALUE, True), (LARGEST_VALUE + 1, False), (64 << 20, False)]
)
def test_a_value_that_is_too_large_is_not_one(
    store: RedisTokenStore, client: redis.Redis, key: str, size: int, there: bool
) -> None:
    client.setrange(f"{PREFIX}{key}", size - 1, b"x")
    read_before = _read(client)
    assert (store.load(key) is not None) is there
    assert _read(client) - read_before < LARGEST_VALUE + 10_000
    client.delete(f"{PREFIX}{key}")


def _read(client: redis.Redis) -> int:
    """Bytes that the server has sent so far."""
    return int(client.info("stats")["total_net_output_bytes"])


def test_an_empty_value_is_none(store: RedisTokenStore, client: redis.Redis, key: str) -> None:
    client.set(f"{PREFIX}{key}", b"")
    assert store.load(key) is None


# -- the lock


def ttl(client: redis.Redis, key: str) -> int:
    return int(client.pttl(f"{PREFIX}{key}:lock"))


@pytest.mark.usefixtures("impatient")
def test_a_lock_is_extended_while_it_is_held(
    store: RedisTokenStore, client: redis.Redis, key: str
) -> None:
    with store.lock(key, 0):
        client.pexpire(f"{PREFIX}{key}:lock", 5000)
        assert comes_true(lambda: ttl(client, key) > 9000)
        assert len(extenders()) == 1
    assert comes_true(lambda: not extenders())


@pytest.mark.usefixtures("impatient")
def test_a_lock_that_is_never_left_ends_in_the_end(
    store: RedisTokenStore, client: redis.Redis, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_redis, "LONGEST_HOLD", 0.05)
    forgotten = store.lock(key, 0)
    assert forgotten.__enter__()
    assert comes_true(lambda: not extenders())
    forgotten.__exit__(None, None, None)


@pytest.mark.usefixtures("impatient")
def test_a_lock_that_was_lost_is_left_in_peace(
    store: RedisTokenStore, client: redis.Redis, key: str
) -> None:
    with store.lock(key, 0):
        client.delete(f"{PREFIX}{key}:lock")  # as when its holder was stopped for ten seconds
        with store.lock(key, 0) as had:
            assert had
            time.sleep(0.05)  # some extensions of the first one
            with store.lock(key, 0) as third:
                assert not third
    assert not client.exists(f"{PREFIX}{key}:lock")


def test_leaving_a_lost_lock_does_not_free_that_of_the_next_holder(
    store: RedisTokenStore, client: redis.Redis, key: str
) -> None:
    lost = store.lock(key, 0)
    lost.__enter__()
    client.delete(f"{PREFIX}{key}:lock")
    with store.lock(key, 0):
        lost.__exit__(None, None, None)
        with store.lock(key, 0) as had:
            assert not had


def test_a_lock_that_is_held_during_a_fork_stays_the_parents(
    redis_server: RedisServer, client: redis.Redis, key: str
) -> None:
    store = RedisTokenStore(client)
    lock = store.lock(key, 0)
    assert lock.__enter__()

    def check() -> None:
        with store.lock(key, 0) as had:
            assert not had
        store.save(key, b"of the child", 60)
        lock.__exit__(None, None, None)

    in_child(check)
    with store.lock(key, 0) as had:
        assert not had
    lock.__exit__(None, None, None)
    assert store.load(key) == b"of the child"
    with store.lock(key, 0) as had:
        assert had


def test_where_no_thread_can_be_started_the_lock_is_had_all_the_same(
    store: RedisTokenStore, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with store.lock(key, 0) as had:
        assert had
        with store.lock(key, 0) as again:
            assert not again


# -- a server that is gone, or slow


@pytest.fixture
def own_server(
    redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    """One that a test may stop."""
    with stopped_after(RedisServer(tmp_path_factory.mktemp("own"))) as server:
        yield server


@pytest.fixture
def own_client(own_server: RedisServer) -> Iterator[redis.Redis]:
    with contextlib.closing(_client(own_server, PATIENCE)) as client:
        yield client


def _client(server: RedisServer, seconds: float) -> redis.Redis:
    """One that does not try again."""
    waits: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    return redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0), **waits)


OPERATIONS: dict[str, Callable[[RedisTokenStore], object]] = {
    "load": lambda store: store.load("key"),
    "save": lambda store: store.save("key", b"value", 60),
    "delete": lambda store: store.delete("key", b"value"),
    "lock": lambda store: store.lock("key", 0).__enter__(),
}


def test_a_server_that_is_gone_is_the_clients_error_and_one_that_is_back_is_used(
    own_server: RedisServer, own_client: redis.Redis
) -> None:
    store = RedisTokenStore(own_client)
    store.save("key", b"value", 60)
    own_server.stop()
    for operation in OPERATIONS.values():
        with pytest.raises(redis.ConnectionError):
            operation(store)
    own_server.restart()
    assert store.load("key") is None
    store.save("key", b"next", 60)
    assert store.load("key") == b"next"


def test_a_server_that_does_not_answer_is_left_by_the_clients_timeout(
    own_server: RedisServer, own_client: redis.Redis
) -> None:
    RedisTokenStore(own_client).save("key", b"value", 60)
    own_server.process.send_signal(signal.SIGSTOP)
    try:
        with contextlib.closing(_client(own_server, 0.2)) as hasty:
            for operation in OPERATIONS.values():
                with pytest.raises(redis.TimeoutError):
                    operation(RedisTokenStore(hasty))
    finally:
        own_server.process.send_signal(signal.SIGCONT)
    assert RedisTokenStore(own_client).load("key") in (b"value", None)  # it did delete, in the end


@pytest.mark.usefixtures("impatient")
def test_a_lock_whose_server_goes_away_is_left_in_peace(
    own_server: RedisServer, own_client: redis.Redis
) -> None:
    store = RedisTokenStore(own_client)
    with store.lock("key", 0) as had:
        assert had
        own_server.stop()
        time.sleep(0.05)  # some extensions in vain
    assert comes_true(lambda: not extenders())


@pytest.mark.usefixtures("impatient")
def test_a_lock_is_extended_again_after_the_server_was_away_for_a_moment(
    own_server: RedisServer, own_client: redis.Redis
) -> None:
    with contextlib.closing(_client(own_server, 1.0)) as hasty, RedisTokenStore(hasty).lock("a", 0):
        own_server.process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)  # longer than the client waits
        own_server.process.send_signal(signal.SIGCONT)
        own_client.pexpire(f"{PREFIX}a:lock", 5000)
        assert comes_true(lambda: ttl(own_client, "a") > 9000)


def test_a_full_server_is_the_clients_error(
    own_server: RedisServer, own_client: redis.Redis
) -> None:
    own_client.config_set("maxmemory", "1")
    with pytest.raises(redis.ResponseError, match="maxmemory"):
        RedisTokenStore(own_client).save("key", b"value", 60)


# -- the client

DOCUMENTED = (Path(__file__).parents[2] / "docs" / "sharing.md").read_text("utf-8")


@pytest.mark.usefixtures("impatient")
def test_the_rights_of_the_docs_are_enough(
    own_server: RedisServer, own_client: redis.Redis
) -> None:
    (rights,) = re.findall(r"`(~pygen-auth:\* [^`]+)`", DOCUMENTED)
    with contextlib.closing(own_server.client()) as administrator:
        anyhow: Any = administrator  # this method has no type hints
        anyhow.execute_command(f"ACL SETUSER app on >pa55word {rights}")
        with contextlib.closing(
            redis.Redis(port=own_server.port, username="app", password="pa55word")
        ) as client:
            store = RedisTokenStore(client)
            store.save("key", b"value", 60)
            assert store.load("key") == b"value"
            with store.lock("key", 0):
                administrator.pexpire(f"{PREFIX}key:lock", 5000)
                assert comes_true(lambda: ttl(administrator, "key") > 9000)
            assert not administrator.exists(f"{PREFIX}key:lock")
            store.delete("key", b"value")
            assert store.load("key") is None


def test_the_client_of_the_docs_gives_up_by_itself(own_server: RedisServer) -> None:
    (block,) = re.findall(r"^```python\n(import redis\n.*?)^```", DOCUMENTED, re.S | re.M)
    here = block.replace("redis.example.com", "127.0.0.1").replace("6379", f"{own_server.port}")
    names: dict[str, Any] = {"RedisTokenStore": RedisTokenStore}
    exec(here, names)
    store = names["store"]
    store.save("key", b"value", 60)
    own_server.process.send_signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        with pytest.raises(redis.TimeoutError):
            store.load("key")
        assert time.monotonic() - started < PATIENCE
    finally:
        own_server.process.send_signal(signal.SIGCONT)
    store._client().close()


def test_a_callable_is_called_once_and_not_before_it_is_needed(
    client: redis.Redis, key: str
) -> None:
    calls: list[int] = []

    def make() -> redis.Redis:
        calls.append(1)
        return client

    store = RedisTokenStore(make)
    assert calls == []
    store.save(key, b"value", 60)
    assert store.load(key) == b"value"
    assert calls == [1]


def connected_by_environment() -> redis.Redis:
    return redis.Redis(port=int(os.environ["PYGEN_AUTH_TEST_REDIS"]))


def _loaded(pickled: bytes, key: str) -> bytes | None:
    loaded: bytes | None = pickle.loads(pickled).load(key)
    return loaded


def test_a_store_with_a_callable_is_used_by_another_process(
    redis_server: RedisServer, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYGEN_AUTH_TEST_REDIS", str(redis_server.port))
    store = RedisTokenStore(connected_by_environment)
    store.save(key, b"value", 60)
    pickled = pickle.dumps(store)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_loaded, [pickled, key]) == b"value"
    store._client().close()


def test_a_store_with_a_client_cannot_be_pickled_and_says_what_can(
    store: RedisTokenStore,
) -> None:
    with pytest.raises(ConfigurationError, match=r"^client is an object.* a callable"):
        pickle.dumps(store)


def test_a_client_that_is_not_installed_is_told_with_its_extra() -> None:
    def make() -> Any:
        raise ModuleNotFoundError("No module named 'redis'")

    with pytest.raises(ConfigurationError, match=r"pip install 'pygen-auth\[redis\]'"):
        RedisTokenStore(make).load("key")


@pytest.mark.parametrize("given", [None, "redis://127.0.0.1", 7, object()])
def test_what_is_no_client_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^client must be a client of redis-py"):
        RedisTokenStore(given)
    with pytest.raises(ConfigurationError, match=r"^client must be a client of redis-py"):
        RedisTokenStore(lambda: given).load("key")


@pytest.mark.parametrize(
    "kind", [redis.asyncio.Redis, redis.asyncio.RedisCluster, valkey.asyncio.Valkey]
)
def test_an_asynchronous_client_is_refused(kind: Any) -> None:
    given = kind(host="127.0.0.1")
    with pytest.raises(ConfigurationError, match=r"^client is asynchronous"):
        RedisTokenStore(given)


@pytest.mark.parametrize("prefix", [None, b"tokens:", "\ud800"])
def test_a_prefix_that_is_no_text_is_refused(prefix: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^prefix "):
        RedisTokenStore(connected_by_environment, prefix)


def test_a_store_shows_nothing_of_its_client() -> None:
    url = "redis://user:pa55word@redis.example.com/0"
    for client in (redis.Redis.from_url(url), valkey.Valkey.from_url(url)):
        assert repr(RedisTokenStore(client)) == "RedisTokenStore(prefix='pygen-auth:')"


def test_what_a_callable_says_of_its_url_is_not_shown() -> None:
    def client() -> None:
        raise ValueError("Port could not be cast to integer value as 'hunter2'")

    with pytest.raises(ConfigurationError, match="raised ValueError") as caught:
        RedisTokenStore(client).load("key")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
