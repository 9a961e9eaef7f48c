"""An authorization server in a process of its own, so that it takes no time from the measured one.

In the same interpreter its threads would hold the interpreter lock against the callers.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

from pygen_auth.testing import Answer, AuthorizationServer

_PATIENCE = 30.0  # seconds for the process to start, to answer and to end


@dataclass(frozen=True)
class SeparateServer:
    """The token endpoint of the other process."""

    token_url: str
    _connection: Connection

    def token_request_count(self) -> int:
        """How many token requests there were so far."""
        self._connection.send("count")
        return int(_received(self._connection))


@contextlib.contextmanager
def separate_server(*answers: Answer) -> Iterator[SeparateServer]:
    """A server that gives these answers, one for each token request, until the block is left."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, answers), daemon=True)
    process.start()
    theirs.close()
    try:
        yield SeparateServer(_received(ours), ours)
    finally:
        ours.close()  # at which the process ends by itself
        process.join(_PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()


def _received(connection: Connection) -> str:
    if not connection.poll(_PATIENCE):
        raise TimeoutError("the authorization server's process does not answer")
    return str(connection.recv())


def _serve(connection: Connection, answers: tuple[Answer, ...]) -> None:
    with AuthorizationServer() as server, contextlib.suppress(EOFError):
        server.script(*answers)
        connection.send(server.token_url)
        while connection.recv():
            connection.send(str(server.token_request_count))
