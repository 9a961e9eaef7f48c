"""What goes over the wire, as values: the only place that says what a request and a response are.

HTTP is a function from one to the other (`Send`, `AsyncSend`). The protocol makes requests and
judges responses without knowing who carries them; the sender carries them without knowing what
they say.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import uuid4

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
    return replace(request, headers={**request.headers, REQUEST_ID: str(uuid4())})


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
