"""What all stores have, and the store in memory: copies, pickles, forks, what it forgets."""

from __future__ import annotations

import copy
import gc
import math
import multiprocessing
import pickle
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from pygen_auth import ConfigurationError
from pygen_auth.stores import FileTokenStore, MemoryTokenStore, RedisTokenStore, TokenStore
from pygen_auth.testing import TokenStoreContract
from tests.support import HandClock

from .forks import in_child

ENCRYPTION_KEY = "0123456789abcdef-drawn-at-random"


def redis_client() -> Any:
    raise AssertionError("nobody asked for it")


def stores(directory: Path, **settings: Any) -> list[TokenStore]:
    return [
        MemoryTokenStore(**settings),
        FileTokenStore(directory / "tokens", **settings),
        RedisTokenStore(redis_client, **settings),
    ]


# -- the encryption_key


@pytest.mark.parametrize(
    "given", [ENCRYPTION_KEY, ENCRYPTION_KEY.encode(), "0123456789abcdef", "ü" * 8, b"\0" * 16]
)
def test_an_encryption_key_is_kept_in_bytes(tmp_path: Path, given: str | bytes) -> None:
    expected = given.encode() if isinstance(given, str) else given
    kept = [store.encryption_key for store in stores(tmp_path, encryption_key=given)]
    assert kept == [expected] * 3


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("0123456789abcde", "15 bytes; 16 are needed"),
        ("", "0 bytes"),
        (b"", "0 bytes"),
        (b"0123456789abcde", "15 bytes"),
        (bytearray(32), "a text or bytes"),
        (16, "a text or bytes"),
        ("\ud800" * 16, "characters that no Unicode text has"),
    ],
)
def test_an_encryption_key_that_cannot_do_is_refused(given: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^encryption_key .*{problem}"):
        MemoryTokenStore(encryption_key=given)


def test_without_one_there_is_none(tmp_path: Path) -> None:
    assert [store.encryption_key for store in stores(tmp_path)] == [None] * 3


def test_no_store_shows_its_encryption_key(tmp_path: Path) -> None:
    for store in stores(tmp_path, encryption_key=ENCRYPTION_KEY):
        assert ENCRYPTION_KEY not in repr(store)
        assert repr(store).startswith(type(store).__name__ + "(")


def test_a_pickle_keeps_the_encryption_key(tmp_path: Path) -> None:
    for store in stores(tmp_path, encryption_key=ENCRYPTION_KEY):
        twin = pickle.loads(pickle.dumps(store))
        assert twin.encryption_key == ENCRYPTION_KEY.encode()
        assert repr(twin) == repr(store)


def test_a_store_of_ones_own_need_not_know_of_it() -> None:
    class Own(TokenStore):
        def __init__(self) -> None:
            pass

        def load(self, key: str) -> bytes | None:
            return None

        def save(self, key: str, value: bytes, seconds: float) -> None: ...

        def delete(self, key: str, value: bytes) -> None: ...

        @contextmanager
        def lock(self, key: str, timeout: float) -> Iterator[bool]:
            yield True

    assert Own().encryption_key is None


@pytest.mark.parametrize("method", ["load", "save", "delete", "lock"])
def test_each_method_has_to_be_written(method: str) -> None:
    assert method in TokenStore.__abstractmethods__


def test_a_contract_without_a_store_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="make_store"):
        TokenStoreContract().make_store()


@pytest.mark.parametrize("timeout", [1e12, math.inf])
def test_whoever_has_all_the_time_gets_a_lock_when_it_is_left(
    tmp_path: Path, timeout: float
) -> None:
    for store in (MemoryTokenStore(), FileTokenStore(tmp_path / "tokens")):
        got: list[bool] = []

        def wait(store: TokenStore = store, got: list[bool] = got) -> None:
            with store.lock("key", timeout) as had:
                got.append(had)

        waiter = threading.Thread(target=wait)
        with store.lock("key", 0):
            waiter.start()
        waiter.join()
        assert got == [True]


# -- memory


def with_clock(clock: HandClock) -> MemoryTokenStore:
    store = MemoryTokenStore()
    store._clock = clock.clock
    return store


