"""Adapters as a user passes them to HTTP clients. Type-checked, not run."""

from __future__ import annotations

import sys

import httpx
import requests

from pygen_auth import AsyncOAuth2ClientCredentials, OAuth2ClientCredentials, TokenCredentials
from pygen_auth.auth import AsyncBearerAuth, BearerAuth

API = "https://api.example.com/items"


def synchronous(credentials: OAuth2ClientCredentials) -> None:
    auth = BearerAuth(credentials)
    httpx.get(API, auth=auth)
    httpx.Client(auth=BearerAuth(credentials, allowed_hosts=["api.example.com"]))
    requests.get(API, auth=auth, timeout=5)
    session = requests.Session()
    session.auth = auth


async def asynchronous(credentials: AsyncOAuth2ClientCredentials) -> None:
    async with httpx.AsyncClient(auth=AsyncBearerAuth(credentials)) as client:
        await client.get(API, auth=BearerAuth(TokenCredentials("abc")))


if sys.version_info >= (3, 11):
    import httpx2

    def synchronous_httpx2(credentials: OAuth2ClientCredentials) -> None:
        httpx2.get(API, auth=BearerAuth(credentials))
        httpx2.Client(auth=BearerAuth(credentials))

    async def asynchronous_httpx2(credentials: AsyncOAuth2ClientCredentials) -> None:
        async with httpx2.AsyncClient(auth=AsyncBearerAuth(credentials)) as client:
            await client.get(API, auth=AsyncBearerAuth(credentials))


# -- what must not type-check


def refused(credentials: OAuth2ClientCredentials, twin: AsyncOAuth2ClientCredentials) -> None:
    BearerAuth(twin)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncBearerAuth(credentials)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    BearerAuth("abc")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    BearerAuth(credentials, ["api.example.com"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    BearerAuth(credentials, allowed_hosts=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
