"""Authlib's own server side, with its clients and tokens in memory."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from authlib.deprecate import AuthlibDeprecationWarning
from authlib.oauth2 import rfc6749, rfc6750

from ._http import Answer
from ._request import ASSERTION_METHODS, AUTH_METHODS, SECRET_METHODS, Request
from ._time import SERVER_TIME


@dataclass(frozen=True)
class Client:
    """A registered client: what Authlib's `ClientMixin` asks for in this grant."""

    client_id: str
    client_secret: str = field(repr=False)
    auth_methods: frozenset[str]
    scopes: frozenset[str] | None
    keys: Mapping[str, Any] = field(repr=False)  # joserfc's, for its assertions, by method

    def check_client_secret(self, client_secret: str) -> bool:
        return self.client_secret == client_secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self.auth_methods

    def check_grant_type(self, grant_type: str) -> bool:
        return True

    def get_allowed_scope(self, scope: str | None) -> str | None:
        known = self.scopes is None or self.scopes.issuperset((scope or "").split())
        return (scope or "") if known else None  # None is answered with invalid_scope


_QueryClient = Callable[[str], Client | None]


_ROUNDING = 1e-6
"""Seconds by which sums may differ that come to the same on paper, where a test sets the clock."""


@dataclass
class IssuedToken:
    """An issued token: what Authlib's `TokenMixin` asks for when it is presented."""

    access_token: str = field(repr=False)
    client_id: str
    scope: str
    audience: list[str]
    expires_at: float  # seconds of the server's monotonic clock

    def is_expired(self) -> bool:
        return SERVER_TIME.monotonic() >= self.expires_at - _ROUNDING

    def is_revoked(self) -> bool:
        return False  # a revoked token is unknown

    def get_scope(self) -> str:
        return self.scope


class TokenResponse(dict[str, Any]):
    """A token response whose repr is secretless: Authlib logs the repr of what it issues."""

    def __repr__(self) -> str:
        return "<token response>"


class _Grant(rfc6749.ClientCredentialsGrant):  # type: ignore[misc]  # Authlib is untyped
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS


def _by_certificate(query_client: _QueryClient, request: Request) -> Client | None:
    """RFC 8705, 2.1: the authority vouches for the key, and its certificate names the client."""
    certificate = request.certificate
    if request.presented() != "tls_client_auth" or certificate is None:
        return None
    client_id = request.form["client_id"]
    return query_client(client_id) if certificate.common_name == client_id else None


def _by_nothing(query_client: _QueryClient, request: Request) -> None:
    """No client authenticates so."""


def _whole(seconds: float) -> float:
    return int(seconds) if seconds == int(seconds) else seconds


class Issuer(rfc6749.AuthorizationServer):  # type: ignore[misc]  # Authlib is untyped
    """Authlib's authorization server with its clients and tokens in memory."""

    def __init__(
        self, lifetime: Callable[[], float], audiences: Callable[[], Collection[object]]
    ) -> None:
        super().__init__()
        self.clients: dict[str, Client] = {}
        self.tokens: dict[str, IssuedToken] = {}
        self._audiences = audiences
        self._assertions: dict[tuple[str, str], object] = {}
        self.register_client_auth_method("tls_client_auth", _by_certificate)
        for method in ASSERTION_METHODS:
            self.register_client_auth_method(method, _by_nothing)  # until there is such a client
        self.register_grant(_Grant)
        generate = rfc6750.BearerTokenGenerator(
            lambda **_: secrets.token_urlsafe(32),
            expires_generator=lambda *_: _whole(lifetime()),
        )
        self.register_token_generator("default", generate)

    def add_client(
        self,
        client_id: str,
        client_secret: str,
        public_key: str | bytes | None,
        auth_methods: Iterable[str] | None,
        scopes: Iterable[str] | None,
    ) -> None:
        if auth_methods is None:
            auth_methods = SECRET_METHODS if public_key is None else ["private_key_jwt"]
        methods, keys = frozenset(auth_methods), {}
        if not methods.isdisjoint(ASSERTION_METHODS):
            keys = self._judge_assertions().read_keys(methods, client_secret, public_key)
        allowed = None if scopes is None else frozenset(scopes)
        self.clients[client_id] = Client(client_id, client_secret, methods, allowed, keys)

    def query_client(self, client_id: str) -> Client | None:
        return self.clients.get(client_id)

    def authenticate_client(self, request: Any, methods: Any, endpoint: str = "token") -> Any:
        try:
            return super().authenticate_client(request, methods, endpoint)
        except ValueError as error:  # how Authlib fails on Basic credentials it cannot decode
            raise rfc6749.InvalidClientError(status_code=401) from error

    def _judge_assertions(self) -> Any:
        """Take assertions from now on; gives the module that judges them."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AuthlibDeprecationWarning)  # 1.7's of its own import
            from . import _assertion
        for method in ASSERTION_METHODS:
            judge = _assertion.ClientAssertion(method, self._audiences, self._assertions)
            self.register_client_auth_method(method, judge)
        return _assertion

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
            SERVER_TIME.monotonic() + token["expires_in"],
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
