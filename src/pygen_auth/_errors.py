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
import re
from collections.abc import Iterable
from typing import TypeVar
from urllib.parse import unquote, unquote_plus

E = TypeVar("E", bound="OAuth2Error")

SHOWN_CHARACTERS = 200
"""Of a server's text in a message: enough for a sentence, too little for a page."""


class OAuth2Error(Exception):
    """The token could not be had. The base of every error that this library raises."""

    retryable: bool
    """Whether it can help to ask again with the same settings."""
    retry_after: float | None
    """Seconds to wait before asking again: the server's own figure where that is longer, else the
    pause that this library keeps. None where nothing is known."""
    hint: str | None
    """One sentence of advice, where the cause is known; it also stands in the message."""
    request_id: str | None = None
    """What the failed request carried as `client-request-id`, to look for in the logs of the
    server or of a proxy; also at the end of the message. None where no request was sent."""

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
        if self.hint:
            message = f"{message} ({self.hint})"
        return f"{message} [client-request-id {self.request_id}]" if self.request_id else message


class ConfigurationError(OAuth2Error, ValueError):
    """A setting cannot be right.

    Raised when the object is made; also later, if a callable of yours (secret, client, token)
    fails or a CA file cannot be read.

    Change the setting that the message names.
    """


class UnreachableError(OAuth2Error):
    """No answer: name look-up, connection, TLS, or time-out. The cause is chained.

    Look at the network, the proxy, the certificates; then ask again.
    """


class RefusedError(OAuth2Error):
    """The server answered, and the answer is no (RFC 6749 §5.2).

    Look at `error`, `code` and `hint`; ask again if `retryable`.
    """

    status: int
    """The HTTP status; 200 where a server reports an error so."""
    error: str | None
    """The error code of RFC 6749 §5.2, or the server's own."""
    description: str | None
    """The server's description, in one line of at most 200 characters."""
    code: str | None
    """The provider's number, such as AADSTS7000215 or E0000047."""
    trace_id: str | None
    """The provider's name for the request, which its support asks for."""
    correlation_id: str | None
    """The provider's name for what the request is a part of, where it has one (Entra: our
    `client-request-id`)."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        error: str | None = None,
        description: str | None = None,
        code: str | None = None,
        trace_id: str | None = None,
        correlation_id: str | None = None,
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
        self.correlation_id = correlation_id


class InvalidResponseError(OAuth2Error):
    """The server answered with something that RFC 6749 §5.1 does not allow.

    Check `token_url`; something that is no token endpoint often answers so.
    """


def copy_of(error: E, *, note: str = "", retry_after: float | None = None) -> E:
    """The same failure for one more caller: its own traceback, the same cause.

    One exception object raised in several threads would grow everybody's traceback.
    """
    twin = copy.copy(error)
    twin.args = (f"{error.args[0]}{note}",)
    twin.retry_after = error.retry_after if retry_after is None else retry_after
    twin.__cause__ = error.__cause__
    return twin


def refuses_client(error: OAuth2Error) -> bool:
    """Whether the server said no to the client itself, not to what it asks for.

    Some say so without any code, and a few with a code of their own.
    """
    if not isinstance(error, RefusedError) or error.retryable:
        return False
    without_code = error.error is None and error.status in (400, 403)
    return error.status == 401 or error.error == "invalid_client" or without_code


# -- what a message may show

HIDDEN = "(not shown, since it repeats a secret)"

_READ = 16_384  # characters of a text that are looked at; the rest is never shown
_SEARCHED = 4_000  # of those, squeezed, in which a secret is looked for
_SHOWABLE = 1_000  # of those, from which the shown ones come: none is cut out of a secret
_LEFT_OUT = 512  # squeezed characters before that end: a beginning of a secret, encoded
_TELLING = 64  # characters of a secret that are looked for; tokens can be a megabyte long
_LONG = 12  # characters of a secret, half of which are no chance match
_MISREAD = 8  # characters of those that an escape ahead of them may take, as `\uABCD` takes four

# Compiled at their first use, since most programs never see an error.
_CREDENTIAL_FIELD = r"""(?ix)
    ((?:access_token|refresh_token|id_token|client_secret|assertion|password)
    (?:["'\\]|&[#\w]+;)*\s*[:=>]\s*(?:["'\\]|&[#\w]+;)*)[^\s"'&,}<\\]+"""
_JWT = r"eyJ[\w.-]+"
_BASE64 = r"(?a)[\w+/-]{4,}"
_JSON_ESCAPE = r"\\(?:u([0-9a-fA-F]{4})|(.))"


def shown(text: str, secrets: Iterable[str] = ()) -> str:
    """What a message may show of somebody else's text: printable, one line, 200 characters.

    Servers echo what they were sent. A secret is taken out where it stands as it is; a text that
    repeats one in another encoding is not shown at all. What stands in a field for credentials,
    or looks like a JWT, is taken out whoever it belongs to.
    """
    known = sorted({_line(secret) for secret in secrets}, key=len, reverse=True)
    line = _line(text)
    if len(text) > _READ:  # a secret may begin where the reading ended
        line = line[:-_LEFT_OUT]
    line = line[:_SEARCHED]
    for secret in known:
        line = _without(line, secret)
    if repeats(line.replace("***", " "), known):
        return HIDDEN
    line = re.sub(_JWT, "***", re.sub(_CREDENTIAL_FIELD, r"\1***", line[:_SHOWABLE]))
    return shortened(line)


def shortened(line: str) -> str:
    """As much of a line as a message shows."""
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def _line(text: str) -> str:
    """One line of printable characters, with single spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:_READ]).split())


