"""One request as a server got it, and the ways to answer it byte by byte."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import responses

TOKEN = b"{token}"
"""In a body: stands for the token of this exchange."""
SENT = b"{sent}"
"""In a body: stands for the form that was sent, with the secret. Servers echo such things."""
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Exchange:
    """A connection, and what came over it; nothing, where it was not read."""

    connection: socket.socket
    request: bytes
    token: str
    elsewhere: str
    """The URL of another host, to which a redirect may point."""
    now: Callable[[], float]
    """The client's wall clock, in seconds since the epoch."""
    stopping: threading.Event

    @property
    def form(self) -> bytes:
        return self.request.partition(b"\r\n\r\n")[2]

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def pause(self, seconds: float = 60.0) -> None:
        if self.stopping.wait(seconds):
            raise ConnectionAbortedError("the server is closing")

    def drip(self, data: bytes) -> None:
        """One byte per second."""
        for byte in data:
            self.send(bytes([byte]))
            self.pause(1.0)

    def reset(self) -> None:
        # To linger for 0 seconds is to send RST in place of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def filled(self, text: bytes) -> bytes:
        return text.replace(TOKEN, self.token.encode()).replace(SENT, self.form)


Play = Callable[[Exchange], None]
"""What a server does with an exchange."""


def head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in {**headers, "Connection": "close"}.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def reply(
    status: int,
    body: bytes = b"",
    headers: Mapping[str, str] = JSON,
    encoded: Callable[[bytes], bytes] = bytes,
) -> Play:
    """A whole answer, its length told truly unless `headers` tell another one."""

    def play(exchange: Exchange) -> None:
        content = encoded(exchange.filled(body))
        told = {"Content-Length": str(len(content)), **headers}
        exchange.send(head(status, told) + content)

    return play


def granted(expires_in: str = "3600") -> bytes:
    """The body of an answer as RFC 6749 §5.1 wants it."""
    return b'{"access_token": "%b", "token_type": "Bearer", "expires_in": %b}' % (
        TOKEN,
        expires_in.encode(),
    )


grants = reply(200, granted())
