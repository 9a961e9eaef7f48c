"""What a server says when it says no: the only place that reads an error response.

RFC 6749 §5.2 says how it should be; this module also reads what providers really send.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ._clock import Instant
from ._errors import RefusedError, shown
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

HINTS: Mapping[str, str] = {
    "invalid_client": "check client_id and client_secret, and whether this client wants "
    "client_auth='client_secret_basic' or 'client_secret_post'",
    "unauthorized_client": "check client_id, and that the client credentials grant is enabled "
    "for this client",
    "invalid_scope": "check scopes: the server knows no such scope, or not for this client",
    "unsupported_grant_type": "check token_url: this endpoint does not do client credentials",
    "AADSTS7000215": "client_secret must be the secret's value, not its id",
    "AADSTS7000222": "this client_secret has expired; make a new one in the app registration",
    "AADSTS700016": "this client_id does not exist in the tenant of token_url; check both",
    "AADSTS90002": "the tenant in token_url does not exist",
    "AADSTS1002012": "scopes must be the resource followed by /.default",
    "404": "check token_url: the server has nothing there",
    "405": "check token_url: the server takes no token requests there",
}
"""Advice in one sentence, by provider code, error code or HTTP status; the first that fits."""

_KNOWN = frozenset({*_TRANSIENT, *_PERMANENT, *HINTS})
"""Words that are no secret, whatever somebody's secret may be."""


def refusal(
    response: Response, fields: Mapping[str, Any], now: Instant, secrets: tuple[str, ...]
) -> RefusedError:
    secrets = (*secrets, *_credentials_in(fields))
    codes = _error_of(fields)
    error, description = (_text(value, secrets) for value in codes)
    code = _provider_code(fields, codes[1], secrets)
    said = ": ".join(filter(None, (error, description))) or _body_shown(response, secrets)
    if 300 <= response.status < 400:
        said = f"it points to {_origin(response, secrets)}, and token requests follow no redirect"
    trace_id = fields.get("trace_id") or fields.get("errorId") or fields.get("correlation_id")
    keys = filter(None, (code, error, str(response.status)))
    return RefusedError(
        f"Token request failed with status {response.status}: {said}",
        status=response.status,
        error=error,
        description=description,
        code=code,
        trace_id=shown(trace_id, secrets) if isinstance(trace_id, str) else None,
        retryable=_transient(response.status, codes),
        retry_after=_retry_after(response, now),
        hint=next((HINTS[key] for key in keys if key in HINTS), None),
    )


def _error_of(fields: Mapping[str, Any]) -> tuple[Any, Any]:
    """Code and description, also where a server writes them in its own way.

    Besides RFC 6749 §5.2: Okta's API (`errorCode`, `errorSummary`), Apigee (`ErrorCode`, `Error`),
    and an object as `error` (`{"code": …, "message": …}`).
    """
    error = fields.get("error") or fields.get("errorCode") or fields.get("ErrorCode")
    description = fields.get("error_description") or fields.get("errorSummary")
    if isinstance(error, dict):
        description = description or error.get("message")
        error = error.get("status") or error.get("code") or error.get("type")
    description = description or fields.get("message") or fields.get("Error")
    return error, description


def _text(value: Any, secrets: tuple[str, ...]) -> str | None:
    if value is None or value == "" or isinstance(value, (dict, list)):
        return None
    return str(value) if value in _KNOWN else shown(str(value), secrets)


def _credentials_in(fields: Mapping[str, Any]) -> list[str]:
    """Tokens in an answer that is none must not come out by way of another field."""
    names = ("access_token", "refresh_token", "id_token", "client_secret", "client_assertion")
    return [value for name in names if isinstance(value := fields.get(name), str)]


def _provider_code(
    fields: Mapping[str, Any], description: Any, secrets: tuple[str, ...]
) -> str | None:
    match = re.match(r"AADSTS\d{1,9}", description) if isinstance(description, str) else None
    code = match.group() if match else fields.get("errorCode")
    if not isinstance(code, str) or not re.fullmatch(r"\w{1,40}", code):
        return None
    return code if shown(code, secrets) == code else None


def _body_shown(response: Response, secrets: tuple[str, ...]) -> str:
    if not response.body.strip():
        return "(no body)"
    text = response.body.decode(json.detect_encoding(response.body), "replace")
    return shown(text, secrets)


def _origin(response: Response, secrets: tuple[str, ...]) -> str:
    """Where a redirect leads, without user information, query and fragment: all may be secret."""
    location = response.headers.get("location", "nowhere")
    try:
        parts = urlsplit(location)
    except ValueError:
        return "something that is no URL"
    host = parts.netloc.rpartition("@")[2]
    return shown(urlunsplit((parts.scheme, host, parts.path, "", "")), secrets)


def _transient(status: int, codes: tuple[Any, Any]) -> bool:
    """Whether asking again can help; the first rule that applies counts."""
    words = {code.strip().lower() for code in codes if isinstance(code, str)}
    if status in (408, 429) or words & _TRANSIENT:
        return True
    if words & _PERMANENT:
        return False
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
