"""An authorization server in a process of its own, so that it takes no time from the measured one.

In the same interpreter its threads would hold the interpreter lock against the callers.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from pygen_auth.testing import Answer, AuthorizationServer

_PATIENCE = 30.0  # seconds for the process to start, to answer and to end


@dataclass(frozen=True)
class SeparateServer:
    """The `AuthorizationServer` of the other process."""

    token_url: str
    resource_url: str
    _connection: Connection

    def token_request_count(self) -> int:
        """How many token requests there were so far."""
        return int(self.ask("token_request_count"))

    def ask(self, name: str, *arguments: object) -> Any:
        """What an attribute of the server is; of a method, what it gives for these arguments."""
        self._connection.send((name, arguments))
        return received(self._connection)


@contextlib.contextmanager
def separate_server(*answers: Answer) -> Iterator[SeparateServer]:
    """A server that gives these answers, one for each token request, until the block is left."""
    with in_own_process(functools.partial(_serve, answers)) as connection:
        token_url, resource_url = received(connection)
        yield SeparateServer(token_url, resource_url, connection)


@contextlib.contextmanager
def in_own_process(serve: Callable[[Connection], None]) -> Iterator[Connection]:
    """The connection to a function that runs in another process, until the block is left.

    At its end the connection is closed, at which the function must return.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join(_PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()


def received(connection: Connection) -> Any:
    """What the other process sends next; it has half a minute."""
    if not connection.poll(_PATIENCE):
        raise TimeoutError("the authorization server's process does not answer")
    return connection.recv()


def _serve(answers: tuple[Answer, ...], connection: Connection) -> None:
    with AuthorizationServer() as server, contextlib.suppress(EOFError):
        server.script(*answers)
        connection.send((server.token_url, server.resource_url))
        while True:
            name, arguments = connection.recv()
            found = getattr(server, name)
            connection.send(found(*arguments) if callable(found) else found)
