"""What every token store has to do, as tests: for stores of your own, and for those of the library.

Plain asserts and plain classes, as pytest collects them; pytest itself is not imported.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from ..stores import TokenStore

LONG = 600.0
"""Seconds to keep what a test does not wait for."""
SHORT = 0.2
"""Seconds to keep what is to expire."""
PATIENCE = 20.0
"""Seconds until a test gives up; a loaded machine needs some."""
SIZES = (1, 100, 64 * 1024, 1024 * 1024)
"""Bytes: a token may have up to 1 MiB."""


class TokenStoreContract:
    """The tests of a store. Derive a class whose name begins with `Test`, and say `make_store`.

    They keep to keys of their own, so the store may be one that is in use.
    """

    def make_store(self) -> TokenStore:
        """The store to test, a new object each time.

        Raises:
            NotImplementedError: the derived class has none.
        """
        raise NotImplementedError("define make_store(self) -> TokenStore")

    # -- values

    def test_nothing_is_under_a_key_before_something_was_saved(self) -> None:
        """Not an error, and not an empty value."""
        assert self.make_store().load(_key()) is None

    def test_a_value_is_loaded_as_it_was_saved(self) -> None:
        """Of every size that may occur."""
        store, key = self.make_store(), _key()
        for size in SIZES:
            value = _value(size)
            store.save(key, value, LONG)
            assert store.load(key) == value, f"{size} bytes came back changed"

    def test_loading_takes_nothing_away(self) -> None:
        """Every process of a fleet loads the same one."""
        store, key = _with_value(self.make_store(), b"one", LONG)
        assert [store.load(key) for _ in range(3)] == [b"one"] * 3

    def test_a_later_value_takes_the_place_of_an_earlier_one(self) -> None:
        """Also where it is shorter: nothing of the earlier one is left."""
        store, key = _with_value(self.make_store(), _value(1000), LONG)
        store.save(key, b"two", LONG)
        assert store.load(key) == b"two"

    def test_many_keys_are_kept_apart(self) -> None:
        """Also those that differ in one character only."""
        store, start = self.make_store(), _key()[:-2]
        values = {f"{start}{number:02x}": b"%d" % number for number in range(200)}
        for key, value in values.items():
            store.save(key, value, LONG)
        assert {key: store.load(key) for key in values} == values

    # -- expiry

    def test_a_value_is_forgotten_after_its_seconds(self) -> None:
        """And one with more seconds is not."""
        store, key = _with_value(self.make_store(), b"short", SHORT)
        _, other = _with_value(store, b"long", LONG)
        assert _comes_true(lambda: store.load(key) is None), "it is still there"
        assert store.load(other) == b"long"

    def test_a_later_value_has_seconds_of_its_own(self) -> None:
        """It does not go with the one that it replaced."""
        store, key = _with_value(self.make_store(), b"short", SHORT)
        store.save(key, b"long", LONG)
        _, other = _with_value(store, b"short", SHORT)
        assert _comes_true(lambda: store.load(other) is None)
        assert store.load(key) == b"long"

    def test_a_new_value_can_follow_one_that_has_expired(self) -> None:
        """As happens once an hour."""
        store, key = _with_value(self.make_store(), b"short", SHORT)
        assert _comes_true(lambda: store.load(key) is None)
        store.save(key, b"next", LONG)
        assert store.load(key) == b"next"

    # -- deletion

    def test_a_value_can_be_deleted(self) -> None:
        """A resource server refused the token in it."""
        store, key = _with_value(self.make_store(), b"one", LONG)
        store.delete(key, b"one")
        assert store.load(key) is None

    def test_a_newer_value_is_not_deleted_for_an_older_one(self) -> None:
        """Another process was faster."""
        store, key = _with_value(self.make_store(), b"one", LONG)
        store.save(key, b"two", LONG)
        store.delete(key, b"one")
        assert store.load(key) == b"two"

    def test_what_is_not_there_can_be_deleted(self) -> None:
        """Two processes may find out at the same time."""
        store, key = self.make_store(), _key()
        store.delete(key, b"one")
        assert store.load(key) is None

    # -- the lock

    def test_a_lock_is_had_by_one_at_a_time(self) -> None:
        """By nobody else in the same thread, either."""
        store, key = self.make_store(), _key()
        with store.lock(key, 1) as had:
            assert had, "nobody else has it"
            assert not _in_thread(lambda: _had(store, key, 0)), "another thread had it as well"
            assert not _had(store, key, 0), "the same thread had it twice"

    def test_a_lock_is_free_again_after_it_was_left(self) -> None:
        """As often as one likes."""
        store, key = self.make_store(), _key()
        assert [_had(store, key, 0) for _ in range(3)] == [True] * 3

    def test_a_lock_is_free_again_after_an_error(self) -> None:
        """Which goes on to the caller."""
        store, key = self.make_store(), _key()
        try:
            with store.lock(key, 1):
                raise _ExpectedError
        except _ExpectedError:
            assert _had(store, key, 0)
        else:
            raise AssertionError("the lock swallowed an error")

    def test_a_lock_that_was_not_had_leaves_that_of_another_alone(self) -> None:
        """Leaving it in vain must not free what somebody else holds."""
        store, key = self.make_store(), _key()
        with store.lock(key, 1):
            assert not _had(store, key, 0)
            assert not _had(store, key, 0), "the second one had what the first one did not"

    def test_waiting_for_a_lock_ends_in_time(self) -> None:
        """With the answer that it was not had."""
        store, key = self.make_store(), _key()
        with store.lock(key, 1):
            started = time.monotonic()
            assert not _in_thread(lambda: _had(store, key, 0.3))
            assert time.monotonic() - started < PATIENCE

    def test_whoever_waits_gets_the_lock_when_it_is_left(self) -> None:
        """Within the time that he waits."""
        store, key = self.make_store(), _key()
        results: list[bool] = []
        waiter = threading.Thread(target=lambda: results.append(_had(store, key, PATIENCE)))
        with store.lock(key, 1):
            waiter.start()
        waiter.join()
        assert results == [True]

    def test_locks_of_different_keys_do_not_exclude_each_other(self) -> None:
        """One slow token endpoint must not hold up the others."""
        store, key = self.make_store(), _key()
        with store.lock(key, 1):
            assert _had(store, _key(), 0)

    def test_a_lock_may_be_left_in_another_thread(self) -> None:
        """Credentials call a store in a thread each time."""
        store, key = self.make_store(), _key()
        lock = store.lock(key, 1)
        assert lock.__enter__()
        _in_thread(lambda: lock.__exit__(None, None, None))
        assert _had(store, key, 0)

    def test_a_lock_does_not_keep_anybody_from_the_value(self) -> None:
        """The holder saves, and others load what is still good."""
        store, key = _with_value(self.make_store(), b"one", LONG)
        with store.lock(key, 1):
            assert _in_thread(lambda: store.load(key)) == b"one"
            store.save(key, b"two", LONG)
            assert _in_thread(lambda: store.load(key)) == b"two"
            store.delete(key, b"two")
            assert _in_thread(lambda: store.load(key)) is None

    # -- several threads

    def test_threads_never_see_half_a_value(self) -> None:
        """Nor one that nobody saved."""
        store, key = self.make_store(), _key()
        values = [bytes([letter]) * 50_000 for letter in b"abcd"]

        def save_and_load(value: bytes) -> None:
            for _ in range(20):
                store.save(key, value, LONG)
                assert store.load(key) in values, "something else was there"

        _together([partial(save_and_load, value) for value in values])

    def test_a_lock_excludes_threads_that_compete_for_it(self) -> None:
        """Whatever they save between loading and saving would get lost otherwise."""
        store, key = _with_value(self.make_store(), b"0", LONG)

        def add_one() -> None:
            with store.lock(key, PATIENCE) as had:
                assert had, "waited in vain"
                store.save(key, b"%d" % (int(store.load(key) or b"0") + 1), LONG)

        _together([add_one] * 6)
        assert store.load(key) == b"6"


class _ExpectedError(Exception):
    pass


def _key() -> str:
    """A key of the shape that credentials use, and that nobody else has."""
    return secrets.token_hex(32)


def _value(size: int) -> bytes:
    return secrets.token_bytes(size)


def _with_value(store: TokenStore, value: bytes, seconds: float) -> tuple[TokenStore, str]:
    key = _key()
    store.save(key, value, seconds)
    return store, key


def _had(store: TokenStore, key: str, timeout: float) -> bool:
    lock: AbstractContextManager[bool] = store.lock(key, timeout)
    with lock as had:
        return had


def _comes_true(condition: Callable[[], bool]) -> bool:
    """Whether it is so before the patience ends."""
    end = time.monotonic() + PATIENCE
    while not (true := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return true


def _in_thread(call: Callable[[], Any]) -> Any:
    return _together([call])[0]


def _together(calls: list[Callable[[], Any]]) -> list[Any]:
    """What calls give that run at the same time, each in a thread; an error of one is raised."""
    results: list[Any] = [None] * len(calls)
    errors: list[BaseException] = []

    def run(index: int) -> None:
        try:
            results[index] = calls[index]()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
