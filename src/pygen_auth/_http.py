"""`Send` and `AsyncSend`: the only place that sends, and where time and size end.

httpx's own time-outs count per read and leave name look-up out, so an answer that drips, or a
name server that stalls, would hold a caller for as long as it likes. Here each request runs in a
short-lived daemon thread that its caller can leave, the asynchronous one too: name look-up, the
import of httpx and the reading of CA files then never block an event loop, and no executor has
to be joined at its end. No connection is kept.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ._clients import Client, Opened, Verify, kept_free_of_cookies, open_client
from ._errors import ConfigurationError, OAuth2Error, UnreachableError, shown
from ._wire import Request, Response

if TYPE_CHECKING:
    import asyncio

LONGEST_BODY = 1024 * 1024
"""Bytes. Tokens are a few thousand; a megabyte is an attack or a mistake."""

T = TypeVar("T")


# -- the two senders


class Sender:
    """Sends a request and gives its answer, within the request's time-out or not at all."""

    def __init__(self, client: Client | None, verify: Verify) -> None:
        self._client = client
        self._verify = verify

    def __call__(self, request: Request) -> Response:
        """Send `request`.

        Raises:
            UnreachableError: no whole answer in time.
            ConfigurationError: the CA file or the client could not be had.
        """
        exchange = _Exchange(request, lambda: open_client(self._client, request.url, self._verify))
        answer = _in_daemon_thread(exchange.run)
        in_time = False
        try:
            in_time = bool(wait([answer], request.timeout).done)
        finally:  # also on Ctrl-C
            if not in_time:
                exchange.leave()
        if not in_time:
            raise _too_late(request)
        return answer.result()


class AsyncSender:
    """The same for a caller in an event loop, which goes on while the request runs."""

    def __init__(self, client: Client | None, verify: Verify) -> None:
        self._client = client
        self._verify = verify

    async def __call__(self, request: Request) -> Response:
        """Send `request`; raises what `Sender` raises."""
        import asyncio  # here, since a synchronous program need not pay 30 ms for it

        if self._client is None:
            return await _from_thread(request, lambda: open_client(None, request.url, self._verify))
        opened = open_client(self._client, request.url, self._verify)
        if not hasattr(opened.client, "aclose"):
            return await _from_thread(request, lambda: opened)
        try:
            return await asyncio.wait_for(_exchange_in_loop(request, opened), request.timeout)
        except asyncio.TimeoutError:
            raise _too_late(request) from None


async def _from_thread(request: Request, opener: Callable[[], Opened]) -> Response:
    import asyncio

    exchange = _Exchange(request, opener)
    arrived = asyncio.wrap_future(_in_daemon_thread(exchange.run))
    arrived.add_done_callback(_seen)
    try:
        await asyncio.wait({arrived}, timeout=request.timeout)
    finally:  # also on cancellation
        if not arrived.done():
            exchange.leave()
            arrived.cancel()
    if arrived.cancelled():
        raise _too_late(request)
    return arrived.result()


def _seen(arrived: asyncio.Future[Response]) -> None:
    """Keep asyncio from logging the error of an answer that nobody waits for any more."""
    if not arrived.cancelled():
        arrived.exception()


