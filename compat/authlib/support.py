"""Authlib's protocol client as `_protocol` holds it, and what tells the versions apart."""

from __future__ import annotations

import re
from typing import Any

import authlib
from authlib.oauth2 import OAuth2Client

VERSION = tuple(map(int, re.findall(r"\d+", authlib.__version__)[:3]))

TOKEN_URL = "https://auth.example.com/oauth2/token"

Prepared = tuple[str, dict[str, str], str]


class Client(OAuth2Client):  # type: ignore[misc]  # Authlib has no type hints
    """Hands the request back instead of sending it."""

    def _fetch_token(self, url: str, **given: Any) -> Any:
        return given["auth"].prepare(given["method"], url, given["headers"], given["body"])


def client(method: str = "client_secret_post", secret: str = "the-secret", **more: Any) -> Client:
    return Client(
        session=None,
        client_id="the-client",
        client_secret=secret,
        token_endpoint_auth_method=method,
        **more,
    )


def prepared(client: Client, **keywords: Any) -> Prepared:
    """The request for a token by client credentials, in headers of its own."""
    request: Prepared = client.fetch_token(
        TOKEN_URL, **{"headers": {}, "grant_type": "client_credentials", **keywords}
    )
    return request
