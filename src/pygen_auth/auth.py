"""Adapters: credentials as `auth=` of httpx, httpx2 and requests.

    client = httpx.Client(auth=BearerAuth(credentials))

Each request gets the header of its moment. If the API answers 401 (RFC 6750 §3.1), the refused
token is dropped, unless a newer one is held already, and the request is sent once more.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Collection, Generator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ._checks import LONGEST, check_hosts, is_loopback
from ._errors import ConfigurationError, UnreachableError
from ._interface import AsyncCredentials, Credentials
from ._worker import within_in_loop

__all__ = ["AsyncBearerAuth", "BearerAuth"]

if TYPE_CHECKING:
    from httpx import Auth as _Auth  # to httpx2 and requests it is the callable that they take

    _IN_MEMORY: tuple[type, ...]
else:
    _bases, _in_memory = [], []
    with contextlib.suppress(ImportError):
        import httpx

        _bases.append(httpx.Auth)
        _in_memory.append(httpx.ByteStream)
    with contextlib.suppress(ImportError):
        import httpx2

        _bases.append(httpx2.Auth)
        _in_memory.append(httpx2.ByteStream)
    with contextlib.suppress(ImportError):
        from requests.auth import AuthBase

        _bases.append(AuthBase)
    _Auth = type("_Auth", tuple(_bases), {})
    _IN_MEMORY = tuple(_in_memory)

_PORTS = {"http": 80, "https": 443}
_LACKS_SCOPE = re.compile(r'\berror\s*=\s*"?insufficient_scope\b', re.IGNORECASE)


class _Bearer(_Auth):
    """What the two adapters share: where the header may go, and what a 401 means."""

    def __init__(self, credentials: Any, allowed_hosts: Collection[str] | None) -> None:
        self._credentials = credentials
        self._hosts = None if allowed_hosts is None else check_hosts(allowed_hosts, "allowed_hosts")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._credentials!r})"

    def _may_go_to(self, url: object) -> bool:
        """Whether a request to `url` gets the header at all."""
        if self._hosts is None:
            return True
        scheme, host, _ = _origin(url)
        return host in self._hosts and (scheme == "https" or is_loopback(host))

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """How the asynchronous clients of httpx and httpx2 ask for it."""
        if not self._may_go_to(request.url):
            yield request
            return
        first, sent = request.url, await self._header_in_loop()
        request.headers["Authorization"] = sent
        response = yield request
        if _is_refused(response, first, sent) and isinstance(response.request.stream, _IN_MEMORY):
            await self._invalidate_in_loop(_token_in(sent))
            other = await self._header_in_loop()
            if other != sent:
                response.request.headers["Authorization"] = other
                yield response.request

    async def _header_in_loop(self) -> str:
        """The header, without blocking the loop."""
        raise NotImplementedError  # pragma: no cover - each adapter has its own

    async def _invalidate_in_loop(self, access_token: str) -> None:
        """Drop the refused token, if the credentials hold tokens."""
        raise NotImplementedError  # pragma: no cover - likewise


class BearerAuth(_Bearer):
    """Credentials as `auth=` of `httpx.Client`, `httpx.AsyncClient`, httpx2's and `requests`.

    A request whose body is a stream, and cannot be sent twice, is not: its 401 is handed back. So
    is a 401 that says `insufficient_scope`, or comes from another origin after a redirect.

    Args:
        credentials: any `Credentials`. In an asynchronous client they do not block the event
            loop: what may take time runs in a thread.
        allowed_hosts: names of the hosts that get the header, over https or on this machine;
            requests to others go without. Unless given, every request gets it. Either way the
            header does not travel to another origin on a redirect, but from http to https of the
            same host, as the clients have it.

    Raises:
        ConfigurationError: the credentials are asynchronous, or `allowed_hosts` is no list of
            host names. Whatever the credentials raise later comes out of the request.
    """

    def __init__(
        self, credentials: Credentials, *, allowed_hosts: Collection[str] | None = None
    ) -> None:
        if not isinstance(credentials, Credentials):
            raise ConfigurationError(
                "credentials must be Credentials; asynchronous ones take AsyncBearerAuth"
            )
        super().__init__(credentials, allowed_hosts)

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """How the synchronous clients of httpx and httpx2 ask for it."""
        if not self._may_go_to(request.url):
            yield request
            return
        first, sent = request.url, self._header()
        request.headers["Authorization"] = sent
        response = yield request
        if _is_refused(response, first, sent) and isinstance(response.request.stream, _IN_MEMORY):
            other = self._header_after(sent)
            if other != sent:
                response.request.headers["Authorization"] = other
                yield response.request

    def __call__(self, request: Any) -> Any:
        """How `requests` asks for it."""
        if not self._may_go_to(request.url):
            return request
        first, sent = request.url, self._header()
        request.headers["Authorization"] = sent
        left = [first]  # one more try, redirects and all

        def look_at(response: Any, **how: Any) -> Any:
            in_memory = isinstance(response.request.body, (str, bytes, type(None)))
            if not (left and in_memory and _is_refused(response, first, sent)):
                return response
            left.clear()
            other = self._header_after(sent)
            return response if other == sent else _sent_again(response, other, how)

        request.register_hook("response", look_at)
        return request

    def _header(self) -> str:
        return self._credentials.get_headers()["Authorization"]  # type: ignore[no-any-return]

    def _header_after(self, refused: str) -> str:
        """The header once that one was refused; the same where asking again would not help."""
        _invalidate(self._credentials, _token_in(refused))
        return self._header()

    async def _header_in_loop(self) -> str:
        at_hand = self._credentials._at_hand()
        if at_hand is not None:
            return at_hand["Authorization"]  # type: ignore[no-any-return]
        return await within_in_loop(LONGEST, self._header, late=_never)

    async def _invalidate_in_loop(self, access_token: str) -> None:
        # In a thread, since it removes a shared token from its store.
        await within_in_loop(
            LONGEST, lambda: _invalidate(self._credentials, access_token), late=_never
        )


class AsyncBearerAuth(_Bearer):
    """Asynchronous credentials as `auth=` of `httpx.AsyncClient` and httpx2's.

    Args:
        credentials: any `AsyncCredentials`.
        allowed_hosts: as for `BearerAuth`.

    Raises:
        ConfigurationError: the credentials are synchronous, or the client is; the latter comes
            out of the request.
    """

    def __init__(
        self, credentials: AsyncCredentials, *, allowed_hosts: Collection[str] | None = None
    ) -> None:
        if not isinstance(credentials, AsyncCredentials):
            raise ConfigurationError(
                "credentials must be AsyncCredentials; synchronous ones take BearerAuth, which "
                "serves asynchronous clients as well"
            )
        super().__init__(credentials, allowed_hosts)

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Refuses: a synchronous client cannot await."""
        raise ConfigurationError(
            "asynchronous credentials need an asynchronous client; give OAuth2ClientCredentials "
            "by BearerAuth to a synchronous one"
        )

    def __call__(self, request: Any) -> Any:
        """Refuses `requests`, likewise."""
        return self.sync_auth_flow(request)

    async def _header_in_loop(self) -> str:
        return (await self._credentials.get_headers())["Authorization"]  # type: ignore[no-any-return]

    async def _invalidate_in_loop(self, access_token: str) -> None:
        outcome = _invalidate(self._credentials, access_token)
        if outcome is not None:
            await outcome