def test_what_has_expired_takes_no_memory(clock: HandClock) -> None:
    store = with_clock(clock)
    for number in range(100):
        store.save(f"key-{number}", b"value", 60)
    clock.advance(60)
    store.save("another", b"value", 60)
    assert list(store._shelf.values) == ["another"]


@pytest.mark.parametrize(
    ("wall", "monotonic"), [(60, 0), (0, 60)], ids=["wall clock set forward", "wall clock set back"]
)
def test_either_clock_ends_a_value(clock: HandClock, wall: float, monotonic: float) -> None:
    store = with_clock(clock)
    store.save("key", b"value", 60)
    clock.wall += wall
    clock.monotonic += monotonic
    assert store.load("key") is None


def test_a_value_is_there_until_its_last_moment(clock: HandClock) -> None:
    store = with_clock(clock)
    store.save("key", b"value", 60)
    clock.advance(59.9)
    assert store.load("key") == b"value"


def test_locks_that_were_left_take_no_memory() -> None:
    store = MemoryTokenStore()
    for number in range(100):
        with store.lock(f"key-{number}", 0):
            pass
    assert store._shelf.held == {}


def test_two_stores_in_memory_have_nothing_together() -> None:
    first, second = MemoryTokenStore(), MemoryTokenStore()
    first.save("key", b"value", 60)
    assert second.load("key") is None
    with first.lock("key", 0), second.lock("key", 0) as had:
        assert had


TWINS = {
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
    "pickle": lambda store: pickle.loads(pickle.dumps(store)),
}


@pytest.mark.parametrize("twin_of", TWINS.values(), ids=list(TWINS))
def test_a_copy_in_the_same_process_is_the_same_store(twin_of: Any) -> None:
    store = MemoryTokenStore()
    twin = twin_of(store)
    store.save("key", b"value", 60)
    assert twin.load("key") == b"value"
    with store.lock("key", 0), twin.lock("key", 0) as had:
        assert not had


def test_a_pickle_holds_no_values() -> None:
    store = MemoryTokenStore()
    store.save("key", b"a value", 60)
    assert b"a value" not in pickle.dumps(store)


def test_a_store_that_nobody_has_any_more_takes_its_values_with_it() -> None:
    store = MemoryTokenStore()
    store.save("key", b"value", 60)
    pickled = pickle.dumps(store)
    del store
    gc.collect()
    assert pickle.loads(pickled).load("key") is None


def _unpickled_twice(pickled: bytes) -> tuple[bytes | None, bytes | None]:
    first, second = pickle.loads(pickled), pickle.loads(pickled)
    before = first.load("key")
    first.save("key", b"of the other process", 60)
    return before, second.load("key")


def test_in_another_process_a_pickle_is_one_empty_store() -> None:
    store = MemoryTokenStore()
    store.save("key", b"value", 60)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        before, after = pool.apply(_unpickled_twice, [pickle.dumps(store)])
    assert (before, after) == (None, b"of the other process")
    assert store.load("key") == b"value"


def test_a_fork_goes_on_with_what_there_is() -> None:
    store = MemoryTokenStore()
    store.save("key", b"value", 60)

    def check() -> None:
        assert store.load("key") == b"value"
        store.save("key", b"of the child", 60)

    in_child(check)
    assert store.load("key") == b"value"


def test_a_fork_while_a_thread_saves_does_not_stop_the_child() -> None:
    store = MemoryTokenStore()

    def check() -> None:
        store.save("key", b"value", 60)
        assert store.load("key") == b"value"
        store.delete("key", b"value")
        twin = pickle.loads(pickle.dumps(store))
        with twin.lock("key", 1) as had:
            assert had

    with _in_hands_of_a_thread(store._shelf.changed):
        in_child(check)


def test_a_lock_that_is_held_during_a_fork_is_free_in_the_child() -> None:
    store = MemoryTokenStore()

    def check() -> None:
        with store.lock("key", 0) as had:
            assert had
            lock.__exit__(None, None, None)  # left in the child as well: not that of the child
            with store.lock("key", 0) as once_more:
                assert not once_more

    lock = store.lock("key", 0)
    assert lock.__enter__()
    in_child(check)
    with store.lock("key", 0) as had:
        assert not had  # the child has not left the parent's
    lock.__exit__(None, None, None)


@contextmanager
def _in_hands_of_a_thread(lock: AbstractContextManager[Any]) -> Iterator[None]:
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()
