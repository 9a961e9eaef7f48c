"""The senders over real sockets: where time and size end, and what travels.

`tests/test_credentials.py` has the life of the token without a network.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
import tracemalloc
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from pygen_auth import (
    ConfigurationError,
    InvalidResponseError,
    RefusedError,
    UnreachableError,
    _clients,
)
from pygen_auth._body import LONGEST_BODY
from pygen_auth._clients import Connection, _ssl_context
from pygen_auth._errors import OAuth2Error
from pygen_auth._http import AsyncSender, Sender
from pygen_auth._wire import Request, Response, identified
from pygen_auth.client_auth import TLSClientCertificate
from pygen_auth.testing import Answer, AuthorizationServer

from .support import Twin

PATIENCE = 1.0
"""Seconds by which an answer may be late, as DESIGN says "to within a second"."""


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with AuthorizationServer() as running:
        running.add_client("id", "sesame-street")
        yield running


def request_to(url: str, timeout: float = 10.0) -> Request:
    headers = {"Accept-Encoding": "identity", "Content-Type": "application/x-www-form-urlencoded"}
    return Request(url=url, headers=headers, body=b"a=b", timeout=timeout)


def by_thread(client: Any, request: Request) -> Response:
    return Sender(Connection(client))(request)


def in_loop(client: Any, request: Request) -> Response:
    return asyncio.run(AsyncSender(Connection(client))(request))


def loop_with_client_object(client: Any, request: Request) -> Response:
    async def main() -> Response:
        async with client() as opened:
            return await AsyncSender(Connection(opened))(request)

    return asyncio.run(main())


def thread_with_client_object(client: Any, request: Request) -> Response:
    with client() as opened:
        return Sender(Connection(opened))(request)


CARRIERS = {
    "ours": (by_thread, None),
    "ours, for a loop": (in_loop, None),
    "made by a callable": (by_thread, httpx.Client),
    "synchronous client for a loop": (in_loop, httpx.Client),
    "asynchronous, made by a callable": (in_loop, httpx.AsyncClient),
    "the caller's object": (thread_with_client_object, httpx.Client),
    "the caller's asynchronous object": (loop_with_client_object, httpx.AsyncClient),
}


@pytest.fixture(params=CARRIERS)
def send(request: pytest.FixtureRequest) -> Callable[[Request], Response]:
    carry, client = CARRIERS[request.param]
    return lambda wanted: carry(client, wanted)


@contextlib.contextmanager
def raw_server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Hands each connection to `serve`, in a thread; gives the URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=run, args=(connection,), daemon=True).start()

    def run(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            serve(connection)

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/token"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


# -- what is answered


def test_answer_arrives_as_it_is(
    server: AuthorizationServer, send: Callable[[Request], Response]
) -> None:
    server.script(Answer(418, {"X-Teapot": "yes"}, b"short and stout"))
    response = send(request_to(server.token_url))
    assert (response.status, response.body, response.defect) == (418, b"short and stout", None)
    assert response.headers["x-teapot"] == "yes"
    assert server.token_requests[0].body == b"a=b"


def test_no_connection_outlives_its_answer(twin: Twin) -> None:
    """Not even where the client was closed while it connected, as on cancellation."""
    heads: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        heads.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        heads.append(connection.recv(65_536))  # stays open until the other side closes it

    with raw_server(serve) as url, pytest.raises(InvalidResponseError):
        twin.token(twin.make(url, "id", "secret"))
    assert b"\r\nConnection: close\r\n" in heads[0]


def deflated(data: bytes, window: int) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, window)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "window"),
    [("gzip", 31), ("x-gzip", 31), ("GZIP", 31), ("deflate", 15), ("deflate", -15)],
)
def test_compression_that_was_not_asked_for_is_undone(
    server: AuthorizationServer, encoding: str, window: int
) -> None:
    server.script(Answer(200, {"Content-Encoding": encoding}, deflated(b"hello" * 9, window)))
    response = by_thread(None, request_to(server.token_url))
    assert (response.body, response.defect) == (b"hello" * 9, None)


@pytest.mark.parametrize(
    ("encoding", "defect"),
    [
        ("br", "an encoding that was not asked for (br)"),
        ("gzip, gzip", "an encoding that was not asked for (gzip, gzip)"),
        ("gzip", "the body is no valid gzip"),
        ("deflate", "the body is no valid deflate"),
    ],
)
def test_body_that_cannot_be_decoded_is_a_defect(
    server: AuthorizationServer, encoding: str, defect: str
) -> None:
    server.script(Answer(200, {"Content-Encoding": encoding}, b"\xff\xff\xff\xff"))
    response = by_thread(None, request_to(server.token_url))
    assert response.defect is not None
    assert defect in response.defect


ENDLESS = 10 * LONGEST_BODY


def zeros() -> Iterator[bytes]:
    for _ in range(ENDLESS // 65_536):
        yield b"0" * 65_536


BOMB = deflated(b"0" * (256 * LONGEST_BODY), 31)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda: Answer(200, {}, zeros()), id="endless"),
        pytest.param(lambda: Answer(200, {"Content-Encoding": "gzip"}, BOMB), id="gzip bomb"),
        pytest.param(lambda: Answer(200, {"Content-Encoding": "gzip"}, zeros()), id="endless gzip"),
        pytest.param(
            lambda: Answer(200, {"Content-Encoding": "deflate"}, deflated(b"0" * 2**28, 15)),
            id="deflate bomb",
        ),
    ],
)
def test_long_body_is_cut_in_eight_megabytes_of_memory(
    server: AuthorizationServer,
    send: Callable[[Request], Response],
    answer: Callable[[], Answer],
) -> None:
    send(request_to(server.token_url))  # what is imported and built once does not count
    server.script(answer())
    tracemalloc.start()
    try:
        response = send(request_to(server.token_url))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert response.defect == "the body is longer than 1 MiB"
    assert len(response.body) <= LONGEST_BODY
    assert peak < 8_000_000


def test_body_of_a_mebibyte_is_read(server: AuthorizationServer) -> None:
    server.script(Answer(200, {}, b"x" * LONGEST_BODY))
    response = by_thread(None, request_to(server.token_url))
    assert (len(response.body), response.defect) == (LONGEST_BODY, None)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_answer_of_a_mock_is_taken_as_it_is(asynchronous: bool) -> None:
    compressed = {"content-encoding": "gzip"}
    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, headers=compressed, content=deflated(b"hello", 31))
    )

    def client() -> Any:
        kind: Any = httpx.AsyncClient if asynchronous else httpx.Client
        return kind(transport=transport)

    carry = in_loop if asynchronous else by_thread
    response = carry(client, request_to("https://idp.example.com/token"))
    assert (response.body, response.defect) == (b"hello", None)


# -- no answer


@pytest.mark.parametrize("point", ["before", "in_headers", "in_body"])
def test_reset_connection_is_no_answer(
    server: AuthorizationServer, send: Callable[[Request], Response], point: Any
) -> None:
    server.script(Answer(200, {}, b"x" * 100, reset=point))
    with pytest.raises(UnreachableError, match=r"no answer from 127\.0\.0\.1:\d+") as caught:
        send(request_to(server.token_url))
    assert caught.value.retryable
    assert caught.value.__cause__ is not None


def test_refused_connection_is_no_answer(send: Callable[[Request], Response]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(UnreachableError, match="no answer from"):
        send(request_to(f"http://127.0.0.1:{port}/token"))


def test_unknown_name_is_no_answer(send: Callable[[Request], Response]) -> None:
    with pytest.raises(UnreachableError, match=r"no answer from no-such-host\.invalid"):
        send(request_to("https://no-such-host.invalid/token"))


def endless_headers(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")


@pytest.mark.parametrize("host", ["xn--a.example", "ｅｘ．example", f"{'a' * 64}.example"])
def test_host_name_that_nobody_can_look_up_is_a_wrong_setting(twin: Twin, host: str) -> None:
    credentials = twin.make(f"https://{host}/token", "id", "secret")
    with pytest.raises(ConfigurationError, match="Token request failed: it cannot be sent to"):
        twin.token(credentials)


def test_endless_headers_are_no_answer(send: Callable[[Request], Response]) -> None:
    with raw_server(endless_headers) as url, pytest.raises(UnreachableError):
        send(request_to(url))


SLOW = {
    "accepted and never answered": Answer(200, {}, b"{}", delay=60),
    "headers that drip": Answer(200, {}, b"{}", drip="headers", drip_seconds=0.2),
    "body that drips": Answer(200, {}, b"x" * 1000, drip="body", drip_seconds=0.2),
}


@pytest.mark.parametrize("slow", SLOW)
def test_deadline_holds(
    server: AuthorizationServer, send: Callable[[Request], Response], slow: str
) -> None:
    server.script(SLOW[slow])
    start = time.monotonic()
    with pytest.raises(UnreachableError, match=r"no answer from 127"):
        send(request_to(server.token_url, timeout=0.4))
    assert time.monotonic() - start < 0.4 + PATIENCE


def workers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "pygen-auth token request"]


@pytest.mark.parametrize("slow", SLOW)
def test_thread_that_was_left_ends(server: AuthorizationServer, slow: str) -> None:
    server.script(SLOW[slow])
    with pytest.raises(UnreachableError):
        by_thread(None, request_to(server.token_url, timeout=0.2))
    for worker in workers():
        worker.join(5)
        assert not worker.is_alive()
        assert worker.daemon


def test_thread_that_was_left_takes_no_bytes_of_other_connections(
    tls_server: AuthorizationServer,
) -> None:
    slow = Answer(200, {"X-Long": "x" * 5000}, b"{}", drip="headers", drip_seconds=0.002)
    tls_server.script(slow)
    request = request_to(tls_server.token_url, timeout=0.2)
    with pytest.raises(UnreachableError):
        Sender(Connection(verify=tls_server.ca_file or True))(request)
    pairs = [socket.socketpair() for _ in range(30)]  # they get numbers that were given back
    ends = [end for pair in pairs for end in pair]
    for end in ends:
        end.sendall(b"x" * 100)
    for worker in workers():
        worker.join(5)
        assert not worker.is_alive()
    for end in ends:
        end.setblocking(False)
        with end:
            assert end.recv(1000) == b"x" * 100


def test_nothing_is_sent_over_a_connection_that_comes_too_late(
    server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up, release = socket.getaddrinfo, threading.Event()
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *a, **k: release.wait(20) and look_up(*a, **k)
    )
    with pytest.raises(UnreachableError, match="share of the timeout"):
        by_thread(None, request_to(server.token_url, timeout=0.2))
    release.set()
    for worker in workers():
        worker.join(5)
        assert not worker.is_alive()
    assert server.token_request_count == 0


STALLED_RESOLVER = """
import asyncio, socket, sys, time
import pygen_auth
socket.getaddrinfo = lambda *args, **settings: time.sleep(60)
start = time.monotonic()
settings = ("https://idp.example.com/token", "id", "secret")
try:
    if sys.argv[1] == "sync":
        pygen_auth.OAuth2ClientCredentials(*settings, timeout=1).get_headers()
    else:
        asyncio.run(pygen_auth.AsyncOAuth2ClientCredentials(*settings, timeout=1).get_headers())
