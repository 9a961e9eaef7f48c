"""A request as it came: for Authlib to judge, and for the record."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Literal, get_args
from urllib.parse import parse_qs

from authlib.oauth2 import rfc6749
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.util import extract_basic_authorization

from ._time import SERVER_TIME
from ._tls import Certificate

AuthMethod = Literal[
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
]
AUTH_METHODS: tuple[AuthMethod, ...] = get_args(AuthMethod)
SECRET_METHODS: tuple[AuthMethod, ...] = ("client_secret_basic", "client_secret_post")
ASSERTION_METHODS: tuple[AuthMethod, ...] = ("client_secret_jwt", "private_key_jwt")
SIGNING_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
    *("HS256", "HS384", "HS512"),
)


@dataclass(frozen=True)
class TokenRequest:
    """One request the token endpoint saw, recorded before it was answered. Its repr is secretless.

    Attributes:
        client_id: the one of the Basic credentials, or else of the form.
        auth_method: how the client meant to authenticate, rightly or not: by a secret, by an
            assertion (its `alg` tells which kind), or by a certificate on the connection and
            nothing but its id in the form; else None.
        audience: the values of the form fields `audience`.
        at: when it came, in seconds of `time.monotonic()`, or of a `FakeClock` in its place.
        headers: its header fields, their names in lower case.
        form: the values of each form field.
        body: as it came.
        client_certificate: that of the connection, as PEM.
    """

    client_id: str | None
    auth_method: AuthMethod | None
    audience: list[str]
    at: float
    headers: Mapping[str, str] = field(repr=False)
    form: dict[str, list[str]] = field(repr=False)
    body: bytes = field(repr=False)
    client_certificate: str | None = field(repr=False)


class Request(rfc6749.OAuth2Request):  # type: ignore[misc]  # Authlib is untyped
    """An HTTP request as Authlib wants it."""

    def __init__(
        self,
        method: str,
        path: str,
        headers: Message,
        body: bytes,
        certificate: Certificate | None,
    ) -> None:
        # Authlib refuses http; what it guards against does not exist on loopback.
        super().__init__(method, "https://loopback" + path, headers=headers)
        is_form = headers.get_content_type() == "application/x-www-form-urlencoded"
        text = body.decode("utf-8", "replace") if is_form else ""
        self.fields = parse_qs(text, keep_blank_values=True)
        # RFC 6749, 3.2: a parameter without a value counts as left out.
        self.payload = BasicOAuth2Payload({n: v[0] for n, v in self.fields.items() if v[0]})
        self.raw = body
        self.certificate = certificate

    @property
    def form(self) -> Any:
        return self.payload.data

    def basic_credentials(self) -> tuple[str | None, str | None]:
        """The id and the secret of Basic credentials; what cannot be decoded names nobody."""
        try:
            client_id, secret = extract_basic_authorization(self.headers)
        except ValueError:
            return None, None
        return client_id, secret

    def presented(self) -> AuthMethod | None:
        """How the client means to authenticate."""
        if self.basic_credentials()[1]:
            return "client_secret_basic"
        if "client_assertion" in self.form:
            is_shared = _algorithm(self.form["client_assertion"]).startswith("HS")
            return "client_secret_jwt" if is_shared else "private_key_jwt"
        if "client_secret" in self.fields:
            return "client_secret_post"
        if self.certificate and "client_id" in self.form:
            return "tls_client_auth"
        return None


def _algorithm(assertion: str) -> str:
    """The `alg` that the header of a JWT names; nothing where there is none to be read."""
    header = assertion.partition(".")[0]
    try:
        return str(json.loads(base64.urlsafe_b64decode(header + "==="))["alg"])
    except (LookupError, RecursionError, TypeError, ValueError):
        return ""


def record(request: Request) -> TokenRequest:
    return TokenRequest(
        client_id=request.basic_credentials()[0] or request.form.get("client_id"),
        auth_method=request.presented(),
        audience=request.fields.get("audience", []),
        at=SERVER_TIME.monotonic(),
        headers={name.lower(): value for name, value in request.headers.items()},
        form=request.fields,
        body=request.raw,
        client_certificate=request.certificate.pem if request.certificate else None,
    )
