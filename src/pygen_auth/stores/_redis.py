"""A store for a fleet: a Redis or Valkey server, by the client that the caller made.

No client library is imported here. redis-py's clients fit, for one server, a cluster, or one that
Sentinel found, and so do valkey-py's.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from .._checks import encodable
from .._errors import ConfigurationError
from ._base import LARGEST_VALUE, TokenStore

LOCK_SECONDS = 10.0
"""A lock lives that long after its holder was last heard of: more than a stalled second or two,
and not so long that the fleet waits for a machine that is gone."""
EXTEND_EVERY = 3.0
"""Seconds; two of three extensions may get lost."""
LONGEST_HOLD = 300.0
"""Seconds. Whoever holds a lock for longer has forgotten it: a token request takes 30 s."""

_DELETE_IF_EQUAL = """
if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end
return 0
"""


class RedisTokenStore(TokenStore):
    """One token for all processes of all hosts that reach one Redis.

    Every key expires by itself. The client should give up soon (`socket_timeout=1`,
    `socket_connect_timeout=1`), and not retry more than once: a call that takes longer than a
    second is left anyway, and the token fetched without the store.

    Args:
        client: a synchronous client of redis-py or valkey-py, for both kinds of credentials; or a
            callable without arguments that makes one, called once in each process. Only a store
            with a callable can be pickled. A client is never closed.
        prefix: how the names of all keys begin. The client needs the commands GETRANGE, SET, EVAL,
            EVALSHA and SCRIPT LOAD for them.
        encryption_key: see `TokenStore`.

    Raises:
        ConfigurationError: the client is none, or an asynchronous one.
    """

    def __init__(
        self,
        client: Any,
        prefix: str = "pygen-auth:",
        *,
        encryption_key: str | bytes | None = None,
    ) -> None:
        super().__init__(encryption_key=encryption_key)
        if not isinstance(prefix, str):
            raise ConfigurationError("prefix must be a text")
        self._source = client if callable(client) else _checked(client)
        self._prefix = encodable("prefix", prefix)

    def __repr__(self) -> str:
        return f"RedisTokenStore(prefix={self._prefix!r})"

    def __getstate__(self) -> dict[str, Any]:
        if not callable(self._source):
            raise ConfigurationError(
                "client is an object, which no pickle or copy can carry; give RedisTokenStore a "
                "callable that makes one"
            )
        return {name: value for name, value in vars(self).items() if name != "_made"}

    def load(self, key: str) -> bytes | None:
        """See `TokenStore.load`; it raises what the client raises.

        Of what others may have put there, no more is read than a value of ours can have.
        """
        # Not GET, since a value in Redis may have 512 MB. What is missing is empty here.
        value = self._client().getrange(self._prefix + key, 0, LARGEST_VALUE)
        if isinstance(value, str):  # a client with decode_responses=True
            value = value.encode()
        return value if 0 < len(value) <= LARGEST_VALUE else None

    def save(self, key: str, value: bytes, seconds: float) -> None:
        """See `TokenStore.save`; it raises what the client raises."""
        self._client().set(self._prefix + key, value, px=max(1, int(seconds * 1000)))

    def delete(self, key: str, value: bytes) -> None:
        """See `TokenStore.delete`; it raises what the client raises."""
        self._client().eval(_DELETE_IF_EQUAL, 1, self._prefix + key, value)

    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[bool]:
        """See `TokenStore.lock`; entered it raises what the client raises, left it raises nothing.

        It lives for 10 seconds, and a thread extends it while it is held, up to 5 minutes.
        """
        lock = self._client().lock(
            f"{self._prefix}{key}:lock", timeout=LOCK_SECONDS, thread_local=False
        )
        process = os.getpid()
        had = lock.acquire(blocking=timeout > 0, blocking_timeout=timeout if timeout > 0 else None)
        left = _extended(lock) if had else threading.Event()
        try:
            yield had
        finally:
            if had and os.getpid() == process:  # a child of a fork is not to end the parent's lock
                left.set()
                with contextlib.suppress(Exception):  # lost, or Redis is away: it ends by itself
                    lock.release()

    def _client(self) -> Any:
        """The client; made, where a callable makes it, in this process."""
        if not callable(self._source):
            return self._source
        made = vars(self).get("_made")
        if made is None:
            made = vars(self).setdefault("_made", _checked(_called(self._source)))
        return made


def _extended(lock: Any) -> threading.Event:
    """Keep extending the lock until the event is set."""
    left = threading.Event()

    def extend() -> None:
        end = time.monotonic() + LONGEST_HOLD
        while not left.wait(EXTEND_EVERY) and time.monotonic() < end:
            with contextlib.suppress(Exception):  # lost; or Redis is away, and back in time
                lock.extend(LOCK_SECONDS, replace_ttl=True)

    with contextlib.suppress(RuntimeError):  # no thread can be started: it lives for 10 seconds
        threading.Thread(target=extend, name="pygen-auth lock", daemon=True).start()
    return left


def _called(source: Callable[[], Any]) -> Any:
    try:
        return source()
    except ImportError as error:
        raise ConfigurationError(
            "RedisTokenStore's client cannot be imported; for redis-py: "
            "pip install 'pygen-auth[redis]'"
        ) from error
    except Exception as error:
        kind = type(error).__name__  # not chained: redis-py quotes the URL, password and all
    raise ConfigurationError(f"RedisTokenStore's callable for the client raised {kind}")


def _checked(client: Any) -> Any:
    command = getattr(client, "execute_command", None)
    if command is None:
        raise ConfigurationError(
            "client must be a client of redis-py or valkey-py, or a callable that makes one"
        )
    if inspect.iscoroutinefunction(command):
        raise ConfigurationError(
            "client is asynchronous; RedisTokenStore takes a synchronous one, for asynchronous "
            "credentials as well, which call it in a thread"
        )
    return client