def _invalidate(credentials: Any, access_token: str) -> Any:
    """Drop the refused token, if the credentials hold tokens; to be awaited if they are so."""
    invalidate = getattr(credentials, "invalidate", None)
    return None if invalidate is None else invalidate(access_token)


def _token_in(authorization: str) -> str:
    return authorization.removeprefix("Bearer ")


def _is_refused(response: Any, first_url: object, sent: str) -> bool:
    """Whether that is the API's refusal of the token that was sent, and another one may help."""
    if response.status_code != 401:
        return False
    last = response.request
    return (
        _origin(last.url) == _origin(first_url)
        and last.headers.get("Authorization") == sent
        and not _LACKS_SCOPE.search(response.headers.get("WWW-Authenticate", ""))
    )


def _origin(url: object) -> tuple[str, str, int | None]:
    """Scheme, host and port (RFC 6454 §4) of a URL that a client has parsed already."""
    parts = urlsplit(str(url))
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _sent_again(response: Any, authorization: str, how: dict[str, Any]) -> Any:
    """The answer to the request of a `requests` response, sent once more with another header."""
    response.content  # noqa: B018  # read to its end, so that the connection can be used again
    response.close()
    request = response.request.copy()
    request.headers["Authorization"] = authorization
    newer = response.connection.send(request, **how)
    newer.history.append(response)
    newer.request = request
    return newer


def _never() -> UnreachableError:  # pragma: no cover - the credentials' own time-out comes first
    return UnreachableError("the token could not be had", retryable=True)