def _in_daemon_thread(work: Callable[[], T]) -> Future[T]:
    """Run `work` in a thread of its own, in a copy of the caller's context."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()  # from here on only the thread settles it

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    context = contextvars.copy_context()
    thread = threading.Thread(
        target=context.run, args=(run,), name="pygen-auth token request", daemon=True
    )
    try:
        thread.start()
    except RuntimeError:  # the interpreter is shutting down, or the system has no more threads
        run()
    return future


# -- one request


class _Exchange:
    """One request and its answer with a synchronous client, in a thread that may be left."""

    def __init__(self, request: Request, opener: Callable[[], Opened]) -> None:
        self._request = request
        self._open_client = opener
        self._deadline = time.monotonic() + request.timeout
        self._closing = contextlib.ExitStack()

    def run(self) -> Response:
        """Send and read, under httpx's own time-outs and this request's deadline."""
        with _mapped(self._request), self._closing:
            client, ours = self._open_client()
            if hasattr(client, "aclose"):
                raise ConfigurationError(
                    "client is an asynchronous one, and these credentials are synchronous"
                )
            if ours:
                self._closing.callback(client.close)
            self._check_time()
            with kept_free_of_cookies(client) as answered:
                response = client.send(_built(client, self._request), **_AS_IT_IS)
                self._closing.callback(response.close)
                answered(response)
                if response.is_stream_consumed:  # a mock's answer comes read and decoded
                    return _answer(response, response.content, decoded=True)
                return _answer(response, self._read(response))

    def leave(self) -> None:
        """The time is up: close what is open, so that the thread ends at its next read."""
        self._deadline = 0.0
        with contextlib.suppress(Exception):
            self._closing.close()

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
            raise _too_late(self._request)


async def _exchange_in_loop(request: Request, opened: Opened) -> Response:
    """The same with an asynchronous client of the caller's, in the loop it belongs to."""
    client, ours = opened
    async with contextlib.AsyncExitStack() as closing:
        closing.enter_context(_mapped(request))
        if ours:
            closing.push_async_callback(client.aclose)
        answered = closing.enter_context(kept_free_of_cookies(client))
        response = await client.send(_built(client, request), **_AS_IT_IS)
        closing.push_async_callback(response.aclose)
        answered(response)
        if response.is_stream_consumed:
            return _answer(response, response.content, decoded=True)
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > LONGEST_BODY:
                break
        return _answer(response, bytes(body))


_AS_IT_IS: Mapping[str, Any] = {"stream": True, "auth": None, "follow_redirects": False}
"""How a token request is sent, whatever the client is set to: a redirect would carry the secret
to another host, and the client's own `auth` could be these very credentials."""


def _built(client: Client, request: Request) -> Any:
    return client.build_request(
        "POST",
        request.url,
        content=request.body,
        headers=dict(request.headers),
        timeout=request.timeout,
    )


# -- the body


def _answer(response: Any, body: bytes, *, decoded: bool = False) -> Response:
    headers = {name.lower(): value for name, value in response.headers.items()}
    defect = None
    if len(body) <= LONGEST_BODY and not decoded:
        body, defect = _decoded(body, headers.get("content-encoding", "").strip().lower())
    if len(body) > LONGEST_BODY:
        body, defect = body[:LONGEST_BODY], "the body is longer than 1 MiB"
    return Response(status=response.status_code, headers=headers, body=body, defect=defect)


def _decoded(body: bytes, encoding: str) -> tuple[bytes, str | None]:
    """The body without its content coding, one byte past the limit at most, and what is wrong."""
    if encoding in ("", "identity"):
        return body, None
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return b"", f"the body is in an encoding that was not asked for ({shown(encoding)})"
    windows = (-zlib.MAX_WBITS,) if encoding == "deflate" and not _has_zlib_header(body) else (47,)
    try:
        return zlib.decompressobj(windows[0]).decompress(body, LONGEST_BODY + 1), None
    except zlib.error:
        return b"", f"the body is no valid {encoding}"


def _has_zlib_header(body: bytes) -> bool:
    """RFC 1950 §2.2; many servers send `deflate` without it."""
    return len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0


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
        if isinstance(getattr(type(error), "request", None), property):
            error.request = None  # type: ignore[attr-defined]  # httpx keeps the form in it
        raise UnreachableError(
            f"Token request failed: no answer from {_host(request)}: {reason}", retryable=True
        ) from error


def _too_late(request: Request) -> UnreachableError:
    return UnreachableError(
        f"Token request failed: no answer from {_host(request)} within {request.timeout:.3g} s, "
        "this attempt's share of the timeout",
        retryable=True,
    )


def _host(request: Request) -> str:
    return shown(urlsplit(request.url).netloc)
