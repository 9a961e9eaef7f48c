"""Authlib's own server side, with its clients and tokens in memory."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Literal
from urllib.parse import parse_qs

from authlib.oauth2 import rfc6749, rfc6750
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.util import extract_basic_authorization

from ._http import Answer

AUTH_METHODS = ("client_secret_basic", "client_secret_post")


@dataclass(frozen=True)
class TokenRequest:
    """One request the token endpoint saw, recorded before it was answered. Its repr is secretless.

    `client_id` is the one of the Basic credentials or else of the form, `auth_method` is None
    where there is no client secret, and `at` is in seconds of `time.monotonic()`.
    """

    client_id: str | None
    auth_method: Literal["client_secret_basic", "client_secret_post"] | None
    audience: list[str]
    at: float
    headers: Mapping[str, str] = field(repr=False)  #: names in lower case
    form: dict[str, list[str]] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Client:
    """A registered client: what Authlib's `ClientMixin` asks for in this grant."""

    client_id: str
    client_secret: str = field(repr=False)
    auth_methods: frozenset[str]
    scopes: frozenset[str] | None

    def check_client_secret(self, client_secret: str) -> bool:
        return self.client_secret == client_secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self.auth_methods

    def check_grant_type(self, grant_type: str) -> bool:
        return True

    def get_allowed_scope(self, scope: str | None) -> str | None:
        known = self.scopes is None or self.scopes.issuperset((scope or "").split())
        return (scope or "") if known else None  # None is answered with invalid_scope


@dataclass
class IssuedToken:
    """An issued token: what Authlib's `TokenMixin` asks for when it is presented."""

    access_token: str = field(repr=False)
    client_id: str
    scope: str
    audience: list[str]
    expires_at: float  # seconds of time.monotonic()

    def is_expired(self) -> bool:
        return time.monotonic() >= self.expires_at

    def is_revoked(self) -> bool:
        return False  # a revoked token is unknown

    def get_scope(self) -> str:
        return self.scope


class TokenResponse(dict[str, Any]):
    """A token response whose repr is secretless: Authlib logs the repr of what it issues."""

    def __repr__(self) -> str:
        return "<token response>"


class Request(rfc6749.OAuth2Request):  # type: ignore[misc]  # Authlib is untyped
    """An HTTP request as Authlib wants it."""

    def __init__(self, method: str, path: str, headers: Message, body: bytes) -> None:
        # Authlib refuses http; what it guards against does not exist on loopback.
        super().__init__(method, "https://loopback" + path, headers=headers)
        is_form = headers.get_content_type() == "application/x-www-form-urlencoded"
        text = body.decode("utf-8", "replace") if is_form else ""
        self.fields = parse_qs(text, keep_blank_values=True)
        # RFC 6749, 3.2: a parameter without a value counts as left out.
        self.payload = BasicOAuth2Payload({n: v[0] for n, v in self.fields.items() if v[0]})
        self.raw = body

    @property
    def form(self) -> Any:
        return self.payload.data


class _Grant(rfc6749.ClientCredentialsGrant):  # type: ignore[misc]  # Authlib is untyped
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS


def _whole(seconds: float) -> float:
    return int(seconds) if seconds == int(seconds) else seconds


class Issuer(rfc6749.AuthorizationServer):  # type: ignore[misc]  # Authlib is untyped
    """Authlib's authorization server with its clients and tokens in memory."""

    def __init__(self, lifetime: Callable[[], float]) -> None:
        super().__init__()
        self.clients: dict[str, Client] = {}
        self.tokens: dict[str, IssuedToken] = {}
        self.register_grant(_Grant)
        generate = rfc6750.BearerTokenGenerator(
            lambda **_: secrets.token_urlsafe(32),
            expires_generator=lambda *_: _whole(lifetime()),
        )
        self.register_token_generator("default", generate)

    def query_client(self, client_id: str) -> Client | None:
        return self.clients.get(client_id)

    def authenticate_client(self, request: Any, methods: Any, endpoint: str = "token") -> Any:
        try:
            return super().authenticate_client(request, methods, endpoint)
        except ValueError as error:  # how Authlib fails on Basic credentials it cannot decode
            raise rfc6749.InvalidClientError(status_code=401) from error

    def generate_token(self, *args: Any, **kwargs: Any) -> TokenResponse:
        token = TokenResponse(super().generate_token(*args, **kwargs))
        token.setdefault("expires_in", 0)  # Authlib leaves 0 out, which would say "unknown"
        return token

    def save_token(self, token: TokenResponse, request: Request) -> None:
        self.tokens[token["access_token"]] = IssuedToken(
            token["access_token"],
            request.client.client_id,
            token.get("scope", ""),
            request.fields.get("audience", []),
            time.monotonic() + token["expires_in"],
        )

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Authlib asks for it; nobody here listens."""

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Iterable[tuple[str, str]]) -> Answer:
        return Answer(status, dict(headers), body)


class Validator(rfc6750.BearerTokenValidator):  # type: ignore[misc]  # Authlib is untyped
    def __init__(self, tokens: Mapping[str, IssuedToken]) -> None:
        super().__init__()
        self.tokens = tokens

    def authenticate_token(self, token_string: str) -> IssuedToken | None:
        return self.tokens.get(token_string)


def record(request: Request) -> TokenRequest:
    form, client_id, secret = request.fields, None, None
    with contextlib.suppress(ValueError):  # what cannot be decoded names nobody
        client_id, secret = extract_basic_authorization(request.headers)
    method: Literal["client_secret_basic", "client_secret_post"] | None = None
    if secret:
        method = "client_secret_basic"
    elif "client_secret" in form:
        method = "client_secret_post"
    return TokenRequest(
        client_id=client_id or request.form.get("client_id"),
        auth_method=method,
        audience=form.get("audience", []),
        at=time.monotonic(),
        headers={name.lower(): value for name, value in request.headers.items()},
        form=form,
        body=request.raw,
    )
