"""`Send` and `AsyncSend`: the only place that sends, and where time and size end.

httpx's own time-outs count per read and leave name look-up out, so an answer that drips, or a
name server that stalls, would hold a caller for as long as it likes. Here each request runs in a
short-lived daemon thread that its caller can leave, the asynchronous one too: name look-up, the
import of httpx and the reading of CA files then never block an event loop, and no executor has
to be joined at its end. No connection is kept.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ._body import LONGEST_BODY, answer_of
from ._clients import Client, Connection, Opened, is_async_client_object, kept_free_of_cookies
from ._errors import (
    HIDDEN,
    ConfigurationError,
    OAuth2Error,
    UnreachableError,
    repeats,
    shown,
)
from ._version import __version__
from ._wire import Request, Response
from ._worker import running_loop, within, within_in_loop

# -- the two senders


class Sender:
    """Sends a request and gives its answer, within the request's time-out or not at all."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, request: Request) -> Response:
        """Send `request`.

        Raises:
            UnreachableError: no whole answer in time.
            ConfigurationError: the CA file or the client could not be had.
        """
        exchange = _Exchange(request, self._connection)
        return within(request.timeout, exchange.run, late=exchange.late, leave=exchange.leave)


class AsyncSender:
    """The same for a caller in an event loop, which goes on while the request runs."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def __call__(self, request: Request) -> Response:
        """Send `request`; raises what `Sender` raises."""
        client = self._connection.client
        if is_async_client_object(client):
            return await _in_its_loop(request, Opened(client, ours=False))
        exchange = _Exchange(request, self._connection)
        return await within_in_loop(
            request.timeout, exchange.run, late=exchange.late, leave=exchange.leave
        )


# -- one request


class _Exchange:
    """One request and its answer with a synchronous client, in a thread that may be left."""

    def __init__(self, request: Request, connection: Connection) -> None:
        self._request = request
        self._connection = connection
        self._deadline = time.monotonic() + request.timeout
        self._closing = contextlib.ExitStack()
        self._line = _Line()

    def run(self) -> Response:
        """Send and read, under httpx's own time-outs and this request's deadline."""
        with _mapped(self._request), self._closing:
            opened = self._connection.open(self._request.url)
            if hasattr(opened.client, "aclose"):
                import asyncio

                return asyncio.run(_in_its_loop(self._request, opened))
            return self._send_and_read(opened)

    def _send_and_read(self, opened: Opened) -> Response:
        client, ours = opened
        if ours:
            self._closing.callback(client.close)
            self._closing.callback(self._line.close)
        self._check_time()
        # A client of the caller's may send other requests over the same connection.
        trace = {"trace": self._line.traced} if ours else {}
        with kept_free_of_cookies(client) as answered:
            try:
                response = client.send(_built(client, self._request, trace), **_AS_IT_IS)
            except Exception as error:
                response = _raised_for(error)
            self._closing.callback(response.close)
            answered(response)
            if response.is_stream_consumed:  # a mock's answer comes read and decoded
                return answer_of(response, response.content, decoded=True)
            return answer_of(response, b"" if response.is_closed else self._read(response))

    def leave(self) -> None:
        """The time is up: end the connection, so that the thread ends at its next read."""
        self._deadline = 0.0
        self._line.end()

    def late(self) -> OAuth2Error:
        """The error of an answer that is not there in time."""
        return _late(self._request)

    def _read(self, response: Any) -> bytes:
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > LONGEST_BODY:
                break
            self._check_time()
        return bytes(body)

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise self.late()


class _Line:
    """The connection under a request, for a thread that wants to end what another one reads.

    It is shut down, and closed by its reader alone. The number of a closed one goes to the next
    that is opened anywhere in the process, and the reader would take the bytes of that one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._ended = False

    def traced(self, event: str, info: Mapping[str, Any]) -> None:
        """Hear of the connection; httpx hands this, as the extension "trace", to httpcore."""
        if event.endswith(("connect_tcp.complete", "connect_unix_socket.complete")):
            opened = info["return_value"].get_extra_info("socket")
            self.close()  # of an attempt before this one, where the client tries again
            with self._lock:
                self._socket = opened.dup()  # TLS takes the original away
                if self._ended:
                    self._shut_down()

    def end(self) -> None:
        """Let every read come to its end, from now on too."""
        with self._lock:
            self._ended = True
            self._shut_down()

    def close(self) -> None:
        """Give it back; for the reader."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the server was faster
                self._socket.shutdown(socket.SHUT_RDWR)


async def _in_its_loop(request: Request, opened: Opened) -> Response:
    """The same with an asynchronous client of the caller's, in the loop it belongs to."""
    import asyncio

    running_loop()
    try:
        return await asyncio.wait_for(_exchange_in_loop(request, opened), request.timeout)
    except asyncio.TimeoutError:
        raise _late(request) from None


