"""What goes over the wire, as values: the only place that says what a request and a response are.

HTTP is a function from one to the other (`Send`, `AsyncSend`). The protocol makes requests and
judges responses without knowing who carries them; the sender carries them without knowing what
they say.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping

REQUEST_ID = "client-request-id"
"""The header with our own id of a request. Entra ID repeats it as `correlation_id`."""


class Request:
    """A request to an authorization server. Headers and body may hold the secret, so no repr.

    Args:
        url: where it goes.
        headers: by name.
        body: in bytes.
        timeout: seconds until the whole answer must be there, name look-up included.
        secrets: what was sent and must not come back in a message, in plain text.
        method: of HTTP.
    """

    __slots__ = ("body", "headers", "method", "secrets", "timeout", "url")

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout: float,
        secrets: tuple[str, ...] = (),
        method: str = "POST",
    ) -> None:
        self.url, self.headers, self.body = url, headers, body
        self.timeout, self.secrets, self.method = timeout, secrets, method

    @property
    def id(self) -> str | None:
        """What names it in the logs of both sides."""
        return self.headers.get(REQUEST_ID)


def identified(request: Request) -> Request:
    """The request, with an id of its own."""
    request.headers = {**request.headers, REQUEST_ID: _random_id()}
    return request


def _random_id() -> str:
    """A random UUID (RFC 9562 §5.4). The module `uuid` takes 1.6 ms to import: it asks what
    platform this is.
    """
    octets = bytearray(os.urandom(16))
    octets[6] = octets[6] & 0x0F | 0x40  # version 4
    octets[8] = octets[8] & 0x3F | 0x80  # the variant of RFC 9562
    digits = octets.hex()
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return "-".join(parts)


class Response:
    """The answer, its body decoded and never longer than the sender's limit.

    Args:
        status: of HTTP.
        headers: by name in lower case.
        body: in bytes.
        defect: why the body cannot be trusted (too long, unknown encoding); None where it is whole.
    """

    __slots__ = ("body", "defect", "headers", "status")

    def __init__(
        self, status: int, headers: Mapping[str, str], body: bytes, defect: str | None = None
    ) -> None:
        self.status, self.headers, self.body, self.defect = status, headers, body, defect


Send = Callable[[Request], Response]
AsyncSend = Callable[[Request], Awaitable[Response]]
