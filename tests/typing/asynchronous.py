"""The asynchronous API as a user types it. Type-checked, not run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
from typing_extensions import assert_type

from pygen_auth import (
    AsyncCredentials,
    AsyncOAuth2ClientCredentials,
    AsyncTokenCredentials,
    Credentials,
    Token,
)
from pygen_auth.providers import auth0

from .sync import CogniteProvider, PygenCredentials

URL = "https://auth.example.com/oauth2/token"


async def shortest() -> None:
    credentials = AsyncOAuth2ClientCredentials(URL, "id", "secret")
    assert_type(await credentials.get_headers(), dict[str, str])
    assert_type(await credentials.authorization_header(), tuple[str, str])
    assert_type(await credentials.token(), Token)
    assert_type(await credentials.refresh_if_needed(), None)
    assert_type(await credentials.invalidate(await credentials.token()), None)
    assert_type(await credentials.aclose(), None)


async def with_a_client(client: httpx.AsyncClient) -> None:
    AsyncOAuth2ClientCredentials(URL, "id", "secret", client=client)
    AsyncOAuth2ClientCredentials(URL, "id", "secret", client=httpx.AsyncClient)
    AsyncOAuth2ClientCredentials(URL, "id", "secret", client=httpx.Client)


class Mine(AsyncOAuth2ClientCredentials):
    """A subclass comes out of every short way as itself."""


async def short_ways() -> None:
    provider = auth0("tenant.eu.auth0.com", "https://api.example.com")
    assert_type(AsyncCredentials.from_env(), AsyncCredentials)
    assert_type(AsyncCredentials.load({"token": "abc"}), AsyncCredentials)
    assert_type(AsyncOAuth2ClientCredentials.from_env(), AsyncOAuth2ClientCredentials)
    assert_type(Mine.from_env(), Mine)
    assert_type(Mine.from_provider(provider, "id", "secret"), Mine)
    assert_type(await Mine.discover(URL, "id", "secret"), Mine)
    assert_type(await Mine.discover(provider, "id", verify_issuer=False), Mine)
    async with Mine(URL, "id", "secret") as entered:
        assert_type(entered, Mine)


async def a_token_from_elsewhere(
    current: Callable[[], str], coming: Callable[[], Awaitable[str]]
) -> None:
    assert_type(AsyncTokenCredentials("abc"), AsyncTokenCredentials)
    assert_type(await AsyncTokenCredentials(current).get_headers(), dict[str, str])
    assert_type(await AsyncTokenCredentials(coming).get_headers(), dict[str, str])


class Written(AsyncCredentials):
    """Credentials of a user's own: two methods, and the third follows."""

    async def get_headers(self) -> dict[str, str]:
        return {"Authorization": "Bearer abc"}

    async def refresh_if_needed(self) -> None: ...


async def what_follows() -> None:
    assert_type(await Written().authorization_header(), tuple[str, str])


# -- what must not type-check


async def refused(credentials: AsyncOAuth2ClientCredentials) -> None:
    credentials.get_headers()["Authorization"]  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    print(credentials.token().access_token)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    credentials.close()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    with credentials:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
    found: list[Mine] = [Mine.discover(URL, "id")]  # type: ignore[list-item]  # pyright: ignore[reportAssignmentType]
    mixed: list[Credentials] = [credentials]  # type: ignore[list-item]  # pyright: ignore[reportAssignmentType]
    to_pygen: list[PygenCredentials] = [credentials]  # type: ignore[list-item]  # pyright: ignore[reportAssignmentType]
    to_cognite: list[CogniteProvider] = [credentials]  # type: ignore[list-item]  # pyright: ignore[reportAssignmentType]
    assert found or mixed or to_pygen or to_cognite
    credentials.load({"token": "abc"})  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    AsyncCredentials()  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]
    AsyncTokenCredentials(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
