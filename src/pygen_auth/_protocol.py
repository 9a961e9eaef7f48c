"""RFC 6749 §4.4 as pure functions: the only place that imports Authlib, and that reads a token.

Authlib prepares and signs the request; this module judges the response itself, since Authlib
takes an error without a code, or an answer without a token, for a token.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Client

from ._checks import LONGEST
from ._client_secret import ClientSecretBasic, ClientSecretPost
from ._clock import Instant
from ._errors import InvalidResponseError, RefusedError, shown
from ._grant import Grant
from ._token import Token
from ._undivided import first_use
from ._ways import basic_pair
from ._wire import Request, Response

if TYPE_CHECKING:
    from .client_auth import ClientAuth, Credential

MOST_VALUES = 10_000
"""Of a JSON text. Real answers have fifty; a mebibyte of empty objects takes 26 MB once parsed."""

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523 §2.2. Spelt here, since Authlib's own stands in a module that takes 80 ms to import."""


# -- the request


class _PreparedRequest(OAuth2Client):  # type: ignore[misc]  # Authlib has no type hints
    """Authlib's protocol client, which hands the request back instead of sending it."""

    def _fetch_token(
        self, url: str, body: str, headers: dict[str, str], auth: Any, method: str
    ) -> tuple[str, dict[str, str], bytes]:
        url, headers, body = auth.prepare(method, url, headers, body)
        return url, headers, body.encode("ascii")


def token_request(
    grant: Grant, way: ClientAuth, credential: Credential, wall: float, timeout: float
) -> Request:
    """The request of RFC 6749 §4.4.2, with every parameter, every time.

    Args:
        grant: what to ask for.
        way: how the client proves itself; one of `_ways.ways`.
        credential: what it does so with, as it is now.
        wall: seconds since the epoch, for what is signed.
        timeout: seconds the answer may take.
    """
    assertion = _assertion(grant, way, credential, wall)
    secret = credential if way.takes_secret and isinstance(credential, str) else ""
    client = _PreparedRequest(
        session=None,
        client_id=grant.client_id,
        client_secret=secret,
        # By "none", Authlib puts the client id alone into the form; assertions want it, too.
        token_endpoint_auth_method=way.name if secret else "none",
    )
    pairs = [basic_pair(encoding, grant.client_id, secret) for encoding in ("form", "raw")]
    client.register_client_auth_method((ClientSecretBasic.name, partial(_basic, way)))
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
        client_assertion_type=ASSERTION_TYPE if assertion else None,
        client_assertion=assertion,
    )
    secrets = (secret, *pairs) if secret else (assertion,) if assertion else ()
    return Request(url=url, headers=headers, body=body, timeout=timeout, secrets=secrets)


def _assertion(grant: Grant, way: ClientAuth, credential: Credential, wall: float) -> str | None:
    """The JWT of RFC 7523 §2.2, signed now or given; None where the client needs none."""
    if isinstance(credential, str):  # somebody's assertion, where it is not the secret, nor empty
        return None if way.takes_secret else credential or None
    from ._assertion import signed_assertion
    from .client_auth import ClientSecretJWT, PrivateKeyJWT

    assert isinstance(way, (ClientSecretJWT, PrivateKeyJWT))
    return signed_assertion(credential, grant.client_id, way.audience or grant.token_url, wall)


def _basic(
    way: ClientAuth, client: Any, method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    """Our own Basic: Authlib's encodes neither id nor secret, and fails outside Latin-1."""
    assert isinstance(way, ClientSecretBasic)
    pair = basic_pair(way.encoding, client.client_id, client.client_secret)
    headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
    return uri, headers, body


# -- the answer


def parse_token(
    response: Response,
    now: Instant,
    default_lifetime: float,
    secrets: tuple[str, ...] = (),
    client_auth: str = ClientSecretPost.name,
) -> Token:
    """The token in a successful response (RFC 6749 §5.1).

    Args:
        response: the whole answer.
        now: both clocks, read before the request was sent.
        default_lifetime: seconds, where the server names none.
        secrets: texts that no message may show.
        client_auth: the RFC 7591 name of how the client proved itself; advice depends on it.

    Raises:
        RefusedError: the server said no.
        InvalidResponseError: the answer holds no token that a client may use.
    """
    fields = json_object(response)
    if not 200 <= response.status < 300 or (fields is not None and fields.get("error")):
        raise _refusal(response, fields or {}, now, secrets, client_auth)
    if fields is None:
        raise _invalid(what_is_no_json(response, secrets))
    return _token(fields, now, default_lifetime, secrets)


def _refusal(response: Response, *about: Any) -> RefusedError:
    try:
        with first_use.alone():
            from ._refusal import refusal  # here: with its tables, it takes 3 ms to import
    except Exception as error:
        # A program may outlive its own files, as after an update, or be able to open none any more.
        # Callers go on with the token they have, as after every other refusal.
        failed = RefusedError(
            f"Token request failed with status {response.status}; what the server says could not "
            f"be read, since a module of pygen_auth could not be loaded ({type(error).__name__})",
            status=response.status,
            retryable=response.status >= 500,
        )
        failed.__cause__ = error
        return failed
    return refusal(response, *about)


def is_bearer_text(token: object) -> TypeGuard[str]:
    """Whether it can stand in a header: printable ASCII without spaces, nothing that splits."""
    if not isinstance(token, str) or not token or " " in token:
        return False
    return token.isascii() and token.isprintable()


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
    return Token.bearer(
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
    if isinstance(value, str):  # float() would take 1_000 and digits of other scripts, too
        return float(value) if re.fullmatch(r" *[+-]?[0-9]{1,20}(\.[0-9]*)? *", value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def expired_on_arrival(token: Token) -> InvalidResponseError:
    """The answer took longer than the token lives."""
    return _invalid(
        f"the token lives {token.lifetime:g} s and had expired when it arrived", retryable=True
    )


def _invalid(what: str, *, retryable: bool = False) -> InvalidResponseError:
    return InvalidResponseError(f"Invalid token response from server: {what}", retryable=retryable)


def json_object(response: Response) -> dict[str, Any] | None:
    if response.defect is not None or sum(map(response.body.count, b"{[,")) > MOST_VALUES:
        return None
    try:
        fields = json.loads(response.body)
    except (ValueError, RecursionError):  # not JSON, not Unicode, or nested without end
        return None
    return fields if isinstance(fields, dict) else None


def what_is_no_json(response: Response, secrets: tuple[str, ...]) -> str:
    """Says what came, and not one character of it: a body that is no JSON may hold a token."""
    if response.defect is not None:
        return shown(response.defect, secrets)
    if not response.body.strip():
        return "the body is empty"
    media_type = response.headers.get("content-type", "").partition(";")[0].strip()
    known = re.fullmatch(r"[\w.+-]{1,50}/[\w.+-]{1,50}", media_type)
    kind = shown(media_type, secrets) if known else "no content type"
    return f"the body is not a JSON object ({kind}, {len(response.body)} bytes)"
