"""Credentials that are a token from elsewhere, as it is."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ._errors import ConfigurationError
from ._interface import AsyncCredentials, Credentials, holders_of_locks
from ._protocol import is_bearer_text

if TYPE_CHECKING:
    from ._sources import Settings

Self = TypeVar("Self", bound="TokenCredentials")
AsyncSelf = TypeVar("AsyncSelf", bound="AsyncTokenCredentials")


class TokenCredentials(Credentials, made_of="token"):
    """A token from elsewhere: a fixed one, or a callable that gives the current one.

    Args:
        token: the access token without `Bearer`, or a callable without arguments that returns
            one. The callable is called at each use, by one thread at a time.

    Raises:
        ConfigurationError: the token is empty, or holds what no header may.
    """

    def __init__(self, token: str | Callable[[], str]) -> None:
        self._token = token if callable(token) else checked_token(token)
        self._renew_locks()
        holders_of_locks.add(self)

    @classmethod
    def _of(cls: type[Self], settings: Settings) -> Self:
        return cls(_token_in(settings))

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
                raise _not_had(error) from error
        return {"Authorization": f"Bearer {checked_token(token)}"}

    def _at_hand(self) -> dict[str, str] | None:
        return self.get_headers() if isinstance(self._token, str) else None

    def refresh_if_needed(self) -> None:
        """Does nothing: whoever gives the token keeps it fresh."""

    def __repr__(self) -> str:
        return _repr(self, self._token)

    def __getstate__(self) -> dict[str, Any]:
        return {"token": self._token}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["token"])  # type: ignore[misc]  # the one way in

    def _renew_locks(self) -> None:
        self._lock = threading.Lock()


class AsyncTokenCredentials(AsyncCredentials, made_of="token"):
    """The twin of `TokenCredentials` for asynchronous programs.

    Args:
        token: the access token without `Bearer`, or a callable without arguments that returns
            one or is awaited for one. The callable is called at each use, in the event loop.

    Raises:
        ConfigurationError: the token is empty, or holds what no header may.
    """

    def __init__(self, token: str | Callable[[], str | Awaitable[str]]) -> None:
        self._token = token if callable(token) else checked_token(token)

    @classmethod
    def _of(cls: type[AsyncSelf], settings: Settings) -> AsyncSelf:
        return cls(_token_in(settings))

    async def get_headers(self) -> dict[str, str]:
        """See `TokenCredentials.get_headers`."""
        if isinstance(self._token, str):
            return {"Authorization": f"Bearer {self._token}"}
        try:
            given = self._token()
            token = await given if inspect.isawaitable(given) else given
        except Exception as error:
            raise _not_had(error) from error
        return {"Authorization": f"Bearer {checked_token(token)}"}

    async def refresh_if_needed(self) -> None:
        """Does nothing: whoever gives the token keeps it fresh."""

    def __repr__(self) -> str:
        return _repr(self, self._token)


def _repr(credentials: object, token: object) -> str:
    return f"{type(credentials).__name__}({'***' if isinstance(token, str) else token!r})"


def _not_had(error: Exception) -> ConfigurationError:
    return ConfigurationError(f"token could not be had: its callable raised {type(error).__name__}")


def _token_in(settings: Settings) -> str | Callable[[], str]:
    if settings.kind != "token":
        raise ConfigurationError(
            "these settings hold client credentials, not a token; use OAuth2ClientCredentials or "
            "its twin, or the abstract class, which takes either"
        )
    return settings.token


def checked_token(token: object) -> str:
    if not is_bearer_text(token):
        raise ConfigurationError(
            "token must be printable ASCII without spaces, and without the word Bearer before it"
        )
    return str.__str__(token)  # a plain one: of a member of an enum, the header would have the name
