"""Libraries that hand out a header, or put it into a request."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ._peer import Endpoint, Peer, bearer

API = "https://api.example.com/items"
"""What the header is for; nothing is sent there."""


class CogniteSdk(Peer):
    name = distribution = "cognite-sdk"
    gives = "header"
    margin = 30

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        credentials = import_module("cognite.client.credentials")
        self._credentials = credentials.OAuthClientCredentials(
            endpoint.token_url(tls=tls), endpoint.client_id, endpoint.client_secret, scopes=None
        )

    def caller(self) -> Callable[[], Any]:
        return self._credentials.authorization_header  # type: ignore[no-any-return]

    @staticmethod
    def access_token(answer: tuple[str, str]) -> str:
        return bearer(answer[1])


class RequestsOAuth2Client(Peer):
    name = distribution = "requests_oauth2client"
    gives = "header"
    margin = 20

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        library = import_module("requests_oauth2client")
        client = library.OAuth2Client(
            token_endpoint=endpoint.token_url(tls=tls),
            auth=(endpoint.client_id, endpoint.client_secret),
            testing=not tls,  # allows http
        )
        self._auth = library.OAuth2ClientCredentialsAuth(client)
        self._new_request = import_module("requests").Request("GET", API).prepare

    def caller(self) -> Callable[[], Any]:
        auth, request = self._auth, self._new_request()
        return lambda: auth(request)

    @staticmethod
    def access_token(answer: Any) -> str:
        return bearer(answer.headers["Authorization"])


class HttpxAuth(Peer):
    name = distribution = "httpx_auth"
    gives = "header"
    margin = 30

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        self._auth = import_module("httpx_auth").OAuth2ClientCredentials(
            endpoint.token_url(tls=tls), endpoint.client_id, endpoint.client_secret
        )

    def caller(self) -> Callable[[], Any]:
        flow, request = self._auth.auth_flow, import_module("httpx").Request("GET", API)
        return lambda: next(flow(request))

    @staticmethod
    def access_token(answer: Any) -> str:
        return bearer(answer.headers["Authorization"])


class GoogleAuth(Peer):
    """By its service account: a signed assertion (RFC 7523, 2.1) is its way for machines."""

    name = distribution = "google-auth"
    gives = "header"
    margin = 225

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        crypt = import_module("google.auth.crypt")
        self._credentials = import_module("google.oauth2.service_account").Credentials(
            crypt.RSASigner.from_string(private_key()),
            f"{endpoint.client_id}@example.com",
            endpoint.token_url(tls=tls),
            scopes=["read"],
        )
        self._request = import_module("google.auth.transport.requests").Request()

    def caller(self) -> Callable[[], Any]:
        before_request, request = self._credentials.before_request, self._request

        def call() -> dict[str, str]:
            headers: dict[str, str] = {}
            before_request(request, "GET", API, headers)
            return headers

        return call

    @staticmethod
    def access_token(answer: dict[str, str]) -> str:
        return bearer(answer["authorization"])


class GoogleAuthInBackground(GoogleAuth):
    name = "google-auth, non-blocking"
    waits = False

    def __init__(self, endpoint: Endpoint, *, tls: bool = False) -> None:
        super().__init__(endpoint, tls=tls)
        self._credentials.with_non_blocking_refresh()


@cache
def private_key() -> bytes:
    return rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
