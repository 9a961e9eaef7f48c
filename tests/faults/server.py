"""A server of plain sockets that is well, until it is told to play its fault."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .exchange import Exchange, grants
from .fault import Fault

if TYPE_CHECKING:
    from .world import World

GRACE = 5.0  # seconds for the threads of a server to end


class FaultServer:
    """One listener on loopback: a token endpoint, or a proxy that leads to one."""

    def __init__(
        self, fault: Fault, tls: bool, world: World, mark: str, now: Callable[[], float]
    ) -> None:
        self.fault = fault
        self.requests: list[bytes] = []
        self.attempts = 0
        """Since it broke; those that it can see."""
        self._tls = tls
        self._world = world
        self._mark = mark
        self._now = now
        self._broken = False
        self._listening = threading.Event()
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = _bound()
        self._listening.set()
        self._port = self._listener.getsockname()[1]
        self._start(self._accept)

    # -- what a client needs

    @property
    def host(self) -> str:
        if self.fault.proxied:
            return f"port-{self._port}.proxied.invalid"
        return f"port-{self._port}.direct.invalid" if self.fault.lookup else "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://{self.host}:{self._port}/token"

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def token(self, *, broken: bool) -> str:
        return f"tok-{self._mark}-{'odd' if broken else 'good'}"

    # -- well or not

    def breaks(self) -> None:
        self.attempts = 0
        self._broken = True
        if self.fault.lookup:
            self._world.lookups[self.host] = self._look_up
        if not self.fault.listens:
            self._listening.clear()
            self._listener.shutdown(socket.SHUT_RDWR)

    def heals(self) -> None:
        self._broken = False
        self._world.lookups.pop(self.host, None)
        if not self._listening.is_set():
            self._listener.listen()
            self._listening.set()

    def _look_up(self) -> None:
        """In the client's thread, in place of an answer that its name leads to loopback."""
        self.attempts += 1
        if self.fault.lookup == "stalled":
            self._stopping.wait(60)

    # -- connections

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                self._listening.wait(GRACE)
                continue
            broken = self._broken
            self.attempts += 1
            self._open.add(connection)
            self._start(lambda: self._run(connection, broken))  # noqa: B023  # runs at once

    def _run(self, connection: socket.socket, broken: bool) -> None:
        with contextlib.suppress(OSError), connection:
            self._serve(connection, broken)

    def _serve(self, connection: socket.socket, broken: bool) -> None:
        if broken and self.fault.greeting:
            return self.fault.greeting(self._exchange(connection, b"", broken))
        if self.fault.proxied and self._tls:
            asked = _read(connection)
            if broken:
                return self.fault.answer(self._exchange(connection, asked, broken))
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        if not self._tls:
            return self._answer(connection, broken)
        context = self._world.contexts[self.fault.certificate if broken else "good"]
        with context.wrap_socket(connection, server_side=True) as encrypted:
            return self._answer(encrypted, broken)

    def _answer(self, connection: socket.socket, broken: bool) -> None:
        request = _read(connection)
        self.requests.append(request)
        (self.fault.answer if broken else grants)(self._exchange(connection, request, broken))

    def _exchange(self, connection: socket.socket, request: bytes, broken: bool) -> Exchange:
        return Exchange(
            connection,
            request,
            self.token(broken=broken),
            self._world.elsewhere.url(self._tls),
            self._now,
            self._stopping,
        )

    # -- its end

    def __enter__(self) -> FaultServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._world.lookups.pop(self.host, None)
        for open_one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(open_one, socket.SHUT_RDWR)
        self._listener.close()
        self._listening.set()
        deadline = time.monotonic() + GRACE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))


def _bound() -> socket.socket:
    """A listener bound by the number of its port, which stays its own while nobody listens."""
    for _ in range(50):
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = free.getsockname()
        with contextlib.suppress(OSError):  # somebody was faster
            return socket.create_server(address)
    raise OSError("no free port")


def _read(connection: socket.socket) -> bytes:
    """One request: its head, and as much of a body as the head tells of."""
    data = b""
    while True:
        head, end, body = data.partition(b"\r\n\r\n")
        told = re.search(rb"\ncontent-length: *(\d+)", head, re.IGNORECASE)
        if end and len(body) >= (int(told[1]) if told else 0):
            return data
        piece = connection.recv(65_536)
        if not piece:
            raise ConnectionAbortedError("the client left within its request")
        data += piece
