"""The contract finds what is wrong with a store: each of these breaks one promise."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest

from pygen_auth.stores import MemoryTokenStore, TokenStore
from pygen_auth.testing import TokenStoreContract, _store_contract


class EmptyForNothing(MemoryTokenStore):
    def load(self, key: str) -> bytes | None:
        return super().load(key) or b""


class Shortening(MemoryTokenStore):
    def save(self, key: str, value: bytes, seconds: float) -> None:
        super().save(key, value[:500_000], seconds)


class LoadedOnce(MemoryTokenStore):
    def load(self, key: str) -> bytes | None:
        value = super().load(key)
        if value is not None:
            super().delete(key, value)
        return value


class KeepingTheFirst(MemoryTokenStore):
    def save(self, key: str, value: bytes, seconds: float) -> None:
        if self.load(key) is None:
            super().save(key, value, seconds)


class ShortKeys(MemoryTokenStore):
    def save(self, key: str, value: bytes, seconds: float) -> None:
        super().save(key[:63], value, seconds)

    def load(self, key: str) -> bytes | None:
        return super().load(key[:63])


class KeptForever(MemoryTokenStore):
    def save(self, key: str, value: bytes, seconds: float) -> None:
        super().save(key, value, 1e9)


class KeptAsLongAsTheFirst(MemoryTokenStore):
    def save(self, key: str, value: bytes, seconds: float) -> None:
        known = self._shelf.values.get(key)
        super().save(key, value, seconds)
        if known is not None and not known[1].reached(self._clock.now()):
            self._shelf.values[key] = value, known[1]


class Undeletable(MemoryTokenStore):
    def delete(self, key: str, value: bytes) -> None:
        pass


class DeletingWhatever(MemoryTokenStore):
    def delete(self, key: str, value: bytes) -> None:
        super().delete(key, self.load(key) or b"")


class DeletingWithAnError(MemoryTokenStore):
    def delete(self, key: str, value: bytes) -> None:
        if self.load(key) is None:
            raise KeyError(key)
        super().delete(key, value)


class Unlocked(MemoryTokenStore):
    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        yield True


class NeverLocked(MemoryTokenStore):
    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        yield False


class LockedForGood(MemoryTokenStore):
    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        self._shelf.held[key], had = self, key not in self._shelf.held
        yield had


class Swallowing(MemoryTokenStore):
    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        with super().lock(key, timeout) as had, contextlib.suppress(Exception):
            yield had


class LockedAfterAnError(MemoryTokenStore):
    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        with super().lock(key, timeout) as had:
            try:
                yield had
            except Exception:
                self._shelf.held[key] = self
                raise


class FreeingWhatever(MemoryTokenStore):
    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        with super().lock(key, timeout) as had:
            yield had
        self._shelf.held.pop(key, None)


class NeverWaiting(MemoryTokenStore):
    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        with super().lock(key, 0) as had:
            yield had


class OneLockForAll(MemoryTokenStore):
    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        with super().lock("all", timeout) as had:
            yield had


class OfItsThread(MemoryTokenStore):
    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        entered = threading.get_ident()
        with super().lock(key, timeout) as had:
            yield had
            if threading.get_ident() != entered:
                raise RuntimeError("cannot release un-acquired lock")


class LockedWhole(MemoryTokenStore):
    def load(self, key: str) -> bytes | None:
        return None if key in self._shelf.held else super().load(key)


class Mixing(MemoryTokenStore):
    def save(self, key: str, value: bytes, seconds: float) -> None:
        half = len(value) // 2
        super().save(key, value[:half] + (self.load(key) or value)[half:], seconds)


BROKEN: list[tuple[type[TokenStore], str]] = [
    (EmptyForNothing, "test_nothing_is_under_a_key_before_something_was_saved"),
    (EmptyForNothing, "test_what_is_not_there_can_be_deleted"),
    (Shortening, "test_a_value_is_loaded_as_it_was_saved"),
    (LoadedOnce, "test_loading_takes_nothing_away"),
    (KeepingTheFirst, "test_a_later_value_takes_the_place_of_an_earlier_one"),
    (ShortKeys, "test_many_keys_are_kept_apart"),
    (KeptForever, "test_a_value_is_forgotten_after_its_seconds"),
    (KeptForever, "test_a_new_value_can_follow_one_that_has_expired"),
    (KeptAsLongAsTheFirst, "test_a_later_value_has_seconds_of_its_own"),
    (Undeletable, "test_a_value_can_be_deleted"),
    (DeletingWhatever, "test_a_newer_value_is_not_deleted_for_an_older_one"),
    (DeletingWithAnError, "test_what_is_not_there_can_be_deleted"),
    (Unlocked, "test_a_lock_is_had_by_one_at_a_time"),
    (Unlocked, "test_waiting_for_a_lock_ends_in_time"),
    (NeverLocked, "test_a_lock_is_free_again_after_it_was_left"),
    (NeverLocked, "test_a_lock_excludes_threads_that_compete_for_it"),
    (LockedForGood, "test_a_lock_is_free_again_after_it_was_left"),
    (Swallowing, "test_a_lock_is_free_again_after_an_error"),
    (LockedAfterAnError, "test_a_lock_is_free_again_after_an_error"),
    (FreeingWhatever, "test_a_lock_that_was_not_had_leaves_that_of_another_alone"),
    (NeverLocked, "test_whoever_waits_gets_the_lock_when_it_is_left"),
    (OneLockForAll, "test_locks_of_different_keys_do_not_exclude_each_other"),
    (OfItsThread, "test_a_lock_may_be_left_in_another_thread"),
    (LockedWhole, "test_a_lock_does_not_keep_anybody_from_the_value"),
    (Mixing, "test_threads_never_see_half_a_value"),
]


@pytest.mark.parametrize(("kind", "test"), BROKEN, ids=lambda one: getattr(one, "__name__", one))
def test_a_broken_store_is_found_out(
    kind: type[TokenStore], test: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_store_contract, "PATIENCE", 0.5)

    class Contract(TokenStoreContract):
        def make_store(self) -> TokenStore:
            return kind()

    with pytest.raises((AssertionError, KeyError, RuntimeError)):
        getattr(Contract(), test)()


def test_each_promise_is_broken_by_one_of_them() -> None:
    promised = {name for name in dir(TokenStoreContract) if name.startswith("test_")}
    assert {test for _, test in BROKEN} == promised
