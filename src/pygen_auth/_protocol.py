"""RFC 6749 §4.4 as pure functions: the only place that imports Authlib, and that reads an answer.

Authlib prepares and signs the request; this module judges the response itself, since Authlib
takes an error without a code, or an answer without a token, for a token.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeGuard
from urllib.parse import quote, urlencode

from authlib.oauth2 import OAuth2Client

from ._clock import Instant
from ._errors import InvalidResponseError, RefusedError, shown
from ._grant import LONGEST, Grant
from ._token import Token
from ._wire import Request, Response

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


# -- the request


class _PreparedRequest(OAuth2Client):  # type: ignore[misc]  # Authlib has no type hints
    """Authlib's protocol client, which hands the request back instead of sending it."""

    def _fetch_token(
        self, url: str, body: str, headers: dict[str, str], auth: Any, method: str
    ) -> tuple[str, dict[str, str], bytes]:
        url, headers, body = auth.prepare(method, url, headers, body)
        return url, headers, body.encode("ascii")


def _basic(
    client: Any, method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    """`client_secret_basic`, id and secret percent-encoded first (RFC 6749 §2.3.1).

    Authlib's own encodes neither and fails outside Latin-1.
    """
    pair = f"{_form_encoded(client.client_id)}:{_form_encoded(client.client_secret)}"
    headers["Authorization"] = f"Basic {base64.b64encode(pair.encode('ascii')).decode('ascii')}"
    return uri, headers, body


def _form_encoded(text: str) -> str:
    """Space as %20, not +: every server that decodes takes it."""
    return quote(text, safe="")


def token_request(grant: Grant, secret: str, timeout: float) -> Request:
    """The request of RFC 6749 §4.4.2, with every parameter, every time.

    Args:
        grant: what to ask for.
        secret: the client's secret as it is now.
        timeout: seconds the answer may take.
    """
    client = _PreparedRequest(
        session=None,
        client_id=grant.client_id,
        client_secret=secret,
        token_endpoint_auth_method=grant.client_auth,
    )
    client.register_client_auth_method(("client_secret_basic", _basic))
    url, headers, body = client.fetch_token(
        grant.token_url,
        body=urlencode(grant.params),  # as keywords, Authlib drops, joins or takes some of them
        headers={  # a new dict: Authlib's default one is shared, and Basic writes into it
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8",
        },
        grant_type="client_credentials",
        scope=list(grant.scopes),
        audience=grant.audience,
    )
    encoded = f"{_form_encoded(grant.client_id)}:{_form_encoded(secret)}"
    secrets = (secret, f"{grant.client_id}:{secret}", encoded)
    return Request(url=url, headers=headers, body=body, timeout=timeout, secrets=secrets)


# -- the answer


def parse_token(
    response: Response, now: Instant, default_lifetime: float, secrets: tuple[str, ...] = ()
) -> Token:
    """The token in a successful response (RFC 6749 §5.1).

    Args:
        response: the whole answer.
        now: both clocks, read before the request was sent.
        default_lifetime: seconds, where the server names none.
        secrets: texts that no message may show.

    Raises:
        RefusedError: the server said no.
        InvalidResponseError: the answer holds no token that a client may use.
    """
    fields = _json_object(response)
    if not 200 <= response.status < 300 or (fields is not None and fields.get("error")):
        raise _refusal(response, fields or {}, now, secrets)
    if fields is None:
        raise _invalid(_what_is_no_json(response, secrets))
    return _token(fields, now, default_lifetime, secrets)


def is_bearer_text(token: object) -> TypeGuard[str]:
    """Whether it can stand in a header: printable ASCII without spaces, nothing that splits."""
    return isinstance(token, str) and re.fullmatch(r"[\x21-\x7e]+", token) is not None


def _token(
    fields: Mapping[str, Any], now: Instant, default_lifetime: float, secrets: tuple[str, ...]
) -> Token:
    access_token, token_type = fields.get("access_token"), fields.get("token_type")
    if access_token is None:
        raise _invalid("missing access_token field")
    if not is_bearer_text(access_token):
        raise _invalid("access_token is not a text of printable ASCII characters without spaces")
    if token_type is not None and str(token_type).lower() not in ("bearer", "bearertoken"):
        shown_type = shown(str(token_type), (*secrets, access_token))
        raise _invalid(f"token_type is {shown_type!r}, and only Bearer tokens can be used")
    lifetime = _lifetime(fields.get("expires_in"), default_lifetime)
    scope = fields.get("scope")
    return Token(
        access_token=access_token,
        expires=now.after(lifetime),
        lifetime=lifetime,
        scope=scope if isinstance(scope, str) else None,
        lifetime_assumed=fields.get("expires_in") is None,
    )


def _lifetime(expires_in: Any, default_lifetime: float) -> float:
    """`expires_in` in seconds: a number, or a text of one as from Entra v1 and Apigee."""
    if expires_in is None:
        return default_lifetime
    seconds = _float(expires_in)
    if seconds is None:
        raise _invalid("expires_in is not a number")
    if not math.isfinite(seconds) or seconds > LONGEST:
        raise _invalid("expires_in is not a number of seconds under ten years")
    if seconds <= 0:
        raise _invalid("expires_in is not above zero: the token is dead already", retryable=True)
    return seconds


def _float(value: Any) -> float | None:
    """None where it is no number; an exception would carry the value, and that may be a secret."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def expired_on_arrival(token: Token) -> InvalidResponseError:
    """The answer took longer than the token lives."""
    return _invalid(
        f"the token lives {token.lifetime:g} s and had expired when it arrived", retryable=True
    )


def _invalid(what: str, *, retryable: bool = False) -> InvalidResponseError:
    return InvalidResponseError(f"Invalid token response from server: {what}", retryable=retryable)


def _json_object(response: Response) -> dict[str, Any] | None:
    if response.defect is not None:
        return None
    try:
        fields = json.loads(response.body)
    except (ValueError, RecursionError):  # not JSON, not Unicode, or nested without end
        return None
    return fields if isinstance(fields, dict) else None


def _what_is_no_json(response: Response, secrets: tuple[str, ...]) -> str:
    """Says what came, and not one character of it: a body that is no JSON may hold a token."""
    if response.defect is not None:
        return response.defect
    if not response.body.strip():
        return "the body is empty"
    media_type = response.headers.get("content-type", "").partition(";")[0].strip()
    known = re.fullmatch(r"[\w.+-]{1,50}/[\w.+-]{1,50}", media_type)
    kind = shown(media_type, secrets) if known else "no content type"
    return f"the body is not a JSON object ({kind}, {len(response.body)} bytes)"


# -- the refusal


def _refusal(
    response: Response, fields: Mapping[str, Any], now: Instant, secrets: tuple[str, ...]
) -> RefusedError:
    secrets = (*secrets, *_credentials_in(fields))
    error, description = _error_of(fields, secrets)
    code = _provider_code(fields, description)
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
        retryable=_transient(response.status, error, description),
        retry_after=_retry_after(response, now),
        hint=next((HINTS[key] for key in keys if key in HINTS), None),
    )


def _error_of(fields: Mapping[str, Any], secrets: tuple[str, ...]) -> tuple[str | None, str | None]:
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
    return _text(error, secrets), _text(description, secrets)


def _text(value: Any, secrets: tuple[str, ...]) -> str | None:
    if value is None or value == "" or isinstance(value, (dict, list)):
        return None
    return shown(str(value), secrets)


def _credentials_in(fields: Mapping[str, Any]) -> list[str]:
    """Tokens in an answer that is none must not come out by way of another field."""
    names = ("access_token", "refresh_token", "id_token", "client_secret", "client_assertion")
    return [value for name in names if isinstance(value := fields.get(name), str)]


def _provider_code(fields: Mapping[str, Any], description: str | None) -> str | None:
    match = re.match(r"AADSTS\d+", description or "")
    if match:
        return match.group()
    code = fields.get("errorCode")
    return code if isinstance(code, str) and re.fullmatch(r"\w{1,40}", code) else None


def _body_shown(response: Response, secrets: tuple[str, ...]) -> str:
    if not response.body.strip():
        return "(no body)"
    text = response.body.decode(json.detect_encoding(response.body), "replace")
    return shown(text, secrets)


def _origin(response: Response, secrets: tuple[str, ...]) -> str:
    """Where a redirect leads, without the query, which may repeat the form."""
    location = response.headers.get("location", "nowhere")
    return shown(location.partition("?")[0].partition("#")[0].rpartition("@")[2], secrets)


def _transient(status: int, error: str | None, description: str | None) -> bool:
    """Whether asking again can help; the first rule that applies counts."""
    codes = {text.strip().lower() for text in (error, description) if text}
    if status in (408, 429) or codes & _TRANSIENT:
        return True
    if codes & _PERMANENT:
        return False
    return status == 409 or (500 <= status < 600 and status not in (501, 505))


def _retry_after(response: Response, now: Instant) -> float | None:
    """Seconds the server wants to be left alone (RFC 9110 §10.2.3), or None.

    Okta and Auth0 name, on a 429, the second since the epoch at which a rate limit ends.
    """
    value = response.headers.get("retry-after", "").strip()
    seconds = _number(value)
    if seconds is None and value:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now.wall
        except (ValueError, OverflowError):
            seconds = None
    if seconds is None and response.status == 429:
        reset = _number(response.headers.get("x-rate-limit-reset", "")) or _number(
            response.headers.get("x-ratelimit-reset", "")
        )
        seconds = reset - now.wall if reset else None
    return seconds if seconds is not None and seconds > 0 else None


def _number(text: str) -> float | None:
    """A plain decimal number; nothing else that float() takes (inf, nan, 1e9, 1_0)."""
    return float(text) if re.fullmatch(r"\d{1,15}(\.\d{1,9})?", text.strip(), re.ASCII) else None
