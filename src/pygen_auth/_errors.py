"""The errors, and the only place that decides what a message may show.

    OAuth2Error
    ├─ ConfigurationError (also ValueError)
    ├─ UnreachableError
    ├─ RefusedError
    └─ InvalidResponseError

Each answers another question of the caller: are my settings wrong, is the server away, did it
say no, or did it say something that no client can use?
"""

from __future__ import annotations

import base64
import copy
import html
import json
import re
from collections.abc import Iterable
from typing import TypeVar
from urllib.parse import quote, quote_plus

E = TypeVar("E", bound="OAuth2Error")

SHOWN_CHARACTERS = 200
"""Of a server's text in a message: enough for a sentence, too little for a page."""


class OAuth2Error(Exception):
    """The token could not be had. The base of every error that this library raises."""

    retryable: bool
    """Whether it can help to ask again with the same settings."""
    retry_after: float | None
    """Seconds to wait before asking again: the server's own figure where it named one, else the
    pause that this library keeps. None where nothing is known."""
    hint: str | None
    """One sentence of advice, where the cause is known."""

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after = retry_after
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} ({self.hint})" if self.hint else message


class ConfigurationError(OAuth2Error, ValueError):
    """A setting cannot be right. Raised before any request; the message names the setting."""


class UnreachableError(OAuth2Error):
    """No answer: name look-up, connection, TLS, or time-out. The cause is chained."""


class RefusedError(OAuth2Error):
    """The server answered, and the answer is no (RFC 6749 §5.2)."""

    status: int
    """HTTP status; 200 where a server reports an error so."""
    error: str | None
    """The error code of RFC 6749 §5.2 or the server's own."""
    description: str | None
    """`error_description` in one line of at most 200 characters."""
    code: str | None
    """The provider's number for it, such as AADSTS7000215 or E0000047."""
    trace_id: str | None
    """What the provider's support asks for."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        error: str | None = None,
        description: str | None = None,
        code: str | None = None,
        trace_id: str | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, retryable=retryable, retry_after=retry_after, hint=hint)
        self.status = status
        self.error = error
        self.description = description
        self.code = code
        self.trace_id = trace_id


class InvalidResponseError(OAuth2Error):
    """The server answered with something that RFC 6749 §5.1 does not allow."""


def copy_of(error: E, *, note: str = "", retry_after: float | None = None) -> E:
    """The same failure for one more caller: its own traceback, the same cause.

    One exception object raised in several threads would grow everybody's traceback.
    """
    twin = copy.copy(error)
    twin.args = (f"{error.args[0]}{note}",)
    twin.retry_after = error.retry_after if retry_after is None else retry_after
    twin.__cause__ = error.__cause__
    return twin


_CREDENTIAL_FIELD = re.compile(
    r"""((?:access_token|refresh_token|id_token|client_secret|client_assertion|assertion|password)
    ["']?\s*[:=]\s*["']?)([^\s"'&,}<]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)*")


def shown(text: str, secrets: Iterable[str] = ()) -> str:
    """What a message may show of somebody else's text: printable, one line, 200 characters.

    Servers echo what they were sent. So every secret is taken out first, in each form in which
    it may come back, and whatever stands in a field for credentials or looks like a JWT.
    """
    for pattern in _forms(secrets):
        text = pattern.sub("***", text)
    text = _CREDENTIAL_FIELD.sub(r"\1***", text)
    text = _JWT.sub("***", text)
    printable = "".join(c if c.isprintable() else " " for c in text)
    line = " ".join(printable.split())
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def _forms(secrets: Iterable[str]) -> Iterable[re.Pattern[str]]:
    """The secret as sent, percent-encoded, in JSON, in HTML, in Base64; the longest first."""
    forms = set[str]()
    for secret in filter(None, secrets):
        ascii_json, utf8_json = (
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
        )
        forms |= {secret, quote(secret, safe=""), quote_plus(secret), quote(secret)}
        forms |= {ascii_json, utf8_json, ascii_json.replace("/", "\\/"), html.escape(secret)}
        forms |= {base64.b64encode(secret.encode()).decode().rstrip("=")}
    return [
        re.compile(re.escape(form), re.IGNORECASE) for form in sorted(forms, key=len, reverse=True)
    ]
