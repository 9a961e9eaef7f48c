"""What the steps share: the credentials that are looked at, and what earlier steps have found."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from .._clients import DEFAULT_CONNECTION, Connection
from .._interface import AsyncCredentials, Credentials
from .._settings import ClientSettings
from .._token import Token
from ..providers import Provider
from ._redaction import Redaction
from ._report import Outcome

T = TypeVar("T")

TIMEOUT = 30.0
"""Seconds for a step, where the credentials name none: the default of those that do."""

CA_SETTING = "verify (--ca-file)"
"""As Python and as the command line have it."""
ADVICE_FOR_CA = (
    f"set {CA_SETTING} to a file with the CA of the server, or SSL_CERT_FILE; in a company it may "
    "be the CA of a proxy that looks into TLS"
)


@dataclass(frozen=True)
class Finding:
    """What one step found."""

    outcome: Outcome
    detail: str = ""
    advice: str | None = None
    found: Mapping[str, Any] = field(default_factory=dict)


def fine(detail: str, **found: Any) -> Finding:
    return Finding("ok", detail, None, found)


def doubtful(detail: str, advice: str, **found: Any) -> Finding:
    return Finding("warning", detail, advice, found)


def wrong(detail: str, advice: str | None, **found: Any) -> Finding:
    return Finding("failed", detail, advice, found)


def nothing_to_do(why: str) -> Finding:
    return Finding("not run", why)


class Subject:
    """One diagnosis under way."""

    def __init__(
        self,
        credentials: Credentials | AsyncCredentials,
        provider: Provider | None,
        call: str | None,
        redaction: Redaction,
    ) -> None:
        self.credentials: Any = credentials
        """Either twin; see `done`."""
        self.client = credentials if isinstance(credentials, ClientSettings) else None
        """The settings, where the token comes from a token endpoint."""
        self.provider = provider
        self.call_url = call
        self.redaction = redaction
        self.proxy: SplitResult | None = None
        self.addresses: list[Any] = []
        self.line: socket.socket | None = None
        """The connection, as far as earlier steps have brought it."""
        self.clock_is_right = False
        """By the server's own; False also where that does not say."""
        self.token: Token | None = None
        self.access_token = ""
        self.claims: Mapping[str, Any] = {}

    @property
    def settings(self) -> ClientSettings:
        assert self.client is not None
        return self.client

    @property
    def timeout(self) -> float:
        """Seconds for a step."""
        return TIMEOUT if self.client is None else self.client._timeout

    @property
    def share(self) -> float:
        """Seconds for what a step waits for, so that it can tell what did not come."""
        return 0.9 * self.timeout

    @property
    def connection(self) -> Connection:
        return DEFAULT_CONNECTION if self.client is None else self.client._connection

    @property
    def url(self) -> SplitResult:
        """Of the token endpoint."""
        return urlsplit(self.settings.token_url)

    def done(self, method: Callable[..., T | Awaitable[T]], *arguments: Any) -> T:
        """What a method of either twin gives; called in a thread that has no event loop."""
        result: Any = method(*arguments)
        given: T = asyncio.run(_awaited(result)) if inspect.isawaitable(result) else result
        return given

    def close(self) -> None:
        """End the connection, whoever reads from it."""
        line, self.line = self.line, None
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()


async def _awaited(result: Awaitable[T]) -> T:
    return await result


def host_and_port(url: SplitResult) -> tuple[str, int]:
    """Where a connection for this URL leads to."""
    default = 443 if url.scheme == "https" else 80
    return url.hostname or "", url.port or default


def advice_for_tls(said: str) -> str | None:
    """What to do where a message says that TLS is the reason."""
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return ADVICE_FOR_CA
    if "CERTIFICATE_REQUIRED" in said:
        return "the server wants to see a certificate: set client_auth (--tls-certificate)"
    return None


def bare(url: SplitResult) -> str:
    """Scheme, host and port, without a user name and a password."""
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"


def lasting(seconds: float) -> str:
    """A span of time in words that one takes in at a glance."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.3g} s"
