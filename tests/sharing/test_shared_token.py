"""Credentials that share a token by a store, for both twins: who asks, who takes, who goes on."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pygen_auth import ConfigurationError, RefusedError, UnreachableError, _sharing
from pygen_auth._steps import Work, next_step
from pygen_auth._token import LOOK_AGAIN
from pygen_auth._wire import Request, Response
from pygen_auth.client_auth import ClientAssertion, PrivateKeyJWT
from pygen_auth.events import (
    Event,
    HeldTokenUsed,
    SharedTokenTaken,
    TokenInvalidated,
    TokenObtained,
    Waited,
)
from pygen_auth.stores import MemoryTokenStore, TokenStore
from tests import keys
from tests.support import (
    UNAVAILABLE,
    WRONG_SECRET,
    AnyCredentials,
    Endpoint,
    HandClock,
    Twin,
    answer,
    granted,
)


class Store(MemoryTokenStore):
    """A store in memory, by the clock of the test, that counts and can be made to fail."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self._clock = clock.clock
        self.failing: dict[str, Exception | Callable[[], None]] = {}
        self.calls: list[str] = []

    def _count(self, operation: str) -> None:
        self.calls.append(operation)
        failure = self.failing.get(operation)
        if isinstance(failure, Exception):
            raise failure
        if failure is not None:
            failure()

    def load(self, key: str) -> bytes | None:
        self._count("load")
        return super().load(key)

    def save(self, key: str, value: bytes, seconds: float) -> None:
        self._count("save")
        super().save(key, value, seconds)

    def delete(self, key: str, value: bytes) -> None:
        self._count("delete")
        super().delete(key, value)

    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        self._count("lock")
        with super().lock(key, timeout) as had:
            yield had

    @property
    def values(self) -> dict[str, tuple[bytes, Any]]:
        return self._shelf.values

    @property
    def locked(self) -> bool:
        return bool(self._shelf.held)


@pytest.fixture
def store(clock: HandClock) -> Store:
    return Store(clock)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


Member = Callable[..., AnyCredentials]


@pytest.fixture
def member(twin: Twin, clock: HandClock, store: Store, endpoint: Endpoint) -> Member:
    """Credentials as another process of the same fleet would have them."""

    def make(**settings: Any) -> AnyCredentials:
        credentials = twin.scripted(endpoint, clock, **{"store": store, **settings})
        credentials._spread = 0.0
        return credentials

    return make


def token(twin: Twin, credentials: AnyCredentials) -> str:
    return str(twin.call(credentials, "token").access_token)


# -- the first token


def test_second_process_takes_the_token_of_the_first(
    twin: Twin, member: Member, endpoint: Endpoint
) -> None:
    assert token(twin, member()) == "tok-1"
    assert token(twin, member()) == "tok-1"
    assert endpoint.count == 1


def test_token_that_was_taken_is_fresh_without_another_look(
    twin: Twin, member: Member, store: Store
) -> None:
    token(twin, member())
    second = member()
    token(twin, second)
    store.calls.clear()
    assert twin.call(second, "get_headers") == {"Authorization": "Bearer tok-1"}
    assert store.calls == []


