"""What goes over the wire, as values: the only place that says what a request and a response are.

HTTP is a function from one to the other (`Send`, `AsyncSend`). The protocol makes requests and
judges responses without knowing who carries them; the sender carries them without knowing what
they say.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

REQUEST_ID = "client-request-id"
"""The header with our own id of a request. Entra ID repeats it as `correlation_id`."""


@dataclass(frozen=True)
class Request:
    """A request to an authorization server. Headers and body may hold the secret, so no repr."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    timeout: float
    """Seconds until the whole answer must be there, name look-up included."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What was sent and must not come back in a message, in plain text."""
    method: str = "POST"

    @property
    def id(self) -> str | None:
        """What names it in the logs of both sides."""
        return self.headers.get(REQUEST_ID)


def identified(request: Request) -> Request:
    """The same request with an id of its own."""
    return replace(request, headers={**request.headers, REQUEST_ID: _random_id()})


def _random_id() -> str:
    """A random UUID (RFC 9562 §5.4). The module `uuid` takes 1.6 ms to import: it asks what
    platform this is.
    """
    octets = bytearray(os.urandom(16))
    octets[6] = octets[6] & 0x0F | 0x40  # version 4
    octets[8] = octets[8] & 0x3F | 0x80  # the variant of RFC 9562
    digits = octets.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@dataclass(frozen=True)
class Response:
    """The answer, its body decoded and never longer than the sender's limit."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    defect: str | None = None
    """Why the body cannot be trusted (too long, unknown encoding); None where it is whole."""


Send = Callable[[Request], Response]
AsyncSend = Callable[[Request], Awaitable[Response]]
