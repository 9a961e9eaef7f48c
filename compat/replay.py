"""The answers of providers and how one is replayed: the only place that reads `answers.json`.

README.md says what the fields mean.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from pygen_auth import OAuth2Error, Token
from pygen_auth.testing import Answer, AuthorizationServer
from tests.support import SECRET, AnyCredentials, HandClock, Twin

CLIENT_ID = "the-client"
TIMEOUT = 30.0
ASSUMED_LIFETIME = 1234.0
"""Given as `default_lifetime`; no answer names this figure."""
RESET_AHEAD = 20.0
"""Seconds from the start of a replay to the end of the rate limit that the answer names."""
_RESETS = ("x-rate-limit-reset", "x-ratelimit-reset")

DIFFERENCES: Mapping[str, Mapping[str, object]] = {
    "entra-token-type-pop-proof-of-possession-requested": {
        "kind": "error",
        "expires_in_seconds": None,
    },
    "cognite-entra-sdk-test-negative-expires-in": {
        "kind": "error",
        "retryable": True,
        "expires_in_seconds": None,
    },
}
"""Where the library does on purpose what `expect` does not say; README.md has the reasons."""


@dataclass(frozen=True)
class Shape:
    """One answer of a token endpoint, and what is to come out."""

    folder: str
    id: str
    provider: str
    case: str
    status: int
    status_confirmed: bool
    headers: Mapping[str, str]
    content_type: str
    body: Mapping[str, Any] | str
    expect: Mapping[str, Any]
    confidence: str
    source: str
    note: str = ""

    def __str__(self) -> str:
        own_prefix = self.folder.replace("_", "-") + "-"
        return self.id if self.id.startswith(own_prefix) else f"{self.folder}-{self.id}"

    @property
    def wanted(self) -> Mapping[str, Any]:
        """`expect`, or what the library does instead."""
        return {**self.expect, **DIFFERENCES.get(self.id, {})}

    @property
    def answer(self) -> Answer:
        """What goes over the wire."""
        content_type = {"Content-Type": self.content_type} if self.content_type else {}
        return Answer(self.status, {**self.headers, **content_type}, self.body)

    @property
    def header(self) -> Mapping[str, str]:
        """The headers, their names in lower case."""
        return {name.lower(): value for name, value in self.headers.items()}

    def clock(self) -> HandClock:
        """A clock on which a rate limit that the answer names ends in `RESET_AHEAD` seconds."""
        resets = [float(self.header[name]) for name in _RESETS if name in self.header]
        return HandClock(wall=resets[0] - RESET_AHEAD) if resets else HandClock()

    @property
    def pause(self) -> float:
        """Seconds the server wants to be left alone; 0 where it does not say."""
        if "retry-after" in self.header:
            return float(self.header["retry-after"])
        limited = self.status == 429 and any(name in self.header for name in _RESETS)
        return RESET_AHEAD if limited else 0.0


def shapes() -> list[Shape]:
    """Every answer of every folder."""
    files = sorted(Path(__file__).parent.glob("*/answers.json"))
    return [
        Shape(file.parent.name, **entry)
        for file in files
        for entry in json.loads(file.read_text("utf-8"))
    ]


@dataclass
class Outcome:
    """What comes of one answer that is given as long as somebody asks."""

    token: Token | None = None
    error: OAuth2Error | None = None
    requests: int = 0
    requests_of_next_call: int = 0
    texts: list[str] = field(default_factory=list)
    """All that there is to read afterwards: logs, messages and their causes, reprs."""


def credentials_for(
    twin: Twin, server: AuthorizationServer, clock: HandClock, **settings: Any
) -> AnyCredentials:
    """Credentials that ask over HTTP and wait on a clock moved by hand."""
    settings = {"timeout": TIMEOUT, "default_lifetime": ASSUMED_LIFETIME, **settings}
    credentials = twin.make(server.token_url, CLIENT_ID, SECRET, **settings)
    credentials._begin(clock.clock)
    return credentials


def replay(shape: Shape, twin: Twin, server: AuthorizationServer) -> Outcome:
    """Ask for a token twice, and have every request answered with the shape.

    Raises:
        Exception: anything that is no OAuth2Error, which the library must not let out.
    """
    server.override = shape.answer
    credentials = credentials_for(twin, server, shape.clock())
    outcome, start = Outcome(), server.token_request_count
    with _library_log(outcome.texts):
        try:
            outcome.token = twin.call(credentials, "token")
        except OAuth2Error as error:
            outcome.error = error
            outcome.texts += _readable(error)
        outcome.requests = server.token_request_count - start
        try:
            twin.call(credentials, "get_headers")
        except OAuth2Error as error:
            outcome.texts += _readable(error)
        outcome.requests_of_next_call = server.token_request_count - start - outcome.requests
    outcome.texts += [repr(credentials), repr(outcome.token), repr(credentials._lease)]
    return outcome


@contextlib.contextmanager
def _library_log(lines: list[str]) -> Iterator[None]:
    """Collect what the library logs, at all levels."""

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.getMessage()} {record.args}")

    logger, collector = logging.getLogger("pygen_auth"), Collector()
    level = logger.level
    logger.addHandler(collector)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(collector)
        logger.setLevel(level)


def _readable(error: BaseException) -> list[str]:
    """What an error and those behind it show."""
    texts = ["".join(traceback.format_exception(type(error), error, error.__traceback__))]
    link: BaseException | None = error
    while link is not None:
        texts += [str(link), repr(link), repr(link.args), repr(vars(link))]
        link = link.__cause__ or link.__context__
    return texts


def secrets_of(shape: Shape) -> list[str]:
    """The client's secret, as it is and as it is sent, and the tokens in the answer."""
    pair = f"{CLIENT_ID}:{quote(SECRET, safe='')}"
    sent = [SECRET, quote(SECRET, safe=""), quote_plus(SECRET)]
    sent.append(base64.b64encode(pair.encode()).decode())
    fields = shape.body if isinstance(shape.body, Mapping) else {}
    names = ("access_token", "refresh_token", "id_token")
    # Fixtures name tokens "foo" or "token", which are words of any message.
    return sent + [token for name in names if len(token := fields.get(name, "")) >= 10]
