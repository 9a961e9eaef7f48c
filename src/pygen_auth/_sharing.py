"""One token for many: what a refresh does with a store, and what it does when the store fails.

The only place that uses a store. Whatever the store does, it never breaks authentication and never
holds it up for long: an operation is left after a second, or five where there is no token yet. A
store that fails is left out of the rest of that refresh, and the log says so once.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ._attempts import Call, TokenAttempts
from ._clock import Clock, Instant
from ._errors import ConfigurationError, shown
from ._grant import credential_is_late
from ._steps import Steps, Work
from ._token import Token
from ._worker import start
from .events import SharedTokenTaken, Waited

if TYPE_CHECKING:
    from ._sealed_token import Miss
    from ._sealing import Place

_log = logging.getLogger("pygen_auth")

STORE_SECONDS = 1.0
"""For one operation of a store; what takes longer is slower than most token endpoints."""
FIRST_STORE_SECONDS = 5.0
"""The same for a call that began without a token, as long as the store has not failed. Where 64
processes start at once, each waits some seconds for the processor: not the store's fault."""
LOOK_FIRST, LOOK_EVERY = 0.05, 0.5
"""Seconds between two looks for a token that somebody else is fetching: a token request takes
about 0.1 s, and a thousand who wait for a slow one cost a store 3,000 operations a second."""


class _StoreFailedError(Exception):
    """The rest of this refresh goes on without the store."""


