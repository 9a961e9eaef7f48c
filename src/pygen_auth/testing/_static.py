"""Credentials that need no network: everything is real but for the answer to token requests."""

from __future__ import annotations

import functools
from typing import Any

from .._async_credentials import AsyncOAuth2ClientCredentials
from .._credentials import OAuth2ClientCredentials
from .._token_credentials import checked_token

_SETTINGS = {
    # RFC 2606 §2: a name that never leads anywhere, should it get out all the same.
    "token_url": "https://static.invalid/oauth2/token",
    "client_id": "static-client",
    "client_secret": "static-secret",
}


def static(access_token: str = "static-token", **settings: Any) -> OAuth2ClientCredentials:
    """Credentials that need no network, and always have this token.

    They are `OAuth2ClientCredentials` as any other: with `token()`, `invalidate()`, events and all
    settings. Token requests are answered within the process, with a token of an hour.

    Args:
        access_token: the token, without `Bearer`.
        **settings: those of `OAuth2ClientCredentials` but `client` and `verify`, for code that
            reads them. `token_url`, `client_id` and `client_secret` have values of their own.

    Raises:
        ConfigurationError: the token is empty, or holds what no header may; a setting cannot be
            right.
    """
    return OAuth2ClientCredentials(client=_answering(access_token), **{**_SETTINGS, **settings})


def async_static(
    access_token: str = "static-token", **settings: Any
) -> AsyncOAuth2ClientCredentials:
    """The twin of `static` for asynchronous programs."""
    client = _answering(access_token)
    return AsyncOAuth2ClientCredentials(client=client, **{**_SETTINGS, **settings})


def _answering(access_token: str) -> functools.partial[Any]:
    return functools.partial(_client, checked_token(access_token))  # which can be pickled


def _client(access_token: str) -> Any:
    """An HTTP client whose every request is answered with the token."""
    import httpx  # here, as on the way of any other token

    fields = {"access_token": access_token, "token_type": "Bearer", "expires_in": 3600}
    answer = httpx.MockTransport(lambda _: httpx.Response(200, json=fields))
    return httpx.Client(transport=answer, trust_env=False)
