"""What a server says when it says no: the only place that reads an error response.

RFC 6749 §5.2 says how it should be. This module also reads what providers, gateways and web
frameworks send instead, by rules: which names hold a code, which a text, and what lies in what.
"""

from __future__ import annotations

import contextlib
import html
import json
import re
from collections.abc import Iterable, Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ._clock import Instant
from ._errors import RefusedError, repeats, shortened, shown
from ._hints import CODES, ERROR_CODES, hint_for
from ._wire import Response

_TRANSIENT = {"temporarily_unavailable", "server_error", "internal_failure"}
_PERMANENT = {  # RFC 6749 §5.2
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
}
_TRANSIENT_NUMBERS = {
    *(
        "AADSTS50033",
        "AADSTS90006",
        "AADSTS90012",
        "AADSTS90024",
        "AADSTS90033",
        "AADSTS90055",
        "AADSTS90090",
    ),
    *("E0000010", "E0000047"),
}
_PERMANENT_NUMBERS = {"AADSTS90036", "AADSTS90092"}  # although they come with server_error

_KNOWN = frozenset({*_TRANSIENT, *_PERMANENT, *ERROR_CODES}).union(*CODES.values())
"""Words that are no secret, whatever somebody's secret may be."""


def refusal(
    response: Response,
    fields: Mapping[str, Any],
    now: Instant,
    secrets: tuple[str, ...],
    client_auth: str = "client_secret_post",
) -> RefusedError:
    """The error for an answer that says no.

    Args:
        response: the whole answer.
        fields: its JSON object; empty where it has none.
        now: both clocks.
        secrets: texts that no message may show.
        client_auth: how the client authenticated, by its name in RFC 7591 §2.
    """
    objects = _objects(fields or _fields_of(response, secrets))
    secrets = (*secrets, *_credentials_in(objects))
    error, description = _error_of(objects)
    numbers = _numbers(objects, (description, error))
    shown_error, shown_text = _text(error, secrets), _text(description, secrets)
    parts = dict.fromkeys(filter(None, (shown_error, shown_text)))
    said = shortened(": ".join(parts)) or _body_shown(response, secrets)
    if 300 <= response.status < 400:
        said = f"it points to {origin(response, secrets)}, and token requests follow no redirect"
    retryable = _transient(response.status, numbers, (error, description))
    header_ids = [response.headers.get(name) for name in _TRACE_HEADERS]
    return RefusedError(
        f"Token request failed with status {response.status}: {said}",
        status=response.status,
        error=shown_error,
        description=shown_text,
        code=next((number for number in numbers if _text(number, secrets) == number), None),
        trace_id=_identifier([*_values(objects, _TRACE_NAMES), *header_ids], secrets),
        correlation_id=_identifier(_values(objects, _CORRELATION_NAMES), secrets),
        retryable=retryable,
        retry_after=_retry_after(response, now),
        hint=hint_for(numbers, error, description, response.status, client_auth, retryable),
    )


# -- what is said, and where; names in small letters and without _ and -

_CODE_NAMES = ("error", "errorcode", "code", "status", "type", "faultcode")
_TEXT_NAMES = (
    *("errordescription", "errorsummary", "description", "message", "errormessage", "detail"),
    *("faultstring", "msg", "title", "reason", "value"),
)
_CONTAINERS = ("error", "errors", "fault", "status", "detail", "details", "message", "innererror")
_TRACE_NAMES, _CORRELATION_NAMES = ("traceid", "errorid", "requestid"), ("correlationid",)
_TRACE_HEADERS = ("x-ms-request-id", "x-okta-request-id")
_TOKEN_NAMES = ("accesstoken", "refreshtoken", "idtoken", "clientsecret", "clientassertion")

_CODE = re.compile(r"[^\s/]{1,100}")  # a type may be a URL (RFC 9457), which names no code
_NOTHING = re.compile(r"[1-5]\d\d|error|fail(ed|ure)?|true|false|about:blank", re.IGNORECASE)
_NUMBER = re.compile(r"\s*((?i:AADSTS)\d{1,9}|[A-Z][A-Z0-9]{1,14}\d[A-Z]?(?=:))", re.ASCII)

