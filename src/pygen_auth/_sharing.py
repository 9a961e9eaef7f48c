"""One token for many: what a refresh does with a store, and what it does when the store fails.

The only place that uses a store. Whatever the store does, it never breaks authentication and never
holds it up for long: an operation is left after a second, and looking after five in all where
there is no token yet. A store that fails is left out of the rest of that refresh, and the log says
so once.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._attempts import Call, TokenAttempts
from ._clock import Clock, Instant
from ._errors import ConfigurationError, OAuth2Error, shown
from ._grant import credential_is_late
from ._steps import Steps, Work
from ._token import LOOK_AGAIN, Lease, Token
from ._worker import start

if TYPE_CHECKING:
    from ._sealed_token import Miss
    from ._sealing import Place
    from ._store_calls import StoreLock

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
        # An access token, and the key and the value in the store that it is in.
        self._stored: tuple[str, str, bytes] | None = None
        self._store_ails = False
        self._store_failures = 0
        self._misses: tuple[Miss, ...] = ()
        self._look_at = 0.0  # by the monotonic clock: when a standing failure lets one look through
        super()._begin(*clock)

    def _held(self, lease: Lease, now: Instant) -> Token | None:
        """As without a store, but for a failure that stands: another process may have a token."""
        try:
            return super()._held(lease, now)
        except OAuth2Error:
            if self._store is None or now.monotonic < self._look_at:
                raise
            return None

    def _shared(self, call: Call) -> Steps[Token]:
        """The steps to a token of the store's, or to a new one that is put there."""
        from ._store_calls import StoreLock  # here, as the sealing: most programs share no token

        place = yield from self._place(call)
        if place is None:  # pragma: no branch - not traced by Python 3.11 after a throw
            return (yield call)  # type: ignore[no-any-return]  # as every step's outcome
        failures = self._store_failures
        now = self._clock.now()
        standing = self._lease.standing_failure(now)
        if standing is not None and not call.had_token:
            self._look_at = now.monotonic + LOOK_AGAIN
            return (yield from self._found_or(standing, place, call))
        lock = StoreLock(lambda: self._store.lock(place.key, 0))  # type: ignore[union-attr]
        try:
            token = yield from self._found_or_fetched(place, lock, call)
        except Exception:
            yield from self._left(lock)
            raise
        except BaseException:  # Ctrl-C, or a cancelled task: nobody can wait for it any more
            start(lock.leave_quietly, "pygen-auth store")
            raise
        yield from self._left(lock)
        if self._store_ails and failures == self._store_failures:
            self._store_ails = False
            _log.info("the store works again")
        return token

    def _invalidation(self, token: Token | str) -> Steps[None]:
        """The steps of `invalidate`: a token that was refused is removed for all."""
        self._invalidate(token)
        text = token if isinstance(token, str) else token.access_token
        stored, self._stored = self._stored, None
        if stored is None or stored[0] != text:
            self._stored = stored
            return
        yield from self._forgotten(*stored[1:])

    def _forgotten(self, key: str, value: bytes) -> Steps[None]:
        """Remove a refused token for all."""
        forget = functools.partial(self._store.delete, key, value)  # type: ignore[union-attr]
        with contextlib.suppress(_StoreFailedError):
            yield from self._asked(forget)

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
        except Exception as error:
            self._failed_by(error)
            return None
        return place

    def _found_or(self, failure: OAuth2Error, place: Place, call: Call) -> Steps[Token]:
        """The store's token, put there by another process since that failure; or the failure."""
        found = None
        with contextlib.suppress(_StoreFailedError):
            found = yield from self._looked_up(place, call)
        if found is None:
            raise failure
        return found

    def _found_or_fetched(self, place: Place, lock: StoreLock, call: Call) -> Steps[Token]:
        before, credential = self._lease, call.credential
        works = True
        try:
            found = yield from self._found_or_locked(place, lock, call)
            if found is not None:
                return found
        except _StoreFailedError:
            works = False
        try:
            token: Token = yield call
        except OAuth2Error as error:
            if not works or not error.retryable:
                raise
            return (yield from self._found_or(error, place, call))
        # Another credential has another place, where others look for its token.
        same = call.proof is not None and call.proof[1] == credential
        no_new_one = token is before.token or token.access_token == self._lease.refused
        if works and same and not no_new_one:
            yield from self._saved(place, token)
        return token

    def _found_or_locked(self, place: Place, lock: StoreLock, call: Call) -> Steps[Token | None]:
        """A token to use, or None: this one is to fetch it.

        In the margin nobody waits for another one. Without a token, all wait for the one who has
        the lock, for a half to three quarters of their time: the one has half of it for its first
        attempt. With the rest they ask themselves.
        """
        begun, wait = self._clock.monotonic(), LOOK_FIRST
        # Not all at once: where the one who has the lock fails, a thousand may have waited.
        patience = call.deadline - self._timeout * (0.25 + random.random() / 4)
        while True:
            token = yield from self._looked_up(place, call)
            if token is None and (yield from self._asked(lock.enter, call)):
                # Somebody may just have put it there.
                return (yield from self._looked_up(place, call))
            now = self._clock.now()
            token = token or self._put_off(now)
            if token is not None or now.monotonic >= patience:
                if wait > LOOK_FIRST:
                    self._tell("Waited", now.monotonic - begun)
                return token
            yield min(wait * (0.5 + random.random() / 2), patience - now.monotonic)
            wait = min(2 * wait, LOOK_EVERY)

    def _put_off(self, now: Instant) -> Token | None:
        """The held token, if there is one to go on with while another process refreshes."""
        chance = random.random()
        lease = self._swap(lambda lease: lease.put_off(now, chance) if lease.usable(now) else lease)
        return self._used(lease.token, now) if lease.token and lease.usable(now) else None

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
            yield from self._forgotten(place.key, value)
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
        self._tell("SharedTokenTaken", token.fingerprint, left)
        return token

    def _saved(self, place: Place, token: Token) -> Steps[None]:
        """Put a new token into the store."""
        from ._sealing import seal

        def save() -> bytes:
            now = self._clock.now()
            value = seal(token, place, now)
            self._store.save(place.key, value, token.expires.until(now))  # type: ignore[union-attr]
            return value

        try:
            value = yield from self._asked(save)
        except _StoreFailedError:
            return
        self._stored = token.access_token, place.key, value
        if token.access_token == self._lease.refused:  # while it was being saved
            yield from self._forgotten(place.key, value)

    def _left(self, lock: StoreLock) -> Steps[None]:
        if not lock.entered:
            lock.leave_quietly()  # should it be had later, by a thread that was left
            return
        with contextlib.suppress(_StoreFailedError):
            yield from self._asked(lock.leave)

    def _asked(self, operation: Callable[[], Any], call: Call | None = None) -> Steps[Any]:
        """What an operation of the store gives; `_StoreFailedError` for whatever it raises.

        It has longer where the `call` that waits for it has no token to go on with.
        """
        from ._store_calls import Raised, guarded, late

        begun, seconds = self._clock.monotonic(), STORE_SECONDS
        if call is not None:
            if not call.had_token and not self._store_ails:
                seconds = max(seconds, FIRST_STORE_SECONDS - call.store_seconds)
            seconds = min(seconds, self._attempt_timeout(call.deadline))
        try:
            result = yield Work(lambda: guarded(operation), seconds, lambda: late(seconds))
        except Exception as error:
            result = Raised(error)
        if call is not None:
            call.store_seconds += self._clock.monotonic() - begun
        if isinstance(result, Raised):
            self._failed_by(result.error)
            raise _StoreFailedError from result.error
        return result

    def _failed_by(self, error: BaseException) -> None:
        self._store_failures += 1
        if not self._store_ails:
            self._store_ails = True
            _log.warning(
                "the store failed, and tokens are fetched without it until it works again: %s",
                shown(f"{type(error).__name__}: {error}"),
            )

    def _missed(self, miss: Miss) -> None:
        """Say once for each kind that something in the store is not used; not so of the usual."""
        if miss not in self._misses and miss.name != "EXPIRED":
            self._misses += (miss,)
            _log.warning("what the store holds is not used: %s", miss.value)
