"""Microsoft Entra ID as data: its clouds, and what a tenant, a scope and an issuer look like."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from ._errors import ConfigurationError
from ._provider import DOMAIN, WORD, Provider, fitting, some_scopes

Cloud = Literal["public", "us_government", "china", "bleu", "delos", "govsg"]
"""Microsoft's clouds: "public", "us_government", "china", and the sovereign ones of France
("bleu"), Germany ("delos") and Singapore ("govsg").
"""

_HOSTS: dict[str, str] = {
    "public": "login.microsoftonline.com",
    "us_government": "login.microsoftonline.us",
    "china": "login.partner.microsoftonline.cn",
    "bleu": "login.sovcloud-identity.fr",
    "delos": "login.sovcloud-identity.de",
    "govsg": "login.sovcloud-identity.sg",
}
_V1_ISSUERS: dict[str, tuple[str, ...]] = {  # Azure/aks-engine:pkg/api/defaults-apiserver.go
    "public": ("https://sts.windows.net/{guid}/",),
    "us_government": ("https://sts.windows.net/{guid}/",),
    "china": ("https://sts.chinacloudapi.cn/{guid}/",),
}
"""Those of v1.0 metadata, seen in v2.0 metadata too; not known for the sovereign clouds."""

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TENANT = re.compile(rf"{_GUID.pattern}|{DOMAIN.pattern}", re.IGNORECASE | re.ASCII)
_NO_TENANTS = ("common", "organizations", "consumers")
"""They stand for the tenant of the user who signs in."""
_SCOPE = re.compile(r"\S+/\.default")
_RESOURCE = re.compile(rf"(?!{_SCOPE.pattern}$)\S+")


def entra(
    tenant: str,
    *,
    scopes: Iterable[str] | str | None = None,
    resource: str | None = None,
    cloud: Cloud = "public",
) -> Provider:
    """Microsoft Entra ID, formerly Azure AD, by its v2.0 endpoint.

    Args:
        tenant: "Directory (tenant) ID" on the overview page of the app registration, a GUID; or a
            domain that the tenant has verified.
        scopes: one scope, a resource followed by "/.default". This grant takes no other: the
            token has the application permissions that an administrator consented to.
        resource: instead of `scopes`, the "Application ID URI" or the client id of the API. A
            slash at its end counts, and makes a scope with "//.default".
        cloud: where the tenant is.

    Raises:
        ConfigurationError: a value cannot be right, or not exactly one of `scopes` and `resource`
            is given.

    https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """
    host, tenant = _host(cloud), _tenant(tenant)
    return Provider(
        name="entra",
        token_url=f"https://{host}/{tenant}/oauth2/v2.0/token",
        issuer=f"https://{host}/{tenant}/v2.0",
        # Metadata names a tenant by its GUID; that of no tenant in particular says {tenantid}.
        issuers=(
            f"https://{host}/{_guid_of(tenant)}/v2.0",
            f"https://{host}/{{tenantid}}/v2.0",
            *_v1_issuers(cloud, tenant),
        ),
        scopes=(_scope(scopes, resource),),
        client_auth="client_secret_post",
        docs_url="https://learn.microsoft.com/en-us/entra/identity-platform/"
        "v2-oauth2-client-creds-grant-flow",
    )


azure_ad = entra


def entra_v1(tenant: str, resource: str, cloud: Cloud = "public") -> Provider:
    """Microsoft Entra ID by its old v1.0 endpoint.

    Args:
        tenant: as for `entra`.
        resource: the "Application ID URI" or the client id of the API, without "/.default".
        cloud: as for `entra`.

    Raises:
        ConfigurationError: a value cannot be right.

    https://learn.microsoft.com/en-us/azure/active-directory/azuread-dev/v1-oauth2-client-creds-grant-flow
    """
    host, tenant = _host(cloud), _tenant(tenant)
    wanted = "the API's Application ID URI or client id, as in 'api://my-api', without /.default"
    return Provider(
        name="entra_v1",
        token_url=f"https://{host}/{tenant}/oauth2/token",
        issuer=f"https://{host}/{tenant}",
        issuers=_v1_issuers(cloud, tenant),
        params={"resource": fitting("resource", resource, _RESOURCE, wanted)},
        client_auth="client_secret_post",
        docs_url="https://learn.microsoft.com/en-us/azure/active-directory/azuread-dev/"
        "v1-oauth2-client-creds-grant-flow",
    )


def _host(cloud: str) -> str:
    if not isinstance(cloud, str) or cloud not in _HOSTS:
        raise ConfigurationError(f"cloud must be one of {', '.join(_HOSTS)}")
    return _HOSTS[cloud]


def _tenant(tenant: str) -> str:
    wanted = "the tenant's GUID or a domain of it, as in 'contoso.onmicrosoft.com'"
    if isinstance(tenant, str) and tenant.strip().lower() in _NO_TENANTS:
        raise ConfigurationError(
            f"tenant must be {wanted}; {tenant.strip().lower()!r} stands for the tenant of the "
            "user who signs in, and with client credentials nobody does"
        )
    return fitting("tenant", tenant, _TENANT, wanted).lower()


def _guid_of(tenant: str) -> str:
    return tenant if _GUID.fullmatch(tenant) else "{guid}"


def _v1_issuers(cloud: str, tenant: str) -> tuple[str, ...]:
    templates = _V1_ISSUERS.get(cloud, ())
    return tuple(template.replace("{guid}", _guid_of(tenant)) for template in templates)


def _scope(scopes: Iterable[str] | str | None, resource: str | None) -> str:
    if (scopes is None) == (resource is None):
        raise ConfigurationError("give one of scopes and resource, as in resource='api://my-api'")
    if scopes is None:
        wanted = "the API's Application ID URI or client id, as in 'api://my-api'"
        bare = fitting("resource", resource, WORD, wanted)
        return bare if _SCOPE.fullmatch(bare) else f"{bare}/.default"
    wanted = (
        "one resource followed by /.default, as in 'api://my-api/.default'; resource= takes it bare"
    )
    several = set(some_scopes(scopes, "api://my-api/.default"))
    if len(several) > 1:
        raise ConfigurationError(f"scopes must be {wanted}: a token is for one resource")
    return fitting("scopes", several.pop(), _SCOPE, wanted)
