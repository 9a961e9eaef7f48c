"""Credentials: what gives a program its Authorization header. The interface, and a token as it is.

Also the only place that knows what a fork does to locks.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakSet

from ._errors import ConfigurationError
from ._protocol import is_bearer_text


class HoldsLocks(Protocol):
    """Something whose locks a fork may have caught in the hands of a thread that is gone."""

    def _renew_locks(self) -> None: ...


holders_of_locks: WeakSet[HoldsLocks] = WeakSet()


def _renew_locks_in_child() -> None:
    for holder in holders_of_locks:
        holder._renew_locks()


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=_renew_locks_in_child)


class Credentials(ABC):
    """Gives the header that authorizes a request (RFC 6750 §2.1).

    Safe to call from any number of threads. The dicts handed out belong to the caller.
    """

    @abstractmethod
    def get_headers(self) -> dict[str, str]:
        """`{"Authorization": "Bearer …"}`, a new dict each time.

        Raises:
            OAuth2Error: there is no usable token and none can be had.
        """

    @abstractmethod
    def refresh_if_needed(self) -> None:
        """Fetch a token if there is none, or the held one is due.

        Raises:
            OAuth2Error: there is no usable token and none can be had.
        """

    def authorization_header(self) -> tuple[str, str]:
        """`("Authorization", "Bearer …")`, as the Cognite SDK and Pygen ask for it.

        Raises:
            OAuth2Error: there is no usable token and none can be had.
        """
        return "Authorization", self.get_headers()["Authorization"]


class AsyncCredentials(ABC):
    """The twin of `Credentials` for asynchronous programs: the same methods, awaited."""

    @abstractmethod
    async def get_headers(self) -> dict[str, str]:
        """See `Credentials.get_headers`."""

    @abstractmethod
    async def refresh_if_needed(self) -> None:
        """See `Credentials.refresh_if_needed`."""

    async def authorization_header(self) -> tuple[str, str]:
        """See `Credentials.authorization_header`."""
        headers = await self.get_headers()
        return "Authorization", headers["Authorization"]


class TokenCredentials(Credentials):
    """A token from elsewhere: a fixed one, or a callable that gives the current one.

    Args:
        token: the access token without `Bearer`, or a callable without arguments that returns
            one. The callable is called at each use, by one thread at a time.

    Raises:
        ConfigurationError: the token is empty, or holds what no header may.
    """

    def __init__(self, token: str | Callable[[], str]) -> None:
        self._token = token if callable(token) else _checked(token)
        self._renew_locks()
        holders_of_locks.add(self)

    def get_headers(self) -> dict[str, str]:
        """See `Credentials.get_headers`.

        Raises:
            ConfigurationError: the callable failed, or gave no usable token.
        """
        if isinstance(self._token, str):
            return {"Authorization": f"Bearer {self._token}"}
        with self._lock:
            try:
                token = self._token()
            except Exception as error:
                raise ConfigurationError(
                    f"token could not be had: its callable raised {type(error).__name__}"
                ) from error
        return {"Authorization": f"Bearer {_checked(token)}"}

    def refresh_if_needed(self) -> None:
        """Does nothing: whoever gives the token keeps it fresh."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'***' if isinstance(self._token, str) else self._token!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"token": self._token}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["token"])  # type: ignore[misc]  # the one way in

    def _renew_locks(self) -> None:
        self._lock = threading.Lock()


def _checked(token: object) -> str:
    if not is_bearer_text(token):
        raise ConfigurationError(
            "token must be printable ASCII without spaces, and without the word Bearer before it"
        )
    return token