_MOST_OBJECTS = 50  # that are looked at; real answers have five


def _objects(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The object and those in it that tell of an error, outer ones first.

    A text in a list of errors counts as an object with that message.
    """
    found: list[dict[str, Any]] = []
    waiting: list[Any] = [fields]
    for _ in range(_MOST_OBJECTS):
        value = waiting.pop(0) if waiting else None
        if isinstance(value, list):
            waiting += value[:_MOST_OBJECTS]
        elif isinstance(value, str):
            found.append({"message": value})
        elif isinstance(value, Mapping):
            found.append(plain := _plainly_named(value))
            inner = (plain.get(name) for name in _CONTAINERS)
            waiting += [value for value in inner if isinstance(value, (Mapping, list))]
    return found


def _plainly_named(fields: Mapping[str, Any]) -> dict[str, Any]:
    """With the names spelt as above; `error` counts ahead of `Error`."""
    plain: dict[str, Any] = {}
    for name in sorted(fields, key=lambda name: name != name.lower()):
        if len(name) <= 40 and fields[name] is not None:
            plain.setdefault(re.sub("[_-]", "", name).lower(), fields[name])
    return plain


def _values(objects: Iterable[Mapping[str, Any]], names: Iterable[str]) -> list[Any]:
    return [fields[name] for fields in objects for name in names if name in fields]


def _texts(objects: Iterable[Mapping[str, Any]], names: Iterable[str]) -> list[str]:
    """Texts and numbers under those names; what is blank, true or false says nothing."""
    scalars = [
        str(value).strip()
        for value in _values(objects, names)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool)
    ]
    return [text for text in scalars if text and not _NOTHING.fullmatch(text)]


def _error_of(objects: list[dict[str, Any]]) -> tuple[str | None, str | None]:
    """Code and text. A sentence as `error` is the text, if there is a code and no other text."""
    codes = [text for text in _texts(objects, _CODE_NAMES) if _CODE.fullmatch(text)]
    sentences = [text for text in _texts(objects, ("error",)) if not _CODE.fullmatch(text)]
    error = next(iter([*codes, *sentences]), None)
    texts = [*_texts(objects, _TEXT_NAMES), *(text for text in sentences if text != error)]
    hints = _texts(objects, ("errorhint",))  # Ory Hydra
    return error, " ".join([*texts[:1], *hints[:1]]) or None


def _numbers(objects: list[dict[str, Any]], texts: Iterable[str | None]) -> list[str]:
    """The provider's own codes, such as AADSTS7000215: ahead of a text, else in their own field."""
    heads = [match[1].upper() for text in texts if (match := _NUMBER.match(text or ""))]
    entra = next(iter(_values(objects, ("errorcodes",))), None)
    if not heads and isinstance(entra, list):
        plain = all(type(number) is int and 0 < number < 10**9 for number in entra)
        heads = [f"AADSTS{number}" for number in entra[:_MOST_OBJECTS]] if plain else []
    fields = [text for text in _texts(objects, ("errorcode",)) if not text.isdecimal()]
    return [*heads, *(text for text in fields if re.fullmatch(r"(?=.*\d)\w{1,40}", text))]


def _identifier(values: Iterable[Any], secrets: tuple[str, ...]) -> str | None:
    """The first that looks like an id, and tells no secret."""
    texts = [value.strip() for value in values if isinstance(value, str)]
    ids = [text for text in texts if re.fullmatch(r"[\w.-]{1,100}", text, re.ASCII)]
    return next((text for text in ids if shown(text, secrets) == text), None)


def _text(value: str | None, secrets: tuple[str, ...]) -> str | None:
    return value if value is None or value in _KNOWN else shown(value, secrets) or None


def _credentials_in(objects: list[dict[str, Any]]) -> list[str]:
    """Tokens in an answer that is none must not come out by way of another field."""
    return [value for value in _values(objects, _TOKEN_NAMES) if isinstance(value, str)]


# -- answers without a JSON object

_LONGEST_TEXT = 65_536  # bytes that are looked at: all that a message could show, and more
_SEARCHED = 8_192  # characters of a page, a form or a header that are taken apart
_LEFT_OUT = 512  # and those behind them, in which the beginning of a secret may end
_LEAF = re.compile(r"<(?:\w{1,30}:)?(\w{1,40})(?:\s[^<>]{0,200})?>([^<]{1,1000})</")
_TITLE = re.compile(r"<(title)(?:\s[^<>]{0,200})?>([^<]{1,1000})<", re.IGNORECASE)
_CHALLENGE = re.compile(r'\b(error|error_description)="([^"]{1,1000})"')


def _fields_of(response: Response, secrets: tuple[str, ...]) -> Mapping[str, Any]:
    """What a list, a form, a page or XML tells; without a body, the challenge (RFC 6750 §3).

    Nothing where it repeats a secret: one with markup in it would come in pieces.
    """
    text = _body_text(response).strip()
    if text.startswith("["):
        with contextlib.suppress(ValueError, RecursionError):
            return {"errors": json.loads(text)}
    whole = text or response.headers.get("www-authenticate", "")
    if repeats(whole[: _SEARCHED + _LEFT_OUT], secrets):
        return {}
    if not text:
        return dict(_CHALLENGE.findall(whole[:_SEARCHED]))
    text = text[:_SEARCHED]
    if text.startswith("<"):
        page = re.search(r"<(?:!doctype )?html\b", text, re.IGNORECASE)
        leaves = (_TITLE if page else _LEAF).findall(text)
        return {name: html.unescape(value) for name, value in reversed(leaves)}
    return dict(parse_qsl(text)) if re.match(r"[\w.-]{1,40}=", text) else {}


def _body_text(response: Response) -> str:
    body = response.body[:_LONGEST_TEXT]
    return body.decode(json.detect_encoding(body), "replace")


def _body_shown(response: Response, secrets: tuple[str, ...]) -> str:
    return shown(_body_text(response), secrets) if response.body.strip() else "(no body)"


def origin(response: Response, secrets: tuple[str, ...]) -> str:
    """Where a redirect leads, without user information, query and fragment: all may be secret."""
    location = response.headers.get("location", "nowhere")
    try:
        parts = urlsplit(location)
    except ValueError:
        return "something that is no URL"
    host = parts.netloc.rpartition("@")[2]
    return shown(urlunsplit((parts.scheme, host, parts.path, "", "")), secrets)


# -- whether and when to ask again


def _transient(status: int, numbers: list[str], texts: Iterable[str | None]) -> bool:
    """Whether asking again can help; the first rule that applies counts."""
    words = {text.lower() for text in texts if text}
    if status in (408, 429):
        return True
    for number in map(str.upper, numbers):
        if number in _TRANSIENT_NUMBERS | _PERMANENT_NUMBERS:
            return number in _TRANSIENT_NUMBERS
    if words & (_TRANSIENT | _PERMANENT):
        return bool(words & _TRANSIENT)
    return status == 409 or (500 <= status < 600 and status not in (501, 505))


def _retry_after(response: Response, now: Instant) -> float | None:
    """Seconds the server wants to be left alone (RFC 9110 §10.2.3), or None.

    Okta and Auth0 name, on a 429, the second since the epoch at which a rate limit ends.
    """
    value = response.headers.get("retry-after", "").strip()
    seconds = _number(value)
    if seconds is None and value:
        seconds = _seconds_until(value, now)
    if seconds is None and response.status == 429:
        reset = _number(response.headers.get("x-rate-limit-reset", "")) or _number(
            response.headers.get("x-ratelimit-reset", "")
        )
        seconds = reset - now.wall if reset else None
    return seconds if seconds is not None and seconds > 0 else None


def _number(text: str) -> float | None:
    """A plain decimal number; nothing else that float() takes (inf, nan, 1e9, 1_0)."""
    return float(text) if re.fullmatch(r"\d{1,15}(\.\d{1,9})?", text.strip(), re.ASCII) else None


def _seconds_until(date: str, now: Instant) -> float | None:
    """An HTTP date; one without a zone is in UTC, whatever the zone of this machine."""
    try:
        when = parsedate_to_datetime(date)
        utc = when if when.tzinfo else when.replace(tzinfo=timezone.utc)
        return utc.timestamp() - now.wall
    except (ValueError, OverflowError):
        return None
