"""What each identity provider wants, as data: the only place that knows their URLs and rules.

    OAuth2ClientCredentials.from_provider(entra(tenant, resource=resource), client_id, secret)

Each function checks its values before any request and returns a `Provider`. For a provider without
a function make a `Provider`, or give its issuer to `OAuth2ClientCredentials.discover`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import quote

from ._checks import check_url
from ._entra import Cloud, azure_ad, entra, entra_v1
from ._errors import ConfigurationError
from ._provider import DOMAIN, NAME, TEXT, Provider, fitting, some_scopes

__all__ = [
    "Cloud",
    "Provider",
    "auth0",
    "azure_ad",
    "cognite",
    "cognite_entra",
    "cognito",
    "entra",
    "entra_v1",
    "keycloak",
    "okta",
    "okta_org",
]

_OKTA_DOMAIN = re.compile(rf"(?![^.]*-admin\.okta){DOMAIN.pattern}", re.IGNORECASE | re.ASCII)
_OKTA_SERVER = re.compile(r"\w+", re.ASCII)
_BEFORE_REALMS = re.compile(r"(?!.*/(?:realms|admin)(?:/|$))[^?\s]+")
_REALM = re.compile(r"(?!\.{1,2}$)[^\s/\\?#%]+")
_COGNITO_DOMAIN = re.compile(rf"(?!cognito-idp\.){DOMAIN.pattern}", re.IGNORECASE | re.ASCII)
_AWS_REGION = re.compile(r"(?!cn-)[a-z]+(?:-[a-z]+)+-\d+", re.ASCII)  # China has other hosts
_USER_POOL = re.compile(rf"({_AWS_REGION.pattern})_[0-9A-Za-z]+", re.ASCII)


def auth0(domain: str, audience: str, organization: str | None = None) -> Provider:
    """Auth0.

    Args:
        domain: "Domain" in the settings of the application, or your custom domain.
        audience: "Identifier" in the settings of the API, character by character.
        organization: name or id of the organization, where the application is to use one.

    Raises:
        ConfigurationError: a value cannot be right.

    https://auth0.com/docs/get-started/authentication-and-authorization-flow/client-credentials-flow
    """
    wanted = "the domain alone, as in 'my-tenant.eu.auth0.com', without https:// and path"
    host = fitting("domain", domain, DOMAIN, wanted).lower()
    params = {}
    if organization is not None:
        wanted = "the name or the id of an organization, as in 'org_abc123'"
        params["organization"] = fitting("organization", organization, TEXT, wanted)
    wanted = "the Identifier of the API, as in 'https://api.example.com/'"
    return Provider(
        name="auth0",
        token_url=f"https://{host}/oauth/token",
        issuer=f"https://{host}/",
        audience=fitting("audience", audience, TEXT, wanted),
        params=params,
        client_auth="client_secret_post",
        docs_url="https://auth0.com/docs/get-started/authentication-and-authorization-flow/"
        "client-credentials-flow",
    )


def okta(
    domain: str, *, scopes: Iterable[str] | str, authorization_server: str = "default"
) -> Provider:
    """Okta, by a custom authorization server: for APIs of your own.

    Args:
        domain: in the menu under your name in the Admin Console; without "-admin".
        scopes: of the authorization server, at least one.
        authorization_server: its id; in the Admin Console under Security > API.

    Raises:
        ConfigurationError: a value cannot be right.

    https://developer.okta.com/docs/guides/implement-grant-type/clientcreds/main/
    """
    wanted = "the id of the authorization server alone, as in 'default' or 'aus1a2b3c4'"
    server = fitting("authorization_server", authorization_server, _OKTA_SERVER, wanted)
    issuer = f"https://{_okta_domain(domain)}/oauth2/{server}"
    return Provider(
        name="okta",
        token_url=f"{issuer}/v1/token",
        issuer=issuer,
        scopes=some_scopes(scopes, "my_scope"),
        client_auth="client_secret_post",
        docs_url="https://developer.okta.com/docs/guides/implement-grant-type/clientcreds/main/",
    )


def okta_org(domain: str, *, scopes: Iterable[str] | str) -> Provider:
    """Okta, by the org authorization server: for the API of Okta itself.

    It wants a key and takes no secret: `client_auth=PrivateKeyJWT(key)`.

    Args:
        domain: as for `okta`.
        scopes: of Okta's API, such as "okta.users.read", at least one.

    Raises:
        ConfigurationError: a value cannot be right.

    https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/main/
    """
    issuer = f"https://{_okta_domain(domain)}"
    return Provider(
        name="okta_org",
        token_url=f"{issuer}/oauth2/v1/token",
        issuer=issuer,
        scopes=some_scopes(scopes, "okta.users.read"),
        client_auth_methods=("private_key_jwt",),
        docs_url="https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/main/",
    )


def cognite() -> Provider:
    """Cognite's own identity provider, for service accounts of Cognite Data Fusion.

    One URL for all organizations, and no scope.

    https://docs.cognite.com/cdf/access/concepts/authentication_flows_oidc
    """
    return Provider(
        name="cognite",
        token_url="https://auth.cognite.com/oauth2/token",
        issuer="https://auth.cognite.com",
        docs_url="https://docs.cognite.com/cdf/access/concepts/authentication_flows_oidc",
    )


def cognite_entra(tenant: str, cluster: str) -> Provider:
    """Cognite Data Fusion with Microsoft Entra ID as its identity provider.

    Args:
        tenant: as for `entra`.
        cluster: what the host of the project begins with: "westeurope-1" for
            https://westeurope-1.cognitedata.com.

    Raises:
        ConfigurationError: a value cannot be right.

    https://docs.cognite.com/cdf/access/entra/guides/add_service_principal
    """
    wanted = "the name alone, as in 'westeurope-1' for https://westeurope-1.cognitedata.com"
    name = fitting("cluster", cluster, NAME, wanted).lower()
    return replace(
        entra(tenant, resource=f"https://{name}.cognitedata.com"),
        name="cognite_entra",
        docs_url="https://docs.cognite.com/cdf/access/entra/guides/add_service_principal",
    )


def keycloak(base_url: str, realm: str) -> Provider:
    """Keycloak, and what is built on it.

    Args:
        base_url: the URL before "/realms"; with "/auth" up to version 16, or where it is set so.
            With http, its host must be listed in `insecure_hosts`.
        realm: the name of the realm, as in its URLs.

    Raises:
        ConfigurationError: a value cannot be right.

    https://www.keycloak.org/docs/latest/server_admin/index.html#_service_accounts
    """
    wanted = "the URL before /realms, as in 'https://sso.example.com' or 'https://…/auth'"
    base = fitting("base_url", base_url, _BEFORE_REALMS, wanted).rstrip("/")
    # Plain http is judged with insecure_hosts, when the credentials are made.
    check_url("base_url", re.sub("^http:", "https:", base, flags=re.IGNORECASE))
    wanted = "the name of the realm alone, as in 'my-realm'"
    issuer = f"{base}/realms/{quote(fitting('realm', realm, _REALM, wanted))}"
    return Provider(
        name="keycloak",
        token_url=f"{issuer}/protocol/openid-connect/token",
        issuer=issuer,
        client_auth="client_secret_post",
        docs_url="https://www.keycloak.org/docs/latest/server_admin/index.html#_service_accounts",
    )


def cognito(
    domain: str | None = None,
    *,
    prefix: str | None = None,
    region: str | None = None,
    user_pool_id: str | None = None,
) -> Provider:
    """Amazon Cognito, by the domain of a user pool.

    Args:
        domain: the domain of the user pool, Cognito's or your own.
        prefix: instead of `domain`, what Cognito's domain begins with; and with it
        region: the AWS region, such as "eu-west-1".
        user_pool_id: such as "eu-west-1_AbCdEf123"; needed for discovery alone.

    Raises:
        ConfigurationError: a value cannot be right, or not exactly one of `domain` and `prefix`
            is given.

    https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
    """
    return Provider(
        name="cognito",
        token_url=f"https://{_cognito_domain(domain, prefix, region)}/oauth2/token",
        issuer=None if user_pool_id is None else _user_pool_url(user_pool_id),
        client_auth="client_secret_post",
        docs_url="https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html",
    )


def _okta_domain(domain: str) -> str:
    wanted = "the domain alone, as in 'my-org.okta.com', without https:// and without -admin"
    return fitting("domain", domain, _OKTA_DOMAIN, wanted).lower()


def _cognito_domain(domain: str | None, prefix: str | None, region: str | None) -> str:
    if (domain is None) == (prefix is None) or (prefix is None) != (region is None):
        raise ConfigurationError(
            "give domain, as in 'auth.example.com', or both prefix and region, as in "
            "prefix='my-company', region='eu-west-1'"
        )
    if domain is not None:
        wanted = (
            "the domain alone, as in 'my-company.auth.eu-west-1.amazoncognito.com', and not the "
            "host of the issuer"
        )
        return fitting("domain", domain, _COGNITO_DOMAIN, wanted).lower()
    wanted = "what Cognito's domain begins with alone, as in 'my-company'"
    name = fitting("prefix", prefix, NAME, wanted).lower()
    wanted = "an AWS region outside China, as in 'eu-west-1'"
    where = fitting("region", region, _AWS_REGION, wanted)
    kind = "auth-fips" if where.startswith("us-gov-") else "auth"
    return f"{name}.{kind}.{where}.amazoncognito.com"


def _user_pool_url(user_pool_id: str) -> str:
    wanted = "the id of a user pool outside China, as in 'eu-west-1_AbCdEf123'"
    region = fitting("user_pool_id", user_pool_id, _USER_POOL, wanted).partition("_")[0]
    return f"https://cognito-idp.{region}.amazonaws.com/{user_pool_id}"