except pygen_auth.UnreachableError:
    print(time.monotonic() - start)
"""


def test_stalled_name_server_holds_neither_the_call_nor_the_process(twin: Twin) -> None:
    start = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-c", STALLED_RESOLVER, twin.name],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    whole = time.monotonic() - start
    assert run.stderr == ""
    call = float(run.stdout)
    assert call < 1 + PATIENCE
    assert whole - call < 10, "the process is not held; starting Python takes its time too"


def test_timeout_holds_for_the_whole_call(server: AuthorizationServer, twin: Twin) -> None:
    server.override = Answer(200, {}, b"{}", delay=60)
    credentials = twin.make(server.token_url, "id", "sesame-street", timeout=1.0)
    start = time.monotonic()
    with pytest.raises(UnreachableError):
        twin.token(credentials)
    assert time.monotonic() - start < 1.0 + PATIENCE


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_works_while_it_waits(server: AuthorizationServer) -> None:
    server.script(Answer(200, {}, b"{}", delay=60))
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    start = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        by_thread(None, request_to(server.token_url, timeout=30))
    timer.join()
    assert time.monotonic() - start < 5


def test_cancelled_task_leaves_its_request(server: AuthorizationServer) -> None:
    server.script(Answer(200, {}, b"{}", delay=60))

    async def main() -> None:
        task = asyncio.create_task(AsyncSender(Connection())(request_to(server.token_url)))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    start = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - start < 5


def test_answers_that_come_too_late_leave_no_trace(
    server: AuthorizationServer, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        server.script(Answer(200, {}, b"{}", reset="before"))
        with pytest.raises(UnreachableError):
            in_loop(None, request_to(server.token_url))
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def test_without_threads_the_request_runs_in_the_callers_own(
    server: AuthorizationServer, twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more_threads(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    start = threading.Thread.start
    monkeypatch.setattr(
        threading.Thread,
        "start",
        lambda t: no_more_threads(t) if t.name.startswith("pygen-auth") else start(t),
    )
    credentials = twin.make(server.token_url, "id", "sesame-street")
    assert twin.call(credentials, "get_headers")["Authorization"].startswith("Bearer ")


def test_no_thread_is_started_when_the_interpreter_is_at_its_end(
    server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = threading.Thread.start, []

    def heard(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", heard)
    monkeypatch.setattr(sys, "is_finalizing", lambda: True)
    assert by_thread(None, request_to(server.token_url)).status == 400  # it has no form
    assert not [name for name in started if name.startswith("pygen-auth")]


def test_subinterpreter_that_allows_no_daemon_threads_gets_its_answer(
    server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = threading.Thread

    def refused(*args: Any, **settings: Any) -> threading.Thread:
        if str(settings.get("name")).startswith("pygen-auth"):
            raise RuntimeError("daemon threads are disabled in this (sub)interpreter")
        return made(*args, **settings)

    monkeypatch.setattr(threading, "Thread", refused)
    assert by_thread(None, request_to(server.token_url)).status == 400  # it has no form


def test_time_is_up_between_two_chunks_even_without_a_thread(
    server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", _refuse_ours(threading.Thread.start))
    server.script(Answer(200, {}, b"x" * 1000, drip="body", drip_seconds=0.05))
    with pytest.raises(UnreachableError, match=r"within 0\.3 s"):
        by_thread(None, request_to(server.token_url, timeout=0.3))


def _refuse_ours(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    def refused(thread: threading.Thread) -> None:
        if thread.name == "pygen-auth token request":
            raise RuntimeError("can't start new thread")
        start(thread)

    return refused


# -- what travels


def recorded(url_of: Callable[[str], Any]) -> bytes:
    """The bytes of one request, as they arrive."""
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        data = b""
        while b"client_secret=" not in data and b"grant_type" not in data:
            data += connection.recv(65_536)
        seen.append(data)
        connection.sendall(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")

    with raw_server(serve) as url, pytest.raises(RefusedError):
        url_of(url)
    port = url.split(":")[2].split("/")[0].encode()
    return seen[0].replace(port, b"PORT")


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
def test_both_twins_send_the_same_bytes(method: str) -> None:
    settings: dict[str, Any] = {"scopes": ["a", "b"], "audience": "c", "client_auth": method}
    first, second = (
        recorded(lambda url, twin=twin: twin.token(twin.make(url, "id", "p@ss é", **settings)))  # type: ignore[misc]
        for twin in (Twin("sync"), Twin("async"))
    )
    own = re.compile(rb"(?<=client-request-id: )[0-9a-f-]{36}")
    assert own.sub(b"", first) == own.sub(b"", second) != first
    assert b"audience=c" in first


def test_redirect_is_not_followed_and_the_secret_stays(
    server: AuthorizationServer, twin: Twin
) -> None:
    with AuthorizationServer() as other:
        for client in (None, lambda: httpx.Client(follow_redirects=True, verify=False)):
            server.script(Answer(307, {"Location": other.token_url + "?echo=sesame-street"}))
            credentials = twin.make(server.token_url, "id", "sesame-street", client=client)
            with pytest.raises(RefusedError, match="status 307: it points to http://127") as caught:
                twin.token(credentials)
            assert "sesame" not in str(caught.value)
        assert other.token_request_count == 0


def test_auth_of_the_callers_client_is_not_used(server: AuthorizationServer) -> None:
    with httpx.Client(auth=("wrong", "user")) as client:
        Sender(Connection(client))(request_to(server.token_url))
    assert "authorization" not in server.token_requests[0].headers


@pytest.mark.parametrize("asynchronous", [False, True])
def test_cookies_of_the_answer_are_not_kept(
    server: AuthorizationServer, asynchronous: bool
) -> None:
    new_old_and_gone = {"Set-Cookie": "mine=theirs; Path=/"}

    async def main() -> Any:
        kind: Any = httpx.AsyncClient if asynchronous else httpx.Client
        client = kind(cookies={"other": "kept"})
        client.cookies.set("mine", "before", domain="127.0.0.1", path="/")
        if asynchronous:
            await AsyncSender(Connection(client))(request_to(server.token_url))
            await client.aclose()
        else:
            Sender(Connection(client))(request_to(server.token_url))
            client.close()
        return client

    server.script(Answer(200, new_old_and_gone, b"{}"))
    cookies = asyncio.run(main()).cookies
    assert {(c.name, c.value) for c in cookies.jar} == {("other", "kept"), ("mine", "before")}


def test_new_and_expired_cookies_of_the_answer_are_not_kept(server: AuthorizationServer) -> None:
    for cookie in ("sid=1", "sid=1; Max-Age=0"):
        server.script(Answer(200, {"Set-Cookie": cookie}, b"{}"))
        with httpx.Client() as client:
            Sender(Connection(client))(request_to(server.token_url))
            assert list(client.cookies.jar) == []


@pytest.mark.parametrize("read", [False, True], ids=["body not read", "body read"])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_refusal_that_a_hook_of_the_client_raises_for_is_an_answer(
    server: AuthorizationServer, asynchronous: bool, read: bool
) -> None:
    def hook(response: httpx.Response) -> None:
        if read:
            response.read()
        response.raise_for_status()

    async def hook_in_loop(response: httpx.Response) -> None:
        if read:
            await response.aread()
        response.raise_for_status()

    def client() -> Any:
        if asynchronous:
            return httpx.AsyncClient(event_hooks={"response": [hook_in_loop]})
        return httpx.Client(event_hooks={"response": [hook]})

    carry = loop_with_client_object if asynchronous else thread_with_client_object
    server.script(Answer(401, body={"error": "invalid_client"}))
    answer = carry(client, request_to(server.token_url))
    assert answer.status == 401
    assert answer.body == (b'{"error": "invalid_client"}' if read else b"")


def test_callers_client_object_stays_open(server: AuthorizationServer) -> None:
    client = httpx.Client()
    Sender(Connection(client))(request_to(server.token_url))
    assert not client.is_closed
    client.close()


def test_closed_client_object_is_an_error_of_ours(server: AuthorizationServer) -> None:
    client = httpx.Client()
    client.close()
    with pytest.raises(UnreachableError, match="the client has been closed") as caught:
        Sender(Connection(client))(request_to(server.token_url))
    assert isinstance(caught.value.__cause__, RuntimeError)


@pytest.mark.parametrize("kind", [httpx.Client, httpx.AsyncClient])
def test_client_of_a_callable_is_closed(server: AuthorizationServer, kind: Any) -> None:
    made: list[Any] = []

    def make() -> Any:
        made.append(kind())
        return made[-1]

    for carry in (by_thread, in_loop):
        carry(make, request_to(server.token_url))
    assert [client.is_closed for client in made] == [True, True]


def test_callers_context_reaches_the_thread(server: AuthorizationServer) -> None:
    tenant = contextvars.ContextVar("tenant", default="nobody")
    seen: list[str] = []

    def make() -> httpx.Client:
        seen.append(tenant.get())
        return httpx.Client()

    tenant.set("acme")
    by_thread(make, request_to(server.token_url))
    assert seen == ["acme"]


@pytest.mark.parametrize("carry", [by_thread, in_loop])
def test_callable_that_gives_no_client_is_a_wrong_setting(carry: Any) -> None:
    def fails() -> httpx.Client:
        raise OSError("no certificate")

    with pytest.raises(ConfigurationError, match=r"client could not be made: .* OSError") as caught:
        carry(fails, request_to("https://idp.example.com/token"))
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(ConfigurationError, match="no httpx or httpx2 client"):
        carry(lambda: 5, request_to("https://idp.example.com/token"))


def test_thread_that_runs_although_its_start_failed_sends_once(
    server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        if thread.name == "pygen-auth token request":
            raise RuntimeError("cannot release un-acquired lock")

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    by_thread(None, request_to(server.token_url))
    assert server.token_request_count == 1


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n%b\r\n\r\n", b"%b 2"])
def test_secret_in_a_broken_head_is_in_no_link_of_the_chain(head: bytes) -> None:
    secret = "sesame" + "-street"  # in two, since a traceback shows this file, too

    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(head % secret.encode() + b"\r\n\r\n")

    with raw_server(serve) as url, pytest.raises(UnreachableError) as caught:
        by_thread(None, replace(request_to(url), secrets=(secret,)))
    assert secret not in "".join(traceback.format_exception(caught.value))


def test_stalled_name_server_does_not_hold_the_loop_with_an_asynchronous_client_of_a_callable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(20) and [])
    start = time.monotonic()
    with pytest.raises(UnreachableError):
        in_loop(httpx.AsyncClient, request_to("https://idp.example.com/token", timeout=0.5))
    assert time.monotonic() - start < 0.5 + PATIENCE
    release.set()


# -- proxies and certificates


def test_loopback_goes_through_no_proxy(
    server: AuthorizationServer, twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert twin.token(twin.make(server.token_url, "id", "sesame-street"))


def test_other_hosts_go_through_the_proxy_of_the_environment(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        seen.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")

    settings = {"insecure_hosts": ["KEYCLOAK.example"], "client_secret": "sesame-street"}
    with raw_server(proxy) as url:
        monkeypatch.setenv("HTTP_PROXY", url.removesuffix("/token"))
        with pytest.raises(RefusedError, match="status 400"):
            twin.token(twin.make("http://keycloak.example/oauth2/token", "id", **settings))
    assert seen[0].startswith(b"POST http://keycloak.example/oauth2/token HTTP/1.1\r\n")


def test_broken_proxy_variable_is_a_wrong_setting_and_its_password_is_not_shown(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:pa55/word@proxy.example")
    with pytest.raises(ConfigurationError, match="proxy variables") as caught:
        twin.token(twin.make())
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "pa55" not in str(caught.value)


def test_refusal_by_a_proxy_is_not_taken_for_the_servers(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def proxy(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with raw_server(proxy) as url:
        monkeypatch.setenv("HTTPS_PROXY", url.removesuffix("/token"))
        with pytest.raises(UnreachableError, match=r"no answer from .*: the proxy: 403 Forbidden"):
            twin.token(twin.make(timeout=2.0))


def test_proxy_that_httpx_has_no_package_for(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://user:pa55word@proxy.example")
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(ConfigurationError, match=r"\(ImportError\).*'httpx\[socks\]'") as caught:
        twin.token(twin.make())
    assert "pa55word" not in str(caught.value)


@pytest.fixture(scope="module")
def tls_server() -> Iterator[AuthorizationServer]:
    with AuthorizationServer(tls=True) as running:
        running.add_client("id", "sesame-street")
        yield running


def test_ca_file_is_trusted(tls_server: AuthorizationServer, twin: Twin) -> None:
    assert twin.token(
        twin.make(tls_server.token_url, "id", "sesame-street", verify=tls_server.ca_file)
    )


def test_ssl_context_is_used(tls_server: AuthorizationServer, twin: Twin) -> None:
    context = ssl.create_default_context(cafile=tls_server.ca_file)
    assert twin.token(twin.make(tls_server.token_url, "id", "sesame-street", verify=context))


def test_ssl_cert_file_is_honoured(
    tls_server: AuthorizationServer, twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tls_server.ca_file is not None
    monkeypatch.setenv("SSL_CERT_FILE", tls_server.ca_file)
    assert twin.token(twin.make(tls_server.token_url, "id", "sesame-street"))


def test_unknown_authority_is_no_answer(tls_server: AuthorizationServer, twin: Twin) -> None:
    with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        twin.token(twin.make(tls_server.token_url, "id", "sesame-street", timeout=3))


@pytest.mark.parametrize("broken", [b"", b"no certificate"])
def test_broken_ca_file_is_a_wrong_setting(
    tls_server: AuthorizationServer, twin: Twin, tmp_path: Any, broken: bytes
) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(broken)
    with pytest.raises(ConfigurationError, match=r"CA certificates could not be read .*ca\.pem"):
        twin.token(twin.make(tls_server.token_url, "id", "sesame-street", verify=file))


def test_missing_file_of_the_environment_is_named(
    tls_server: AuthorizationServer, twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
    with pytest.raises(OAuth2Error) as caught:
        twin.token(twin.make(tls_server.token_url, "id", "sesame-street", timeout=3))
    if isinstance(caught.value, ConfigurationError):  # old versions of httpx ignore the variable
        assert "SSL_CERT_FILE" in str(caught.value)


@pytest.fixture
def contexts(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str | None, ...], ssl.SSLContext]:
    """Those of the process, which has none yet."""
    fresh: dict[tuple[str | None, ...], ssl.SSLContext] = {}
    monkeypatch.setattr(_clients, "_contexts", fresh)
    return fresh


@pytest.mark.usefixtures("contexts")
def test_ca_files_are_read_once_and_while_httpx_is_imported(
    tls_server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[str] = []
    reading = threading.Event()

    def read(verify: Any) -> ssl.SSLContext:
        readers.append(threading.current_thread().name)
        reading.set()
        return ssl.create_default_context(cafile=verify)

    monkeypatch.setattr(_clients, "_new_context", read)
    monkeypatch.delitem(sys.modules, "httpx")
    connection = Connection(verify=tls_server.ca_file or "")
    _clients._read_ahead(connection)
    assert reading.wait(10)
    assert isinstance(_ssl_context(connection), ssl.SSLContext)
    assert readers == ["pygen-auth CA files"]


def test_reader_of_ca_files_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object) -> None:
        assert "certifi" in sys.modules

    monkeypatch.setattr(_clients, "start", start)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    for module in ("httpx", "certifi", "certifi.core"):
        monkeypatch.delitem(sys.modules, module)
    _clients._read_ahead(Connection())


def test_nothing_is_read_ahead_once_httpx_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_clients, "start", lambda *_: pytest.fail("a thread was started"))
    _clients._read_ahead(Connection())


READS_AT_THE_END = """
import time
from pygen_auth import _clients