def _without(line: str, secret: str) -> str:
    """In capitals or not; no pattern is compiled, since those are kept in a cache."""
    lower, wanted = line.lower(), secret.lower()
    if not wanted or len(lower) != len(line):
        return line
    kept, end = [], 0
    while (start := lower.find(wanted, end)) >= 0:
        kept.append(line[end:start])
        end = start + len(wanted)
    return "***".join([*kept, line[end:]])


def repeats(text: str, secrets: Iterable[str]) -> bool:
    """Whether a secret can be read out of the text, in one of the usual encodings."""
    known = [
        (_telling(secret).casefold(), _telling(_ascii_only(secret[: 4 * _TELLING])))
        for secret in filter(None, secrets)
    ]
    for view in _readings(text) if known else ():  # one by one: together they take megabytes
        folded, stripped = view.casefold(), _ascii_only(view)
        if any(part in folded or (len(bare) > 3 and bare in stripped) for part, bare in known):
            return True
    return False


def _telling(secret: str) -> str:
    """The part by which a secret is known.

    Not its first characters, if it is long: a `%` or a backslash that happens to stand ahead of
    it takes those for an escape of its own, and they are gone from every reading.
    """
    return secret[min(_MISREAD, len(secret) // 2) if len(secret) >= _LONG else 0 : _TELLING]


def _readings(text: str) -> Iterable[str]:
    """The text as it is, and as somebody reads it who undoes the usual encodings."""
    unescaped = re.sub(_JSON_ESCAPE, lambda m: chr(int(m[1], 16)) if m[1] else m[2], text)
    plain = _without_entities(unescaped)
    readings = (
        text,
        unescaped,
        _without_entities(text),
        plain,
        unquote(plain),
        unquote_plus(plain),
    )
    for reading in dict.fromkeys((*readings, unquote(text), unquote_plus(text))):
        yield reading
        runs = re.findall(_BASE64, reading)
        for start in range(4):  # letters or a slash ahead of it look like a part of it
            yield "\n".join(_decoded(run[start:]) for run in runs)


def _without_entities(text: str) -> str:
    if "&" not in text:
        return text
    import html  # here: it takes 1 ms to import, and most programs never see such an error

    return html.unescape(text)


def _decoded(run: str) -> str:
    """What it says in Base64, of either alphabet."""
    padded = run.translate(_URL_SAFE) + "=="
    return base64.b64decode(padded[: len(padded) // 4 * 4]).decode("utf-8", "replace")


_NOT_ASCII = "[^!-~]+"
_URL_SAFE = str.maketrans("-_", "+/")


def _ascii_only(text: str) -> str:
    """Without spaces and what another character set would spell in another way."""
    return re.sub(_NOT_ASCII, "", text).lower()