@pytest.mark.parametrize(
    "settings",
    [
        {"scopes": "other"},
        {"audience": "other"},
        {"params": {"resource": "other"}},
        {"client_id": "other"},
        {"client_secret": "an other secret"},
        {"token_url": "https://other.example.com/token"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_another_grant_has_another_token(
    twin: Twin, member: Member, endpoint: Endpoint, settings: dict[str, Any]
) -> None:
    assert token(twin, member()) == "tok-1"
    assert token(twin, member(**settings)) == "tok-2"


def test_order_of_scopes_does_not_matter(twin: Twin, member: Member) -> None:
    assert token(twin, member(scopes="a b")) == "tok-1"
    assert token(twin, member(scopes=["b", "a"])) == "tok-1"


def test_store_sees_neither_the_token_nor_the_secret(
    twin: Twin, member: Member, store: Store
) -> None:
    credentials = member()
    token(twin, credentials)
    ((key, (value, _)),) = store.values.items()
    for hidden in ("tok-1", credentials.client_secret, credentials.client_id):
        assert hidden.encode() not in value
        assert hidden not in key


def test_others_wait_for_the_one_who_has_the_lock(
    twin: Twin, member: Member, store: Store, endpoint: Endpoint, clock: HandClock
) -> None:
    first = member()
    waits: list[float] = []

    def fetched_elsewhere(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 4:
            held.close()
            token(Twin("sync"), sync_member)

    sync_member = Twin("sync").scripted(endpoint, clock, store=store)
    with contextlib.ExitStack() as held:
        held.enter_context(MemoryTokenStore.lock(store, store_key(first), 0))
        wait_by(first, clock, fetched_elsewhere)
        assert token(twin, first) == "tok-1"
    assert endpoint.count == 1
    assert len(waits) == 4
    assert max(waits) <= _sharing.LOOK_EVERY


def test_who_waited_for_most_of_the_timeout_asks_himself(
    twin: Twin, member: Member, store: Store, endpoint: Endpoint, clock: HandClock
) -> None:
    credentials = member(timeout=20)
    before = clock.monotonic
    with MemoryTokenStore.lock(store, store_key(credentials), 0):
        assert token(twin, credentials) == "tok-1"
    assert 10 <= clock.monotonic - before <= 15
    assert endpoint.count == 1


def test_lock_of_one_who_died_is_taken_over(
    twin: Twin, member: Member, store: Store, clock: HandClock
) -> None:
    credentials = member()
    with contextlib.ExitStack() as held:
        held.enter_context(MemoryTokenStore.lock(store, store_key(credentials), 0))
        wait_by(credentials, clock, lambda seconds: held.close())
        assert token(twin, credentials) == "tok-1"
    assert not store.locked


def test_own_failure_is_not_told_where_another_process_has_a_token_by_then(
    twin: Twin, member: Member, endpoint: Endpoint
) -> None:
    def fails(request: Request) -> Response:
        endpoint.script = [granted("theirs"), *[UNAVAILABLE] * 9]
        neighbour = Twin("sync").scripted(endpoint, late_clock, store=store_of(credentials))
        assert token(Twin("sync"), neighbour) == "theirs"
        raise UnreachableError("no answer", retryable=True)

    late_clock = HandClock()
    endpoint.script = [fails]
    credentials = member()
    store_of(credentials).failing["lock"] = lambda: store_of(credentials)._shelf.held.clear()
    assert token(twin, credentials) == "theirs"


def test_failure_that_stands_lets_one_look_through_now_and_then(
    twin: Twin, member: Member, store: Store, endpoint: Endpoint, clock: HandClock
) -> None:
    limited = answer(429, headers={"retry-after": "120"}, error="slow_down")
    endpoint.script = [limited]
    waiting, other = member(), member()
    with pytest.raises(RefusedError):
        token(twin, waiting)
    store.calls.clear()
    for _ in range(5):
        with pytest.raises(RefusedError, match="the next token request goes out in"):
            token(twin, waiting)
    assert store.calls == ["load"]
    assert token(twin, other) == "tok-2"
    clock.advance(LOOK_AGAIN)
    assert token(twin, waiting) == "tok-2"
    assert endpoint.count == 2


def test_failure_stands_where_the_store_fails_as_well(
    twin: Twin, member: Member, store: Store, endpoint: Endpoint
) -> None:
    endpoint.script = [WRONG_SECRET]
    credentials = member()
    store.failing["load"] = OSError("away")
    for _ in range(2):
        with pytest.raises(RefusedError):
            token(twin, credentials)
    assert endpoint.count == 1


def test_token_of_another_secret_is_not_put_into_the_place_of_the_first(
    twin: Twin, member: Member, store: Store, endpoint: Endpoint
) -> None:
    secrets = iter(["the old secret", "the new secret"])
    endpoint.script = [WRONG_SECRET]
    assert token(twin, member(client_secret=lambda: next(secrets))) == "tok-2"
    assert store.values == {}


def test_failed_request_gives_the_lock_back(
    twin: Twin, member: Member, store: Store, endpoint: Endpoint
) -> None:
    endpoint.script = [WRONG_SECRET]
    with pytest.raises(RefusedError):
        token(twin, member())
    assert not store.locked
    assert store.values == {}
    assert token(twin, member()) == "tok-2"


def test_foreign_error_gives_the_lock_back(
    twin: Twin, member: Member, store: Store, endpoint: Endpoint
) -> None:
    endpoint.script = [ZeroDivisionError()]
    with pytest.raises(ZeroDivisionError):
        token(twin, member())
    until(lambda: not store.locked)


def test_interrupted_request_gives_the_lock_back(
    twin: Twin, member: Member, store: Store, endpoint: Endpoint
) -> None:
    def interrupted(request: Request) -> Response:
        raise KeyboardInterrupt

    endpoint.script = [interrupted]
    with pytest.raises(KeyboardInterrupt):
        token(twin, member())
    until(lambda: not store.locked)
    assert token(twin, member()) == "tok-2"


def test_secret_of_a_callable_is_read_once_for_store_and_request(
    twin: Twin, member: Member
) -> None:
    read: list[int] = []

    def secret() -> str:
        read.append(1)
        return "a secret of a callable"

    token(twin, member(client_secret=secret))
    assert len(read) == 1


def test_secret_that_cannot_be_read_is_told_as_without_a_store(
    twin: Twin, member: Member, store: Store
) -> None:
    def secret() -> str:
        raise OSError

    with pytest.raises(ConfigurationError, match="client_secret could not be read"):
        token(twin, member(client_secret=secret))
    assert store.calls == []


def test_secret_that_takes_too_long_is_told_as_without_a_store(twin: Twin, member: Member) -> None:
    go_on = threading.Event()

    def secret() -> str:
        waited_for(go_on)
        return "late"

    with pytest.raises(ConfigurationError, match="client_secret could not be read within"):
        token(twin, member(client_secret=secret, timeout=0.1))
    go_on.set()


def test_secret_that_can_be_read_the_second_time_is_used_without_the_store(
    twin: Twin, member: Member, store: Store
) -> None:
    given = iter([OSError(), "a secret"])

    def secret() -> str:
        one = next(given)
        if isinstance(one, Exception):
            raise one
        return str(one)

    assert token(twin, member(client_secret=secret)) == "tok-1"
    assert store.calls == []


def test_rotated_secret_has_a_place_of_its_own(twin: Twin, member: Member, store: Store) -> None:
    secrets = iter(["the first secret", "the second secret", "the second secret"])
    credentials = member(client_secret=lambda: next(secrets))
    assert token(twin, credentials) == "tok-1"
    assert token(twin, member(client_secret="the second secret")) == "tok-2"
    assert token(twin, member(client_secret="the first secret")) == "tok-1"
    assert len(store.values) == 2


def test_private_key_opens_what_it_sealed(twin: Twin, member: Member, endpoint: Endpoint) -> None:
    for kind in ("RSA", "RSA", "P-256"):
        key = PrivateKeyJWT(keys.pem(keys.private_key(kind)))
        token(twin, member(client_auth=key, client_secret=None))
    assert endpoint.count == 2


# -- in the margin


def test_one_refreshes_and_the_rest_pick_the_new_one_up(
    twin: Twin, member: Member, endpoint: Endpoint, clock: HandClock
) -> None:
    first, second = member(), member()
    for one in (first, second):
        token(twin, one)
    clock.advance(3400)
    assert token(twin, first) == "tok-2"
    assert token(twin, second) == "tok-2"
    assert endpoint.count == 2


def test_while_another_one_refreshes_the_held_token_is_used(
    twin: Twin, member: Member, store: Store, endpoint: Endpoint, clock: HandClock
) -> None:
    credentials = member()
    token(twin, credentials)
    clock.advance(3400)
    with MemoryTokenStore.lock(store, store_key(credentials), 0):
        store.calls.clear()
        assert [token(twin, credentials) for _ in range(5)] == ["tok-1"] * 5
        assert store.calls == ["load", "lock"], "then it is put off"
        clock.advance(_sharing.LOOK_EVERY * 10)
        assert token(twin, credentials) == "tok-1"
        assert store.calls == ["load", "lock"] * 2
    assert endpoint.count == 1


def test_failed_refresh_keeps_the_held_token_and_does_not_save_it(
    twin: Twin, member: Member, store: Store, endpoint: Endpoint, clock: HandClock
) -> None:
    credentials = member()
    token(twin, credentials)
    clock.advance(3400)
    endpoint.script = [UNAVAILABLE]
    store.calls.clear()
    assert token(twin, credentials) == "tok-1"
    assert "save" not in store.calls
    assert not store.locked


def test_token_of_the_store_that_is_due_as_well_is_not_taken_for_a_held_one(
    twin: Twin, member: Member, endpoint: Endpoint, clock: HandClock
) -> None:
    endpoint.script = [granted("old", expires_in=3600), granted("older", expires_in=3600)]
    patient = member(refresh_margin=0)
    assert token(twin, patient) == "old"
    clock.advance(3300)
    eager = member(refresh_margin=600)
    assert token(twin, eager) == "old", "better than none"
    assert token(twin, eager) == "older"
    assert endpoint.count == 2


def test_margin_is_spread_by_a_tenth_at_most(twin: Twin, clock: HandClock, store: Store) -> None:
    spreads = {twin.scripted(Endpoint(), clock, store=store)._spread_margin for _ in range(20)}
    assert len(spreads) == 20
    assert all(300 <= margin < 330 for margin in spreads)


def test_margin_is_not_spread_without_a_store(twin: Twin, clock: HandClock) -> None:
    assert twin.scripted(Endpoint(), clock)._spread_margin == 300


def test_spread_is_stable_in_a_process_and_another_one_in_a_child(
    twin: Twin, clock: HandClock, store: Store
) -> None:
    credentials = twin.scripted(Endpoint(), clock, store=store)
    before = credentials._spread_margin
    assert credentials._spread_margin == before
    credentials._renew_locks()  # what a fork does in the child
    assert credentials._spread_margin != before


def test_child_of_a_fork_spreads_the_margin_of_a_token_that_is_held(
    twin: Twin, member: Member, clock: HandClock
) -> None:
    credentials = member()
    token(twin, credentials)
    dues = set()
    for _ in range(5):
        credentials._renew_locks()  # what a fork does in the child
        dues.add(credentials._lease.due)
    assert len(dues) == 5


def test_close_of_another_thread_while_it_is_put_off_leaves_nothing_to_go_on_with(
    twin: Twin, member: Member, clock: HandClock
) -> None:
    credentials = member()
    token(twin, credentials)
    clock.advance(3400)
    twin.call(credentials, "close")
    assert credentials._put_off(clock.now()) is None


def test_background_refresh_shares_as_well(
    store: Store, endpoint: Endpoint, clock: HandClock
) -> None:
    twin = Twin("sync")  # a task would end with the loop that each call here has for itself

    def member(**settings: Any) -> AnyCredentials:
        return twin.scripted(endpoint, clock, store=store, **settings)

    first, second = member(background_refresh=True), member(background_refresh=True)
    for one in (first, second):
        token(twin, one)
    clock.advance(3400)
    for one in (first, second):
        token(twin, one)
        until(lambda one=one: not one._lock.locked())  # type: ignore[misc]
        assert token(twin, one) == "tok-2"
    assert endpoint.count == 2


# -- refused tokens


def test_refused_token_is_removed_for_all(
    twin: Twin, member: Member, store: Store, endpoint: Endpoint
) -> None:
    first, second = member(), member()
    for one in (first, second):
        token(twin, one)
    twin.call(second, "invalidate", "tok-1")
    assert store.values == {}
    assert token(twin, second) == "tok-2"
    assert token(twin, member()) == "tok-2"


def test_newer_token_of_another_process_stays(
    twin: Twin, member: Member, store: Store, clock: HandClock
) -> None:
    first, second = member(), member()
    for one in (first, second):
        token(twin, one)
    clock.advance(3400)
    token(twin, first)
    twin.call(second, "invalidate", "tok-1")
    assert len(store.values) == 1
    assert token(twin, second) == "tok-2"


def test_refused_token_is_not_taken_back_by_who_refused_it(
    twin: Twin, member: Member, store: Store
) -> None:
    first = member()
    token(twin, first)
    ((key, (value, _)),) = store.values.items()
    twin.call(first, "invalidate", "tok-1")
    MemoryTokenStore.save(store, key, value, 3600)  # by one who has not heard of it
    assert token(twin, first) == "tok-2"
    assert token(twin, member()) == "tok-2"


def test_token_that_the_server_hands_out_again_although_refused_is_not_shared(
    twin: Twin, member: Member, store: Store, endpoint: Endpoint
) -> None:
    endpoint.script = [granted("same"), granted("same")]
    credentials = member()
    token(twin, credentials)
    twin.call(credentials, "invalidate", "same")
    assert token(twin, credentials) == "same"
    assert store.values == {}


def test_invalidation_of_a_token_that_is_not_held_asks_no_store(
    twin: Twin, member: Member, store: Store
) -> None:
    credentials = member()
    token(twin, credentials)
    store.calls.clear()
    twin.call(credentials, "invalidate", "another")
    assert store.calls == []


def test_token_that_is_refused_while_it_is_saved_is_removed(
    twin: Twin, member: Member, store: Store
) -> None:
    credentials = member()

    def refused_meanwhile() -> None:
        twin.call(credentials, "invalidate", "tok-1")

    store.failing["save"] = refused_meanwhile
    assert token(twin, credentials) == "tok-1"
    assert store.values == {}


def test_invalidation_with_a_store_that_fails_goes_on(
    twin: Twin, member: Member, store: Store
) -> None:
    credentials = member()
    token(twin, credentials)
    store.failing["delete"] = OSError("gone")
    twin.call(credentials, "invalidate", "tok-1")
    assert token(twin, credentials) == "tok-2"


# -- a store never breaks authentication


@pytest.mark.parametrize("operation", ["load", "save", "lock"])
def test_store_that_fails_is_logged_once_and_left_out(
    twin: Twin,
    member: Member,
    store: Store,
    clock: HandClock,
    caplog: pytest.LogCaptureFixture,
    operation: str,
) -> None:
    caplog.set_level(logging.INFO, "pygen_auth")
    store.failing[operation] = OSError("No space left on device")
    credentials = member()
    assert token(twin, credentials) == "tok-1"
    clock.advance(3600)
    assert token(twin, credentials) == "tok-2"
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(told) == 1
    assert "OSError: No space left on device" in told[0]


@pytest.mark.parametrize("raised", [SystemExit(), StopIteration(), asyncio.CancelledError()])
def test_whatever_a_store_raises_it_is_left_out(
    twin: Twin, member: Member, store: Store, raised: Any
) -> None:
    store.failing["load"] = raised
    assert token(twin, member()) == "tok-1"


def test_what_makes_the_place_may_fail_as_well(
    twin: Twin,
    member: Member,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("pygen_auth._sealing._derived", lambda *_: 1 / 0)
    assert token(twin, member()) == "tok-1"
    assert "the store failed" in caplog.text
    assert store.calls == []


def test_store_that_works_again_is_used_again(
    twin: Twin, member: Member, store: Store, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pygen_auth")
    store.failing["load"] = OSError("away")
    credentials = member()
    token(twin, credentials)
    store.failing.clear()
    clock.advance(3600)
    token(twin, credentials)
    assert token(twin, member()) == "tok-2"
    assert "the store works again" in caplog.messages


def test_store_that_fails_is_not_asked_again_in_the_same_refresh(
    twin: Twin, member: Member, store: Store
) -> None:
    store.failing["load"] = OSError("away")
    token(twin, member())
    assert store.calls == ["load"]


def test_lock_that_cannot_be_left_does_not_matter(
    twin: Twin, member: Member, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(contextlib.AbstractContextManager[bool]):
        def __enter__(self) -> bool:
            return True

        def __exit__(self, *exc_info: object) -> None:
            raise OSError("lost")

    monkeypatch.setattr(store, "lock", lambda key, timeout: Broken())
    assert token(twin, member()) == "tok-1"
    store.failing["load"] = OSError("away")
    assert token(twin, member()) == "tok-2"


def test_interruption_with_a_lock_that_cannot_be_left_is_the_interruption(
    twin: Twin,
    member: Member,
    store: Store,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = threading.Event()

    class Broken(contextlib.AbstractContextManager[bool]):
        def __enter__(self) -> bool:
            return True

        def __exit__(self, *exc_info: object) -> None:
            left.set()
            raise OSError("lost")

    def interrupted(request: Request) -> Response:
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "lock", lambda key, timeout: Broken())
    endpoint.script = [interrupted]
    with pytest.raises(KeyboardInterrupt):
        token(twin, member())
    assert left.wait(30)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores are left after a moment, so that no test waits for a second."""
    monkeypatch.setattr(_sharing, "STORE_SECONDS", 0.05)
    monkeypatch.setattr(_sharing, "FIRST_STORE_SECONDS", 0.05)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("operation", ["load", "save", "lock"])
def test_store_that_hangs_is_left(
    twin: Twin, member: Member, store: Store, caplog: pytest.LogCaptureFixture, operation: str
) -> None:
    go_on = threading.Event()
    store.failing[operation] = lambda: waited_for(go_on)
    assert token(twin, member()) == "tok-1"
    go_on.set()
    assert "TimeoutError: no answer within" in caplog.text


def test_store_has_longer_where_there_is_no_token_yet(
    twin: Twin, member: Member, clock: HandClock
) -> None:
    credentials = member()
    assert given_to_the_store(credentials) == {5}
    token(twin, credentials)
    clock.advance(3500)
    assert given_to_the_store(credentials) == {1}


def test_store_that_has_failed_has_no_longer(twin: Twin, member: Member, store: Store) -> None:
    credentials = member()
    store.failing["load"] = OSError("away")
    token(twin, credentials)
    twin.call(credentials, "close")
    assert given_to_the_store(credentials) == {1}


@pytest.mark.usefixtures("impatient")
def test_lock_that_is_had_too_late_is_given_back(twin: Twin, member: Member, store: Store) -> None:
    go_on = threading.Event()
    store.failing["lock"] = lambda: waited_for(go_on)
    assert token(twin, member()) == "tok-1"
    go_on.set()
    until(lambda: not any(t.name.startswith("pygen-auth") for t in threading.enumerate()))
    assert not store.locked


@pytest.mark.parametrize(
    "value",
    [b"", b"garbage", b"{}", b"\x00" * 100, b"a.b.c.d.e"],
    ids=lambda value: repr(value[:9]),
)
def test_garbage_in_the_store_is_a_miss_and_told_once(
    twin: Twin, member: Member, store: Store, caplog: pytest.LogCaptureFixture, value: bytes
) -> None:
    credentials = member()
    MemoryTokenStore.save(store, store_key(credentials), value, 3600)
    assert token(twin, credentials) == "tok-1"
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert told == ["what the store holds is not used: it has another format"]


def test_expired_token_in_the_store_is_nothing_to_talk_about(
    twin: Twin, member: Member, store: Store, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    credentials = member()
    token(twin, credentials)
    store._clock = HandClock(clock.wall - 10_000, clock.monotonic - 10_000).clock  # forgets late
    clock.advance(3600)
    assert token(twin, credentials) == "tok-2"
    assert caplog.messages == []


def test_token_under_another_key_is_not_taken(
    twin: Twin, member: Member, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = member(), member(scopes="more")
    token(twin, first)
    ((_, (value, _)),) = store.values.items()
    MemoryTokenStore.save(store, store_key(second), value, 3600)
    assert token(twin, second) == "tok-2"
    assert "sealed with another secret or for another key" in caplog.text


def test_store_that_gives_no_bytes_is_a_failure(twin: Twin, member: Member, store: Store) -> None:
    store.load = lambda key: 1  # type: ignore[method-assign, assignment, return-value]
    assert token(twin, member()) == "tok-1"


def test_no_record_shows_the_secret_the_token_or_what_the_store_says_of_them(
    twin: Twin, member: Member, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    credentials = member()
    token(twin, credentials)
    token(twin, member())
    assert "tok-1" not in caplog.text
    assert credentials.client_secret not in caplog.text


# -- settings


@pytest.mark.parametrize("value", [1, "memory", MemoryTokenStore])
def test_what_is_no_store_is_refused(twin: Twin, value: object) -> None:
    with pytest.raises(ConfigurationError, match="store must be a pygen_auth"):
        twin.make(store=value)


def test_client_without_a_secret_needs_an_encryption_key(twin: Twin) -> None:
    settings: dict[str, Any] = {
        "client_secret": None,
        "client_auth": ClientAssertion(lambda: "eyJh.e30.c2ln"),
    }
    with pytest.raises(ConfigurationError, match="store needs an encryption_key"):
        twin.make(store=MemoryTokenStore(), **settings)
    twin.make(store=MemoryTokenStore(encryption_key="sixteen bytes or more"), **settings)


def test_store_goes_with_pickle_and_copy(twin: Twin, store: Store) -> None:
    credentials = twin.make(store=MemoryTokenStore())
    assert pickle.loads(pickle.dumps(credentials))._store._shelf is credentials._store._shelf
    assert copy.deepcopy(credentials)._store._shelf is credentials._store._shelf


def test_subclass_of_the_interface_is_a_store(twin: Twin, clock: HandClock) -> None:
    class Dictionary(TokenStore):
        def __init__(self) -> None:
            super().__init__()
            self.values: dict[str, bytes] = {}

        def load(self, key: str) -> bytes | None:
            return self.values.get(key)

        def save(self, key: str, value: bytes, seconds: float) -> None:
            self.values[key] = value

        def delete(self, key: str, value: bytes) -> None:
            self.values.pop(key, None)

        @contextlib.contextmanager
        def lock(self, key: str, timeout: float) -> Iterator[bool]:
            yield True

    shared, endpoint = Dictionary(), Endpoint()
    for _ in range(3):
        assert token(twin, twin.scripted(endpoint, clock, store=shared)) == "tok-1"


# -- events


def test_events_of_those_who_share(
    twin: Twin, member: Member, store: Store, clock: HandClock
) -> None:
    heard: list[Event] = []
    first, second = member(), member(on_event=heard.append)
    token(twin, first)
    token(twin, second)
    clock.advance(3400)
    with MemoryTokenStore.lock(store, store_key(second), 0):
        token(twin, second)
    twin.call(second, "invalidate", "tok-1")
    assert [type(event) for event in heard] == [SharedTokenTaken, HeldTokenUsed, TokenInvalidated]
    taken = heard[0]
    assert isinstance(taken, SharedTokenTaken)
    assert 3500 < taken.seconds_left <= 3600


def test_wait_for_another_process_is_told(
    twin: Twin, member: Member, store: Store, clock: HandClock
) -> None:
    heard: list[Event] = []
    credentials = member(timeout=20, on_event=heard.append)
    with MemoryTokenStore.lock(store, store_key(credentials), 0):
        token(twin, credentials)
    waited, obtained = heard
    assert isinstance(waited, Waited)
    assert 10 <= waited.seconds <= 15
    assert isinstance(obtained, TokenObtained)


# -- closing


def test_token_of_the_store_that_comes_after_close_is_not_held(
    twin: Twin, member: Member, store: Store
) -> None:
    token(twin, member())
    late = member()

    def closed() -> None:
        store.failing.clear()
        twin.call(late, "close")

    store.failing["load"] = closed
    assert token(twin, late) == "tok-1"
    assert late._lease.token is None


def test_hanging_store_does_not_use_up_the_time_of_the_call(
    twin: Twin, member: Member, store: Store
) -> None:
    go_on = threading.Event()
    store.failing["load"] = lambda: waited_for(go_on)
    credentials = member(timeout=0.2)
    steps = credentials._shared(credentials._call(credentials._clock.now()))
    place = steps.send(None).run()
    assert steps.send(place).seconds == pytest.approx(0.1)
    go_on.set()


@pytest.mark.parametrize("held", [False, True])
def test_store_has_longer_where_there_is_no_token_to_go_on_with(
    twin: Twin, member: Member, clock: HandClock, held: bool
) -> None:
    credentials = member()
    if held:
        token(twin, credentials)
        clock.advance(3400)
    steps = credentials._shared(credentials._call(clock.now()))
    place = steps.send(None).run()
    limit = _sharing.STORE_SECONDS if held else _sharing.FIRST_STORE_SECONDS
    assert steps.send(place).seconds == limit


# -- asyncio


def test_event_loop_goes_on_while_the_store_takes_its_time(clock: HandClock, store: Store) -> None:
    credentials = Twin("async").scripted(Endpoint(), clock, store=store)
    ticked = threading.Event()

    async def tick() -> None:
        ticked.set()

    async def main() -> str:
        asked = asyncio.ensure_future(credentials.token())
        await tick()
        return str((await asked).access_token)

    store.failing["load"] = lambda: waited_for(ticked)
    assert asyncio.run(main()) == "tok-1"


def test_cancelled_task_gives_the_lock_back(clock: HandClock, store: Store) -> None:
    credentials = Twin("async").scripted(Endpoint(), clock, store=store)

    async def never(request: Request) -> Response:
        asking.set()
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    async def main() -> None:
        task = asyncio.ensure_future(credentials.token())
        await asking.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    credentials._send, asking = never, asyncio.Event()
    asyncio.run(main())
    until(lambda: not store.locked)


# -- fork


def test_child_of_a_fork_takes_the_token_from_the_store(
    member: Member, twin: Twin, clock: HandClock, endpoint: Endpoint
) -> None:
    credentials = member()
    token(twin, credentials)
    child = os.fork()
    if child == 0:  # pragma: no cover - the child is not measured
        status = 1
        try:
            fresh = member()
            status = 0 if token(twin, fresh) == "tok-1" and endpoint.count == 1 else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# -- helpers


def store_of(credentials: AnyCredentials) -> Store:
    store = credentials._store
    assert isinstance(store, Store)
    return store


def given_to_the_store(credentials: AnyCredentials) -> set[float]:
    """Seconds that the operations of a refresh may take, up to its token request."""
    steps = credentials._shared(credentials._call(credentials._clock.now()))
    step, given = next_step(steps, None), []
    while isinstance(step, Work):
        given.append(step.seconds)
        try:
            outcome = step.run()
        except OSError as error:
            outcome = error
        step = next_step(steps, outcome)
    steps.close()
    return set(given[1:])  # the first one reads the secret


def waited_for(event: threading.Event) -> None:
    assert event.wait(30)


def store_key(credentials: AnyCredentials) -> str:
    from pygen_auth._sealing import place_of

    grant = credentials._grant
    return place_of(grant, grant.credential(), None).key


def wait_by(credentials: AnyCredentials, clock: HandClock, slept: Callable[[float], None]) -> None:
    """Have `slept` called with the seconds of each wait of these credentials."""
    from dataclasses import replace

    def sleep(seconds: float) -> None:
        clock.advance(seconds)
        slept(seconds)

    async def sleep_in_loop(seconds: float) -> None:
        await asyncio.to_thread(sleep, seconds)

    credentials._clock = replace(clock.clock, sleep=sleep, sleep_in_loop=sleep_in_loop)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.001)