def read(verify):
    time.sleep(0.05)
    print("read", flush=True)

_clients._new_context = read
_clients._read_ahead(_clients.DEFAULT_CONNECTION)
time.sleep(0.02)
"""


def test_process_ends_after_its_ca_files_are_read() -> None:
    """OpenSSL crashes where it still reads while the process ends."""
    run = subprocess.run(
        [sys.executable, "-c", READS_AT_THE_END],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert (run.stdout, run.stderr) == ("read\n", "")


def test_nothing_is_read_ahead_where_another_context_is_used(
    tls_server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = TLSClientCertificate(tls_server.issue_certificate("id"))
    monkeypatch.setattr(_clients, "start", lambda *_: pytest.fail("a thread was started"))
    monkeypatch.delitem(sys.modules, "httpx")
    _clients._read_ahead(Connection(verify=ssl.create_default_context()))
    _clients._read_ahead(Connection(certificate=certificate))


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", None])
def test_authorities_are_those_of_the_environment_else_certifis(
    tls_server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    assert tls_server.ca_file is not None
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    if variable is not None:
        file = Path(tls_server.ca_file)
        monkeypatch.setenv(variable, str(file if variable == "SSL_CERT_FILE" else file.parent))
    found = len(_clients._new_context(verify=True).get_ca_certs())
    # A directory is looked into when it is needed, and certifi lists more than a hundred.
    assert {"SSL_CERT_FILE": found == 1, "SSL_CERT_DIR": found == 0, None: found > 100}[variable]


def test_ids_of_requests_are_random_uuids() -> None:
    ids = [uuid.UUID(identified(request_to("https://127.0.0.1")).id) for _ in range(100)]
    assert len(set(ids)) == 100
    assert {(one.version, one.variant) for one in ids} == {(4, uuid.RFC_4122)}


def test_one_ssl_context_serves_the_process() -> None:
    assert _ssl_context(Connection()) is _ssl_context(Connection())


def test_new_client_of_ours_is_closed_by_us() -> None:
    client, ours = Connection().open("https://127.0.0.1/token")
    assert ours
    client.close()
