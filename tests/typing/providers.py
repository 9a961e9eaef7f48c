"""Presets and client authentication as a user types them. Type-checked, not run."""

from __future__ import annotations

from pathlib import Path

from typing_extensions import assert_type

from pygen_auth import OAuth2ClientCredentials
from pygen_auth.client_auth import (
    ClientAssertion,
    ClientSecretBasic,
    ClientSecretJWT,
    ClientSecretPost,
    PrivateKeyJWT,
    TLSClientCertificate,
)
from pygen_auth.providers import (
    Provider,
    auth0,
    cognite,
    cognite_entra,
    cognito,
    entra,
    keycloak,
    okta,
    okta_org,
)

URL = "https://auth.example.com/oauth2/token"

PRESETS: list[Provider] = [
    auth0("tenant.eu.auth0.com", "https://api.example.com"),
    auth0("tenant.eu.auth0.com", audience="https://api.example.com", organization="org_1"),
    cognite(),
    cognite_entra("contoso.onmicrosoft.com", "westeurope-1"),
    cognito(prefix="my-company", region="eu-west-1"),
    cognito("auth.example.com", user_pool_id="eu-west-1_AbCdEf123"),
    entra("contoso.onmicrosoft.com", resource="api://my-api"),
    keycloak("https://keycloak.example.com", "my-realm"),
    okta("my-org.okta.com", scopes="read write"),
    okta("my-org.okta.com", scopes=["read"], authorization_server="aus1"),
    okta_org("my-org.okta.com", scopes=("okta.users.read",)),
    Provider("mine", URL),
    Provider(
        name="mine",
        token_url=URL,
        issuer="https://auth.example.com",
        scopes=("read",),
        audience="https://api.example.com",
        client_auth=ClientSecretBasic(encoding="raw"),
        params={"resource": "https://api.example.com"},
        default_lifetime=3600,
        docs_url="https://auth.example.com/docs",
    ),
]


class Mine(OAuth2ClientCredentials):
    """A subclass comes out as itself."""


def used(provider: Provider) -> None:
    assert_type(provider.name, str)
    assert_type(provider.token_url, str)
    assert_type(provider.issuer, str | None)
    assert_type(provider.scopes, tuple[str, ...])
    assert_type(provider.default_lifetime, float | None)
    assert_type(
        OAuth2ClientCredentials.from_provider(provider, "id", "secret"), OAuth2ClientCredentials
    )
    assert_type(Mine.from_provider(provider, "id", lambda: "secret", scopes=["read"]), Mine)
    assert_type(Mine.discover(provider, "id", "secret"), Mine)


Way = (
    ClientSecretPost
    | ClientSecretBasic
    | ClientSecretJWT
    | PrivateKeyJWT
    | ClientAssertion
    | TLSClientCertificate
)

WAYS: list[str | Way] = [
    "client_secret_post",
    ClientSecretPost(),
    ClientSecretBasic(),
    ClientSecretBasic("form"),
    ClientSecretJWT("HS512", audience="https://auth.example.com"),
    PrivateKeyJWT("-----BEGIN PRIVATE KEY-----"),
    PrivateKeyJWT(b"-----BEGIN PRIVATE KEY-----", alg="RS256", kid="1", password=b"abc"),
    PrivateKeyJWT({"kty": "EC", "crv": "P-256"}, audience="https://auth.example.com"),
    PrivateKeyJWT(Path("key.pem"), certificate=Path("certificate.pem")),
    ClientAssertion("/var/run/secrets/token"),
    ClientAssertion(Path("/var/run/secrets/token")),
    ClientAssertion(lambda: "eyJ"),
    TLSClientCertificate(),
    TLSClientCertificate("certificate.pem", Path("key.pem"), password="abc"),
]

for way in WAYS:
    OAuth2ClientCredentials(URL, "id", client_auth=way)


# -- what must not type-check


def refused(provider: Provider) -> None:
    auth0("tenant.eu.auth0.com")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    okta("my-org.okta.com", "read")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    okta("my-org.okta.com", scopes=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    keycloak("https://keycloak.example.com", realm=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    entra(tenant_id="common")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    cognite("my-project")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Provider("mine")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    provider.token_url = URL  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    OAuth2ClientCredentials.from_provider("auth0", "id")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    OAuth2ClientCredentials.from_provider(provider, client_secret="secret")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    OAuth2ClientCredentials.discover(URL, "id", "secret", False)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ClientSecretBasic("utf-8")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ClientSecretJWT(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PrivateKeyJWT()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    PrivateKeyJWT(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ClientAssertion(lambda: 5)  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
    TLSClientCertificate(b"certificate")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
