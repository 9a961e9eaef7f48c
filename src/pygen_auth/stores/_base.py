"""What a store is: the interface, and the one setting that all stores have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from .._checks import encodable
from .._errors import ConfigurationError

SHORTEST_KEY = 16
"""Bytes of an encryption_key: 128 bits, if they were drawn at random."""

LARGEST_VALUE = 4 * 1024 * 1024
"""Bytes that are read of what somebody put under a key: twice what this library ever writes."""


class TokenStore(ABC):
    """Keeps bytes under keys, for processes that share a token.

    Called from any thread, and from several at once. A method may raise whatever it likes:
    credentials log it, go on without the store, and are never held up by it for long. The values
    are encrypted and authenticated; a store that loses, mixes up or invents some costs token
    requests and nothing else.

    Args:
        encryption_key: text or bytes, 16 bytes at least, drawn at random, the same for all who
            share tokens. Needed where the client has no secret of its own (`ClientAssertion`,
            `TLSClientCertificate`), and good where its secret could be guessed.

    Raises:
        ConfigurationError: the encryption_key is too short, or of another type.
    """

    encryption_key: bytes | None = None
    """As given, in bytes. Part of a pickle, and of no `repr`."""

    def __init__(self, *, encryption_key: str | bytes | None = None) -> None:
        self.encryption_key = _checked(encryption_key)

    @abstractmethod
    def load(self, key: str) -> bytes | None:
        """The value under the key, or None where there is none, or its seconds have passed."""

    @abstractmethod
    def save(self, key: str, value: bytes, seconds: float) -> None:
        """Keep the value under the key, in place of any other, and forget it after `seconds`."""

    @abstractmethod
    def delete(self, key: str, value: bytes) -> None:
        """Forget the value under the key, if it still is this one: a newer one stays."""

    @abstractmethod
    def lock(self, key: str, timeout: float) -> AbstractContextManager[bool]:
        """Held by one at a time, as far as the store can tell: `with store.lock(...) as had`.

        `had` says whether it was had within `timeout` seconds; with 0 nobody waits. It is left in
        any case, maybe in another thread than it was entered in. It must not outlive a process
        that dies by more than some seconds. It is not needed for correctness: two who both have it
        send two token requests.
        """


def _checked(encryption_key: str | bytes | None) -> bytes | None:
    if encryption_key is None:
        return None
    if isinstance(encryption_key, str):
        encryption_key = encodable("encryption_key", encryption_key).encode()
    if not isinstance(encryption_key, bytes):
        raise ConfigurationError("encryption_key must be a text or bytes")
    if len(encryption_key) < SHORTEST_KEY:
        raise ConfigurationError(
            f"encryption_key has {len(encryption_key)} bytes; {SHORTEST_KEY} are needed, drawn at "
            "random, as by: python -c 'import secrets; print(secrets.token_hex(32))'"
        )
    return encryption_key
