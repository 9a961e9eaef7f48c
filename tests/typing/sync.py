"""The synchronous API as a user types it. Type-checked, not run."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import httpx
from typing_extensions import Self, assert_type

from pygen_auth import Credentials, OAuth2ClientCredentials, Token, TokenCredentials
from pygen_auth.client_auth import PrivateKeyJWT

URL = "https://auth.example.com/oauth2/token"


def shortest() -> None:
    credentials = OAuth2ClientCredentials(URL, "id", "secret")
    assert_type(credentials, OAuth2ClientCredentials)
    assert_type(credentials.get_headers(), dict[str, str])
    assert_type(credentials.authorization_header(), tuple[str, str])
    assert_type(credentials.token(), Token)
    assert_type(credentials.invalidate(credentials.token()), None)
    assert_type(credentials.invalidate("the text of a token"), None)
    assert_type(credentials.refresh_if_needed(), None)
    assert_type(credentials.close(), None)


def all_arguments(secret: Callable[[], str], context: ssl.SSLContext) -> None:
    OAuth2ClientCredentials(URL, "id", "secret", ["a", "b"], "https://api.example.com", 60)
    OAuth2ClientCredentials(URL, "id", secret, scopes="a b", audience=None, refresh_margin=0.5)
    OAuth2ClientCredentials(
        token_url=URL,
        client_id="id",
        client_auth="client_secret_basic",
        params={"resource": ["https://a.example", "https://b.example"], "one": "value"},
        client=httpx.Client,
        verify=context,
        insecure_hosts=("keycloak",),
        timeout=5,
        default_lifetime=600,
    )
    OAuth2ClientCredentials(URL, "id", client_auth=PrivateKeyJWT(Path("key.pem")))
    OAuth2ClientCredentials(URL, "id", "secret", client=httpx.Client(), verify=True)
    OAuth2ClientCredentials(URL, "id", "secret", verify="ca.pem")
    OAuth2ClientCredentials(URL, "id", "secret", verify=Path("ca.pem"))


def attributes(credentials: OAuth2ClientCredentials) -> None:
    assert_type(credentials.token_url, str)
    assert_type(credentials.client_id, str)
    assert_type(credentials.client_secret, str | Callable[[], str] | None)
    assert_type(credentials.scopes, list[str])
    assert_type(credentials.audience, str | None)
    assert_type(credentials.refresh_margin, float)
    credentials.refresh_margin = 60


def a_token(token: Token) -> None:
    assert_type(token.access_token, str)
    assert_type(token.expires_at, float)
    assert_type(token.lifetime, float)
    assert_type(token.scope, str | None)
    assert_type(token.lifetime_assumed, bool)
    assert_type(token.fingerprint, str)


class Mine(OAuth2ClientCredentials):
    """A subclass comes out of every short way as itself."""

    def enter(self) -> Self:
        with self as entered:
            return entered


def short_ways(environment: Mapping[str, str], config: Mapping[str, Any]) -> None:
    assert_type(Credentials.from_env(), Credentials)
    assert_type(Credentials.from_env(environment), Credentials)
    assert_type(Credentials.load(config), Credentials)
    assert_type(Credentials.load("token: abc"), Credentials)
    assert_type(OAuth2ClientCredentials.from_env(), OAuth2ClientCredentials)
    assert_type(OAuth2ClientCredentials.load({"client_id": "id"}), OAuth2ClientCredentials)
    assert_type(TokenCredentials.load({"token": "abc"}), TokenCredentials)
    assert_type(Mine.load(config), Mine)
    assert_type(Mine.from_env(), Mine)
    assert_type(OAuth2ClientCredentials.discover(URL, "id"), OAuth2ClientCredentials)
    assert_type(Mine.discover(URL, "id", "secret", verify_issuer=False, timeout=5), Mine)
    with Mine(URL, "id", "secret") as entered:
        assert_type(entered, Mine)


def a_token_from_elsewhere(current: Callable[[], str]) -> None:
    assert_type(TokenCredentials("abc"), TokenCredentials)
    assert_type(TokenCredentials(current).get_headers(), dict[str, str])


class Written(Credentials):
    """Credentials of a user's own: two methods, and the third follows."""

    def get_headers(self) -> dict[str, str]:
        return {"Authorization": "Bearer abc"}

    def refresh_if_needed(self) -> None: ...


assert_type(Written().authorization_header(), tuple[str, str])


# -- what others ask for


@runtime_checkable
class CogniteProvider(Protocol):
    """`CredentialProvider` of the Cognite SDK."""

    def authorization_header(self) -> tuple[str, str]: ...

    @classmethod
    def load(cls, config: dict[str, Any] | str) -> CogniteProvider: ...


class PygenCredentials(Protocol):
    """What Pygen's clients call."""

    def get_headers(self) -> dict[str, str]: ...

    def refresh_if_needed(self) -> None: ...


to_cognite: CogniteProvider = OAuth2ClientCredentials(URL, "id", "secret")
to_cognite_with_token: CogniteProvider = TokenCredentials("abc")
to_pygen: PygenCredentials = OAuth2ClientCredentials(URL, "id", "secret")
to_pygen_with_token: PygenCredentials = TokenCredentials("abc")


# -- what must not type-check


def refused(credentials: OAuth2ClientCredentials, token: Token) -> None:
    OAuth2ClientCredentials(URL)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    OAuth2ClientCredentials(URL, "id", 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    OAuth2ClientCredentials(URL, "id", "secret", [5])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    OAuth2ClientCredentials(URL, "id", "secret", [], None, "300")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    OAuth2ClientCredentials(URL, "id", "secret", [], None, 300, "client_secret_post")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    OAuth2ClientCredentials(URL, "id", "secret", tenant="common")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    OAuth2ClientCredentials(URL, "id", "secret", params={"resource": 5})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    OAuth2ClientCredentials(URL, "id", "secret", timeout="30")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    OAuth2ClientCredentials(URL, "id", "secret", client_auth=PrivateKeyJWT)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    OAuth2ClientCredentials(URL, "id", "secret", verify=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    credentials.token_url = URL  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    credentials.client_secret = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    credentials.refresh_margin = "300"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    credentials.invalidate(token.access_token.encode())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    credentials.invalidate()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    token.access_token = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    Credentials()  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]
    Credentials.load(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    TokenCredentials(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    TokenCredentials()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
