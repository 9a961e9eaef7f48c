"""What a candidate is: one small adapter for each library, all with the same four names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal


@dataclass(frozen=True)
class Endpoint:
    """Where a candidate gets its token, and as whom."""

    plain: str
    """Root of the server without TLS, with no slash at its end."""
    secure: str
    """Its root over TLS."""
    client_id: str
    client_secret: str

    def token_url(self, *, tls: bool = False) -> str:
        """The token endpoint."""
        return f"{self.secure if tls else self.plain}/oauth/token"


class Peer(ABC):
    """One library in the hands of a program: made once, then asked before every API call."""

    name: ClassVar[str]
    distribution: ClassVar[str]
    """Its name in the package index."""
    gives: ClassVar[Literal["header", "token"]]
    """What its users call hands out. From a bare token they make the header themselves."""
    margin: ClassVar[float]
    """Seconds before the expiry of a token of an hour from which on it asks for the next one."""
    waits: ClassVar[bool] = True
    """Whether a caller waits for the new token inside the margin."""
    tls_only: ClassVar[bool] = False
    """It speaks https alone, so that its token requests cost a handshake more."""

    @abstractmethod
    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None: ...

    @abstractmethod
    def caller(self) -> Callable[[], Any]:
        """What one thread calls, over and over; the library's own function where that is enough."""

    @staticmethod
    @abstractmethod
    def access_token(answer: Any) -> str:
        """The access token in what the caller gave."""

    def header(self) -> str:
        """The value of the Authorization header."""
        return f"Bearer {self.access_token(self.caller()())}"


class AsyncPeer(ABC):
    """The same for one event loop."""

    name: ClassVar[str]
    distribution: ClassVar[str]
    tls_only: ClassVar[bool] = False

    @abstractmethod
    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None: ...

    @abstractmethod
    async def header(self) -> str:
        """The value of the Authorization header."""

    async def close(self) -> None:  # noqa: B027  # most have nothing to close
        """Give back what is open."""


def bearer(value: str) -> str:
    """The access token in the value of an Authorization header."""
    scheme, _, token = value.partition(" ")
    assert scheme == "Bearer", value
    return token
