"""HTTP on loopback: scripted answers, sent byte for byte."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from socketserver import TCPServer
from typing import Any, Literal

from ._tls import Certificate, client_certificate

_FRAMING = {"content-length", "transfer-encoding"}
_MAX_BODY = 1 << 20  # bytes of a request
_GRACE = 0.5  # seconds for connections to end when the server is closed


@dataclass(frozen=True)
class Answer:
    """One scripted answer, sent byte for byte.

    A mapping as the body is sent as JSON; an iterable of bytes is sent chunked, each item when it
    is due, and may be endless. Content-Length, Transfer-Encoding and, for a mapping, Content-Type
    are added unless `headers` has them. An answer with a framing header of its own is sent as it
    is, right or wrong, and the connection is closed behind it.

    Attributes:
        status: the HTTP status.
        headers: the header fields, by name.
        body: what follows them.
        delay: seconds before the first byte.
        reset: where to reset the TCP connection: before the answer, within its headers or within
            its body.
        drip: from where on single bytes are sent: from the headers or from the body.
        drip_seconds: seconds between two of these.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | str | Mapping[str, object] | Iterable[bytes] = b""
    delay: float = 0.0
    reset: Literal["before", "in_headers", "in_body"] | None = None
    drip: Literal["headers", "body"] | None = None
    drip_seconds: float = 1.0


def _encode(answer: Answer, *, close: bool) -> tuple[bytes, bytes | Iterable[bytes]]:
    """The head of the answer, and its body at once or in pieces, as they go over the wire."""
    names = {name.lower() for name in answer.headers}
    added, body = {}, answer.body
    if isinstance(body, Mapping):
        added["Content-Type"] = "application/json"
        body = json.dumps(dict(body))
    if isinstance(body, str):
        body = body.encode()
    if names.isdisjoint(_FRAMING):
        if isinstance(body, bytes):
            added["Content-Length"] = str(len(body))
        else:
            added["Transfer-Encoding"] = "chunked"
            body = _chunked(body)
    if close:
        added["Connection"] = "close"
    lines = [f"HTTP/1.1 {answer.status} {responses.get(answer.status, '')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += [f"{name}: {value}" for name, value in added.items() if name.lower() not in names]
    return "\r\n".join([*lines, "", ""]).encode("latin-1"), body


def _chunked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:  # an empty chunk would end the body
        yield b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
    yield b"0\r\n\r\n"


class _Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, has them answered, and writes the answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HTTPServer
    certificate: Certificate | None = None  # the client's

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()  # in this thread: a stalled client stalls nobody else
            self.certificate = client_certificate(self.request)
        super().setup()

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._refuse(411)
        elif len(length) > 7 or int(length) > _MAX_BODY:
            self._refuse(413)
        else:
            body = self.rfile.read(int(length))
            if len(body) < int(length):
                raise ConnectionAbortedError("the client left within its request")
            request = (self.command, self.path, self.headers, body, self.certificate)
            self._send(self.server.respond(*request))

    do_GET = do_POST  # noqa: N815  # the name is http.server's

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self._send(Answer(status))
        # Closing on unread bytes would reset the connection, and the client lose the answer.
        self.connection.shutdown(socket.SHUT_WR)
        while self.rfile.read(_MAX_BODY):
            pass

    def _send(self, answer: Answer) -> None:
        if any(name.lower() in _FRAMING | {"connection"} for name in answer.headers):
            self.close_connection = True
        head, body = _encode(answer, close=self.close_connection)
        self._pause(answer.delay)
        if answer.reset == "before":
            self._reset()
        elif isinstance(body, bytes) and answer.reset is None and answer.drip is None:
            self.connection.sendall(head + body)  # one packet, if it is short
        else:
            self._send_pieces(answer, head, [body] if isinstance(body, bytes) else body)

    def _send_pieces(self, answer: Answer, head: bytes, body: Iterable[bytes]) -> None:
        dripping = False
        for place, piece in chain([("headers", head)], (("body", piece) for piece in body)):
            if answer.reset == f"in_{place}":
                self.connection.sendall(piece[: len(piece) // 2])
                return self._reset()
            dripping = dripping or answer.drip == place
            size = 1 if dripping else max(len(piece), 1)
            for start in range(0, len(piece) or 1, size):
                self.connection.sendall(piece[start : start + size])
                self._pause(answer.drip_seconds if dripping else 0)
        return None

    def _pause(self, seconds: float) -> None:
        if self.server.stopping.wait(seconds):
            raise ConnectionAbortedError("the server is closing")

    def _reset(self) -> None:
        self.close_connection = True
        # To linger for 0 seconds is to send RST in place of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()  # it holds the socket open
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
        """Print nothing: requests are recorded."""


class HTTPServer(ThreadingHTTPServer):
    """An HTTP server that starts when it is made and can be stopped in the midst of answers."""

    request_queue_size = 1024  # connections: whole benchmarks connect at once

    def __init__(
        self,
        host: str,
        tls: ssl.SSLContext | None,
        respond: Callable[[str, str, Message, bytes, Certificate | None], Answer],
        port: int = 0,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.tls = tls
        self.respond = respond
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__((host, port), _Handler)
        self._serving = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._serving.start()

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's own looks the host up, which may take seconds

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.tls is not None:
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        work = (request, client_address)
        thread = threading.Thread(target=self.process_request_thread, args=work, daemon=True)
        with self._lock:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            super().shutdown_request(request)
            del self._open[request]

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # not merely a client that left
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Close all connections; return when their threads have ended or the grace is over."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            threads = [self._serving, *self._open.values()]
            for connection in self._open:
                # Not SSLSocket's shutdown, which takes the TLS state from under its thread.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
        deadline = time.monotonic() + _GRACE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