class SharedAttempts(TokenAttempts):
    """Attempts of those who share a token by a store."""

    def _begin(self, *clock: Clock) -> None:
        self._stored: tuple[str, str, bytes] | None = (
            None  # the token, and where it is in the store
        )
        self._store_ails = False
        self._store_failures = 0
        self._misses: tuple[Miss, ...] = ()
        super()._begin(*clock)

    def _shared(self, call: Call) -> Steps[Token]:
        """The steps to a token of the store's, or to a new one that is put there."""
        place = yield from self._place(call)
        if place is None:  # pragma: no branch - not traced by Python 3.11 after a throw
            return (yield call)  # type: ignore[no-any-return]  # as every step's outcome
        failures = self._store_failures
        lock = _Lock(lambda: self._store.lock(place.key, 0))  # type: ignore[union-attr]
        try:
            token = yield from self._found_or_fetched(place, lock, call)
        except GeneratorExit:  # Ctrl-C, or a cancelled task: nobody can wait for it any more
            start(lock.leave_quietly, "pygen-auth store")
            raise
        except Exception:
            yield from self._left(lock, call)
            raise
        yield from self._left(lock, call)
        if self._store_ails and failures == self._store_failures:
            self._store_ails = False
            _log.info("the store works again")
        return token

    def _invalidation(self, token: Token | str) -> Steps[None]:
        """The steps of `invalidate`: a token that was refused is removed for all."""
        self._invalidate(token)
        text = token if isinstance(token, str) else token.access_token
        if self._stored is None or self._stored[0] != text:
            return
        _, key, value = self._stored
        self._stored = None
        try:
            forget = functools.partial(self._store.delete, key, value)  # type: ignore[union-attr]
            yield from self._asked(forget, None)
        except _StoreFailedError:
            return

    def _place(self, call: Call) -> Steps[Place | None]:
        """Where the token is in the store; None where what proves the client cannot be read."""
        from ._sealing import place_of

        assert self._store is not None
        timeout, encryption_key = self._attempt_timeout(call.deadline), self._store.encryption_key

        def read() -> Place:
            call.credential = self._grant.credential()
            return place_of(self._grant, call.credential, encryption_key)

        try:
            place: Place = yield Work(
                lambda: self._alone_reading(timeout, read),
                timeout,
                lambda: credential_is_late(self._grant, timeout),
            )
        except ConfigurationError:  # it is read again for the request, and told then
            return None
        return place

    def _found_or_fetched(self, place: Place, lock: _Lock, call: Call) -> Steps[Token]:
        before = self._lease
        works = True
        try:
            found = yield from self._found_or_locked(place, lock, call)
            if found is not None:
                return found
        except _StoreFailedError:
            works = False
        token: Token = yield call
        if works and token is not before.token and token.access_token != self._lease.refused:
            yield from self._saved(place, token, call)
        return token

    def _found_or_locked(self, place: Place, lock: _Lock, call: Call) -> Steps[Token | None]:
        """A token to use, or None: this one is to fetch it.

        In the margin nobody waits for another one. Without a token, all wait for the one who has
        the lock, for a quarter to a half of their time; with the rest they ask themselves.
        """
        begun, wait = self._clock.monotonic(), LOOK_FIRST
        # Not all at once: where the one who has the lock fails, a thousand may have waited.
        patience = call.deadline - self._timeout * (0.5 + random.random() / 4)
        while True:
            token = yield from self._looked_up(place, call)
            if token is None and (yield from self._asked(lock.enter, call)):
                token = yield from self._looked_up(
                    place, call
                )  # somebody may just have put it there
                return token
            now = self._clock.now()
            if token is None and self._lease.usable(now):
                return self._put_off(now)
            if token is not None or now.monotonic >= patience:
                if wait > LOOK_FIRST:
                    self._tell(Waited, now.monotonic - begun)
                return token
            yield min(wait * (0.5 + random.random() / 2), patience - now.monotonic)
            wait = min(2 * wait, LOOK_EVERY)

    def _put_off(self, now: Instant) -> Token:
        """Another process is refreshing; this one goes on with the token it has."""
        chance = random.random()
        lease = self._swap(lambda lease: lease.put_off(now, chance))
        assert lease.token is not None
        return self._used(lease.token, now)

    # -- operations of the store

    def _looked_up(self, place: Place, call: Call) -> Steps[Token | None]:
        """The store's token, if it is better than what is held; it is held then."""
        from ._sealed_token import Miss
        from ._sealing import unseal

        def load() -> tuple[bytes, Token | Miss] | None:
            value = self._store.load(place.key)  # type: ignore[union-attr]
            return None if value is None else (value, unseal(value, place, self._clock.now()))

        loaded = yield from self._asked(load, call)
        if loaded is None:
            return None
        value, found = loaded
        if isinstance(found, Miss):
            self._missed(found)
            return None
        if found.access_token == self._lease.refused:  # put back by one who has not heard of it
            forget = functools.partial(self._store.delete, place.key, value)  # type: ignore[union-attr]
            yield from self._asked(forget, call)
            return None
        return self._taken(found, place, value, call)

    def _taken(self, token: Token, place: Place, value: bytes, call: Call) -> Token | None:
        """Hold a token of the store's, unless the held one is as good."""
        now, chance, margin = self._clock.now(), random.random(), self._spread_margin
        lease = self._lease
        if lease.usable(now) and (lease.token == token or token.due(margin).reached(now)):
            return None
        self._hold_new(call, lambda lease: lease.renewed(token, margin, now, chance))
        self._stored = token.access_token, place.key, value
        left = token.expires.until(now)
        _log.info("token %s taken from the store, used for %.0f s", token.fingerprint, left)
        self._tell(SharedTokenTaken, token.fingerprint, left)
        return token

    def _saved(self, place: Place, token: Token, call: Call) -> Steps[None]:
        """Put a new token into the store."""
        from ._sealing import seal

        def save() -> bytes:
            now = self._clock.now()
            value = seal(token, place, now)
            self._store.save(place.key, value, token.expires.until(now))  # type: ignore[union-attr]
            return value

        try:
            value = yield from self._asked(save, call)
        except _StoreFailedError:
            return
        self._stored = token.access_token, place.key, value

    def _left(self, lock: _Lock, call: Call) -> Steps[None]:
        if not lock.entered:
            lock.leave()  # should it be had later, by a thread that was left
            return
        try:
            yield from self._asked(lock.leave, call)
        except _StoreFailedError:
            return

    def _asked(self, operation: Callable[[], Any], call: Call | None) -> Steps[Any]:
        """What an operation of the store gives; `_StoreFailedError` for whatever it raises."""
        seconds = STORE_SECONDS
        if call is not None:
            if not call.had_token and not self._store_ails:
                seconds = FIRST_STORE_SECONDS
            seconds = min(seconds, self._attempt_timeout(call.deadline))
        try:
            return (yield Work(operation, seconds, lambda: _late(seconds)))
        except Exception as error:
            self._store_failures += 1
            if not self._store_ails:
                self._store_ails = True
                _log.warning(
                    "the store failed, and tokens are fetched without it until it works again: %s",
                    shown(f"{type(error).__name__}: {error}"),
                )
            raise _StoreFailedError from error

    def _missed(self, miss: Miss) -> None:
        """Say once for each kind that something in the store is not used; not so of the usual."""
        if miss not in self._misses and miss.name != "EXPIRED":
            self._misses += (miss,)
            _log.warning("what the store holds is not used: %s", miss.value)


def _late(seconds: float) -> Exception:
    return TimeoutError(f"no answer within {seconds:g} s")


class _Lock:
    """A store's lock, which is entered and left in threads that may themselves be left."""

    def __init__(self, make: Callable[[], AbstractContextManager[bool]]) -> None:
        self._make = make
        self._guard = threading.Lock()
        self._manager: AbstractContextManager[bool] | None = None
        self._is_left = False

    @property
    def entered(self) -> bool:
        return self._manager is not None

    def enter(self) -> bool:
        """Whether it was had, without waiting for it."""
        manager = self._make()
        had = manager.__enter__()
        with self._guard:
            keep = had and not self._is_left
            if keep:
                self._manager = manager
        if not keep:  # it is somebody else's, or it came when nobody waited for it any more
            manager.__exit__(None, None, None)
        return keep

    def leave(self) -> None:
        """Give it back; also one that is had only later."""
        with self._guard:
            manager, self._manager, self._is_left = self._manager, None, True
        if manager is not None:
            manager.__exit__(None, None, None)

    def leave_quietly(self) -> None:
        """`leave`, where nobody could hear of it."""
        with contextlib.suppress(Exception):
            self.leave()