async def _exchange_in_loop(request: Request, opened: Opened) -> Response:
    client, ours = opened
    async with contextlib.AsyncExitStack() as closing:
        closing.enter_context(_mapped(request))
        if ours:
            closing.push_async_callback(client.aclose)
        answered = closing.enter_context(kept_free_of_cookies(client))
        try:
            response = await client.send(_built(client, request), **_AS_IT_IS)
        except Exception as error:
            response = _raised_for(error)
        closing.push_async_callback(response.aclose)
        answered(response)
        if response.is_stream_consumed:
            return answer_of(response, response.content, decoded=True)
        return answer_of(response, b"" if response.is_closed else await _read_in_loop(response))


async def _read_in_loop(response: Any) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > LONGEST_BODY:
            break
    return bytes(body)


def _raised_for(error: Exception) -> Any:
    """The answer that an event hook of the caller's client raised for, as `raise_for_status` does.

    A server that said no is not asked again, as one that cannot be reached would be. httpx has
    closed the answer; its body is there if the hook read it.
    """
    response = getattr(error, "response", None)
    if not hasattr(response, "is_stream_consumed"):
        raise error
    return response


_AS_IT_IS: Mapping[str, Any] = {"stream": True, "auth": None, "follow_redirects": False}
"""How a token request is sent, whatever the client is set to: a redirect would carry the secret
to another host, and the client's own `auth` could be these very credentials."""


def _built(client: Client, request: Request, extensions: Mapping[str, Any] | None = None) -> Any:
    agent = f"pygen-auth/{__version__} {client.headers.get('user-agent', '')}".rstrip()
    return client.build_request(
        request.method,
        request.url,
        content=request.body or None,
        headers={**request.headers, "User-Agent": agent},
        timeout=request.timeout,
        extensions=dict(extensions or {}),
    )


# -- errors


@contextlib.contextmanager
def _mapped(request: Request) -> Iterator[None]:
    """Whatever goes wrong under way is one error; the one place where foreign errors end."""
    try:
        yield
    except OAuth2Error:
        raise
    except Exception as error:
        reason = shown(str(error), request.secrets) or type(error).__name__
        if type(error).__name__ == "ProxyError":  # its words are not the server's
            reason = f"the proxy: {reason}"
        _clean(error, request.secrets)
        if isinstance(error, UnicodeError) or type(error).__name__ == "InvalidURL":
            # A host name that nobody can look up. InvalidURL is httpx's or httpx2's.
            raise ConfigurationError(
                f"{_what(request)} failed: it cannot be sent to {_host(request)}: {reason}"
            ) from error
        raise UnreachableError(
            f"{_what(request)} failed: no answer from {_host(request)}: {reason}", retryable=True
        ) from error


def _clean(error: BaseException, secrets: tuple[str, ...]) -> None:
    """Take out of a foreign error, and those behind it, what a broken answer may have echoed."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(getattr(type(link), "request", None), property):
            link.request = None  # type: ignore[attr-defined]  # httpx keeps the form in it
        if repeats(str(link), secrets):
            link.args = (HIDDEN,)
        link = link.__cause__ or link.__context__


def _late(request: Request) -> UnreachableError:
    return UnreachableError(
        f"{_what(request)} failed: no answer from {_host(request)} within {request.timeout:.3g} s, "
        "this attempt's share of the timeout",
        retryable=True,
    )


def _what(request: Request) -> str:
    return "Token request" if request.method == "POST" else "Metadata request"


def _host(request: Request) -> str:
    return shown(urlsplit(request.url).netloc)
