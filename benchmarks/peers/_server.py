"""The token server of all candidates, in a process of its own: it counts, delays and fails.

Every POST is a token request, whatever its path and its grant, since each library has its own.
The candidates' processes tell it by GET how to behave.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from email.message import Message
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

from benchmarks._server import in_own_process, received
from pygen_auth.testing._http import Answer, HTTPServer
from pygen_auth.testing._tls import Authority

from ._answers import ELSEWHERE, named
from ._peer import Endpoint

_BEHAVE, _COUNT, _CARRIED = "/behave", "/count", "/carried"
_METADATA = "/.well-known/openid-configuration"
TOKEN_LENGTH = 43
"""Characters, as of 32 random bytes in Base64."""


@dataclass(frozen=True)
class _Behaviour:
    """What the server does with token requests."""

    lifetime: float = 3600
    delay: float = 0.0
    status: int = 200
    fault: str = ""


@dataclass(frozen=True)
class Server:
    """The server as seen from any process."""

    plain: str
    secure: str
    ca_file: str

    def behave(
        self, *, lifetime: float = 3600, delay: float = 0.0, status: int = 200, fault: str = ""
    ) -> None:
        """From now on answer like this, or with the answer of that name, and count from 0."""
        behaviour = _Behaviour(lifetime, delay, status, fault)
        self._get(f"{_BEHAVE}?{urlencode(asdict(behaviour))}")

    def count(self) -> int:
        """Token requests since `behave` was last called."""
        return int(self._get(_COUNT))

    def carried(self) -> int:
        """Token requests since then that came where the redirect leads, with what proves the
        client.
        """
        return int(self._get(_CARRIED))

    def endpoint(self, client_id: str = "benchmark") -> Endpoint:
        """The endpoint for a client. Some caches serve all clients of a process, by their id."""
        return Endpoint(self.plain, self.secure, client_id, "secret")

    def _get(self, target: str) -> Any:
        with urlopen(self.plain + target, timeout=30) as response:
            return json.load(response)


@contextlib.contextmanager
def token_server() -> Iterator[Server]:
    """One for a whole run."""
    with in_own_process(_serve) as connection:
        yield Server(*received(connection))


def _serve(connection: Connection) -> None:
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        authority, respond = Authority(directory), _Responder()
        roots = []
        for scheme, context in (("http", None), ("https", authority.server_context())):
            server = HTTPServer("127.0.0.1", context, respond)
            stack.callback(server.stop)
            roots.append(f"{scheme}://127.0.0.1:{server.server_address[1]}")
        connection.send((*roots, authority.ca_file))
        with contextlib.suppress(EOFError):
            connection.recv()


class _Responder:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._behaviour = _Behaviour()
        self._since = self._requests = self._carried = 0

    def __call__(
        self, method: str, target: str, headers: Message, body: bytes, certificate: object
    ) -> Answer:
        if method == "POST":
            return self._token(urlsplit(target).path, headers, body)
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if path.endswith(_METADATA):
            return _metadata(f"https://{headers['Host']}{path.removesuffix(_METADATA)}")
        with self._lock:
            if path == _BEHAVE:
                self._behaviour = _behaviour(query)
                self._since, self._carried = self._requests, 0
            counted = self._carried if path == _CARRIED else self._requests - self._since
            return Answer(body=json.dumps(counted))

    def _token(self, path: str, headers: Message, body: bytes) -> Answer:
        with self._lock:
            self._requests += 1
            number, behaviour = self._requests, self._behaviour
            self._carried += path == ELSEWHERE and bool(body or headers["Authorization"])
        if behaviour.fault and path != ELSEWHERE:
            return named(behaviour.fault, headers["Host"])
        if behaviour.status != 200:
            return Answer(behaviour.status, body={"error": "temporarily_unavailable"})
        answer = {
            "access_token": f"{number}-".ljust(TOKEN_LENGTH, "t"),
            "token_type": "Bearer",
            "expires_in": int(behaviour.lifetime),
        }
        return Answer(body=answer, delay=behaviour.delay)


def _behaviour(query: dict[str, list[str]]) -> _Behaviour:
    lifetime, delay, status = (float(query[name][0]) for name in ("lifetime", "delay", "status"))
    return _Behaviour(lifetime, delay, int(status), query.get("fault", [""])[0])


def _metadata(issuer: str) -> Answer:
    """As Entra ID has it, which msal and azure-identity read before their first request."""
    return Answer(
        body={
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
        }
    )
