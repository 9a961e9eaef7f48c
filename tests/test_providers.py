"""Presets: what each provider wants, and that a value that cannot be right is told at once."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from pygen_auth import ConfigurationError, providers
from pygen_auth.client_auth import ClientSecretBasic
from pygen_auth.providers import (
    Provider,
    auth0,
    azure_ad,
    cognite,
    cognite_entra,
    cognito,
    entra,
    entra_v1,
    keycloak,
    okta,
    okta_org,
)

PAGE = Path(__file__).parents[1] / "docs" / "providers.md"
GUID = "72f988bf-86f1-41af-91ab-2d7cd011db47"
SECRET = "Zq8!very+secret/värde"

ALL = {
    "auth0": auth0("my-tenant.eu.auth0.com", "https://api.example.com/"),
    "cognite": cognite(),
    "cognite_entra": cognite_entra(GUID, "westeurope-1"),
    "cognito": cognito("auth.example.com"),
    "entra": entra(GUID, resource="api://my-api"),
    "entra_v1": entra_v1(GUID, "api://my-api"),
    "keycloak": keycloak("https://sso.example.com", "my-realm"),
    "okta": okta("my-org.okta.com", scopes=["my_scope"]),
    "okta_org": okta_org("my-org.okta.com", scopes=["okta.users.read"]),
}
each = pytest.mark.parametrize(
    ("name", "provider"), [pytest.param(*p, id=p[0]) for p in ALL.items()]
)


def refused(call: Callable[[], object]) -> str:
    """The message of the refusal; it never comes with a cause that could show the value."""
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return str(caught.value)


# -- what all have


def test_there_is_a_row_for_each_function() -> None:
    functions = {name for name in providers.__all__ if name.islower()}
    assert functions == {*ALL, "azure_ad"}


@each
def test_a_provider_is_named_as_its_function(name: str, provider: Provider) -> None:
    assert provider.name == name


@each
def test_a_provider_names_the_page_that_its_function_names(name: str, provider: Provider) -> None:
    assert provider.docs_url
    assert provider.docs_url.startswith("https://")
    assert provider.docs_url in (getattr(providers, name).__doc__ or "").split()


@each
def test_a_provider_is_described_with_an_example_and_its_page(
    name: str, provider: Provider
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert re.search(rf"^from pygen_auth\.providers import {name}$", text, re.MULTILINE)
    assert f"({provider.docs_url})" in text


@each
def test_a_provider_is_a_value(name: str, provider: Provider) -> None:
    assert pickle.loads(pickle.dumps(provider)) == copy.deepcopy(provider) == provider
    assert hash(provider) == hash(copy.copy(provider))
    with pytest.raises(dataclasses.FrozenInstanceError):
        provider.token_url = "https://elsewhere.example.com"  # type: ignore[misc]


@each
def test_no_lifetime_is_assumed_for_those_that_say_it(name: str, provider: Provider) -> None:
    assert provider.default_lifetime is None


@pytest.mark.parametrize("name", sorted({*ALL} - {"okta_org"}))
def test_the_secret_goes_into_the_form_and_other_ways_stay_open(name: str) -> None:
    # What Cognite's own server takes is not known; the library's default counts there.
    expected = None if name == "cognite" else "client_secret_post"
    assert ALL[name].client_auth == expected
    assert ALL[name].client_auth_methods == ()


# -- Entra ID


def test_entra_by_guid() -> None:
    provider = entra(GUID, resource="api://my-api")
    assert provider.token_url == f"https://login.microsoftonline.com/{GUID}/oauth2/v2.0/token"
    assert provider.issuer == f"https://login.microsoftonline.com/{GUID}/v2.0"
    assert provider.scopes == ("api://my-api/.default",)
    assert provider.audience is None
    assert provider.params == {}


def test_metadata_of_a_guid_must_have_that_guid() -> None:
    assert set(entra(GUID, resource="api://my-api").issuers) == {
        f"https://login.microsoftonline.com/{GUID}/v2.0",
        "https://login.microsoftonline.com/{tenantid}/v2.0",
        f"https://sts.windows.net/{GUID}/",
    }


def test_metadata_of_a_domain_may_have_any_guid() -> None:
    provider = entra("contoso.com", resource="api://my-api")
    assert provider.issuer == "https://login.microsoftonline.com/contoso.com/v2.0"
    assert set(provider.issuers) == {
        "https://login.microsoftonline.com/{guid}/v2.0",
        "https://login.microsoftonline.com/{tenantid}/v2.0",
        "https://sts.windows.net/{guid}/",
    }


@pytest.mark.parametrize("tenant", [GUID.upper(), "Contoso.OnMicrosoft.com"])
def test_the_case_of_a_tenant_does_not_matter(tenant: str) -> None:
    assert entra(tenant, resource="r") == entra(tenant.lower(), resource="r")


CLOUDS = {
    "public": "login.microsoftonline.com",
    "us_government": "login.microsoftonline.us",
    "china": "login.partner.microsoftonline.cn",
    "bleu": "login.sovcloud-identity.fr",
    "delos": "login.sovcloud-identity.de",
    "govsg": "login.sovcloud-identity.sg",
}


@pytest.mark.parametrize(("cloud", "host"), CLOUDS.items())
def test_each_cloud_has_its_host(cloud: Any, host: str) -> None:
    for provider in (entra(GUID, resource="r", cloud=cloud), entra_v1(GUID, "r", cloud)):
        assert provider.token_url.startswith(f"https://{host}/{GUID}/oauth2/")
        assert provider.issuer
        assert provider.issuer.startswith(f"https://{host}/{GUID}")


def test_the_clouds_are_known_to_type_checkers() -> None:
    assert get_args(providers.Cloud) == tuple(CLOUDS)


@pytest.mark.parametrize("cloud", ["germany", "", None, ["public"]])
def test_another_cloud_is_refused(cloud: Any) -> None:
    message = refused(lambda: entra(GUID, resource="r", cloud=cloud))
    assert message == f"cloud must be one of {', '.join(CLOUDS)}"


@pytest.mark.parametrize(
    ("resource", "scope"),
    [
        ("https://westeurope-1.cognitedata.com", "https://westeurope-1.cognitedata.com/.default"),
        ("api://my-api", "api://my-api/.default"),
        ("api://my-api/.default", "api://my-api/.default"),
        (GUID, f"{GUID}/.default"),
        ("https://management.azure.com/", "https://management.azure.com//.default"),
    ],
)
def test_a_resource_becomes_its_default_scope(resource: str, scope: str) -> None:
    assert entra(GUID, resource=resource).scopes == (scope,)


@pytest.mark.parametrize(
    "scopes",
    [
        ["api://my-api/.default"],
        ("api://my-api/.default", "api://my-api/.default"),
        " api://my-api/.default ",
    ],
)
def test_a_default_scope_is_taken_as_it_is(scopes: Any) -> None:
    assert entra(GUID, scopes=scopes).scopes == ("api://my-api/.default",)


@pytest.mark.parametrize(
    "scopes",
    [
        ["https://graph.microsoft.com/User.Read"],
        "User.Read",
        ["/.default"],
        ["api://my-api.default"],
        ["api://my-api/.default/"],
        [None],
        ["api://my api/.default"],
        ["api://one/.default", "api://two/.default"],
        ["api://one/.default", "offline_access"],
        [],
        "",
        {"api://my-api/.default": 1},
        b"api://my-api/.default",
        5,
    ],
)
def test_another_scope_is_refused(scopes: Any) -> None:
    assert refused(lambda: entra(GUID, scopes=scopes)).startswith("scopes must ")


def test_the_refusal_of_a_scope_shows_the_right_form() -> None:
    assert refused(lambda: entra(GUID, scopes=["User.Read"])) == (
        "scopes must be one resource followed by /.default, as in 'api://my-api/.default'; "
        "resource= takes it bare"
    )


def test_the_refusal_of_two_scopes_says_why() -> None:
    message = refused(lambda: entra(GUID, scopes="api://one/.default api://two/.default"))
    assert message.endswith("a token is for one resource")


@pytest.mark.parametrize("values", [{}, {"scopes": ["r/.default"], "resource": "r"}])
def test_entra_wants_one_of_scopes_and_resource(values: Any) -> None:
    assert refused(lambda: entra(GUID, **values)).startswith("give one of scopes and resource")


@pytest.mark.parametrize("resource", ["", " ", "api://my api", " api://my-api", 5])
def test_a_resource_that_is_none_is_refused(resource: Any) -> None:
    for call in (lambda: entra(GUID, resource=resource), lambda: entra_v1(GUID, resource)):
        assert refused(call).startswith("resource must be the API's Application ID URI")


TENANT_WANTED = "tenant must be the tenant's GUID or a domain of it"


@pytest.mark.parametrize(
    "tenant",
    [
        "",
        f" {GUID}",
        f"{GUID}\n",
        f"{{{GUID}}}",
        GUID.replace("-", ""),
        f"{GUID}/v2.0",
        "contoso",
        "contoso.com/oauth2",
        f"https://login.microsoftonline.com/{GUID}",
        "contoso.com:443",
        "user@contoso.com",
        "contoso..com",
        "-contoso.com",
        "contoso.com?x=y",
        "contoſo.com",
        None,
        b"contoso.com",
    ],
)
def test_a_tenant_that_is_none_is_refused(tenant: Any) -> None:
    calls = (
        lambda: entra(tenant, resource="r"),
        lambda: entra_v1(tenant, "r"),
        lambda: cognite_entra(tenant, "westeurope-1"),
    )
    for call in calls:
        assert refused(call).startswith(TENANT_WANTED)


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", "Common", " common"])
def test_a_tenant_of_whoever_signs_in_is_refused_with_the_reason(tenant: str) -> None:
    message = refused(lambda: entra(tenant, resource="r"))
    assert message.startswith(TENANT_WANTED)
    assert message.endswith(
        f"{tenant.strip().lower()!r} stands for the tenant of the user who signs in, "
        "and with client credentials nobody does"
    )


def test_azure_ad_is_entra() -> None:
    assert azure_ad is entra


def test_entra_v1_names_the_resource_and_no_scope() -> None:
    provider = entra_v1("contoso.com", "https://api.example.com/")
    assert provider.token_url == "https://login.microsoftonline.com/contoso.com/oauth2/token"
    assert provider.issuer == "https://login.microsoftonline.com/contoso.com"
    assert provider.params == {"resource": "https://api.example.com/"}
    assert provider.scopes == ()


@pytest.mark.parametrize(
    ("cloud", "tenant", "issuers"),
    [
        ("public", "contoso.com", ("https://sts.windows.net/{guid}/",)),
        ("public", GUID, (f"https://sts.windows.net/{GUID}/",)),
        ("us_government", GUID, (f"https://sts.windows.net/{GUID}/",)),
        ("china", GUID, (f"https://sts.chinacloudapi.cn/{GUID}/",)),
        ("bleu", GUID, ()),
    ],
)
def test_entra_v1_has_its_issuer_on_another_host(
    cloud: Any, tenant: str, issuers: tuple[str, ...]
) -> None:
    assert entra_v1(tenant, "r", cloud).issuers == issuers


def test_entra_v1_takes_no_default_scope() -> None:
    message = refused(lambda: entra_v1(GUID, "api://my-api/.default"))
    assert message.endswith("as in 'api://my-api', without /.default")


# -- Auth0


def test_auth0() -> None:
    provider = auth0("my-tenant.eu.auth0.com", "https://api.example.com/")
    assert provider.token_url == "https://my-tenant.eu.auth0.com/oauth/token"
    assert provider.issuer == "https://my-tenant.eu.auth0.com/"
    assert provider.audience == "https://api.example.com/"
    assert provider.scopes == ()
    assert provider.params == {}


def test_auth0_with_an_organization() -> None:
    provider = auth0("login.example.com", "aud", organization="org_abc123")
    assert provider.params == {"organization": "org_abc123"}


@pytest.mark.parametrize("audience", ["", " ", " aud", "aud\n", "a\nb", None, 5])
def test_an_audience_that_is_none_is_refused(audience: Any) -> None:
    message = refused(lambda: auth0("my-tenant.eu.auth0.com", audience))
    assert message.startswith("audience must be the Identifier of the API")


@pytest.mark.parametrize("organization", ["", " ", "org_abc123 ", 5])
def test_an_organization_that_is_none_is_refused(organization: Any) -> None:
    message = refused(lambda: auth0("my-tenant.eu.auth0.com", "aud", organization))
    assert message.startswith("organization must be the name or the id of an organization")


DOMAINS: dict[str, Callable[[Any], Provider]] = {
    "auth0": lambda domain: auth0(domain, "aud"),
    "okta": lambda domain: okta(domain, scopes="s"),
    "okta_org": lambda domain: okta_org(domain, scopes="s"),
    "cognito": cognito,
}
NO_DOMAINS = [
    "",
    "https://my-tenant.example.com",
    "http://my-tenant.example.com/",
    "my-tenant.example.com/",
    "my-tenant.example.com/oauth2/default",
    "my-tenant.example.com:443",
    "my-tenant.example.com ",
    "\tmy-tenant.example.com",
    "my-tenant.example.com.",
    ".example.com",
    "my_tenant.example.com",
    "me@example.com",
    "my-tenant",
    "müller.example.com",
    "o\N{KELVIN SIGN}ta.example.com",
    b"my-tenant.example.com",
]


@pytest.mark.parametrize("preset", DOMAINS)
@pytest.mark.parametrize("domain", NO_DOMAINS)
def test_a_domain_that_is_none_is_refused(preset: str, domain: Any) -> None:
    message = refused(lambda: DOMAINS[preset](domain))
    assert message.startswith("domain must be the domain alone, as in '")


@pytest.mark.parametrize("preset", DOMAINS)
def test_the_case_of_a_domain_does_not_matter(preset: str) -> None:
    make = DOMAINS[preset]
    assert make("My-Org.Example.com") == make("my-org.example.com")


# -- Okta


def test_okta_by_its_default_authorization_server() -> None:
    provider = okta("my-org.okta.com", scopes=["one", "two"])
    assert provider.token_url == "https://my-org.okta.com/oauth2/default/v1/token"
    assert provider.issuer == "https://my-org.okta.com/oauth2/default"
    assert provider.scopes == ("one", "two")
    assert provider.audience is None


def test_okta_by_another_authorization_server() -> None:
    provider = okta("login.example.com", scopes="one two", authorization_server="aus1a2b3c4")
    assert provider.token_url == "https://login.example.com/oauth2/aus1a2b3c4/v1/token"
    assert provider.issuer == "https://login.example.com/oauth2/aus1a2b3c4"
    assert provider.scopes == ("one", "two")


@pytest.mark.parametrize(
    "server",
    ["", "https://my-org.okta.com/oauth2/default", "oauth2/default", "default ", "a-b", None],
)
def test_an_authorization_server_that_is_none_is_refused(server: Any) -> None:
    message = refused(lambda: okta("my-org.okta.com", scopes="s", authorization_server=server))
    assert message.startswith("authorization_server must be the id of the authorization server")


@pytest.mark.parametrize("preset", ["okta", "okta_org"])
@pytest.mark.parametrize(
    "domain", ["my-org-admin.okta.com", "my-org-admin.oktapreview.com", "x-ADMIN.okta-emea.com"]
)
def test_the_host_of_oktas_admin_console_is_refused(preset: str, domain: str) -> None:
    assert refused(lambda: DOMAINS[preset](domain)).endswith("without -admin")


def test_a_custom_domain_of_okta_may_be_called_admin() -> None:
    provider = okta("my-admin.example.com", scopes="s")
    assert provider.issuer == "https://my-admin.example.com/oauth2/default"


@pytest.mark.parametrize(
    ("make", "example"),
    [
        (lambda scopes: okta("a.okta.com", scopes=scopes), "my_scope"),
        (lambda scopes: okta_org("a.okta.com", scopes=scopes), "okta.users.read"),
        (lambda scopes: entra(GUID, scopes=scopes), "api://my-api/.default"),
    ],
)
@pytest.mark.parametrize("scopes", [[], "", " ", ()])
def test_no_scope_is_refused_with_an_example(
    make: Callable[[Any], object], example: str, scopes: Any
) -> None:
    message = refused(lambda: make(scopes))
    assert message == f"scopes must name at least one, as in scopes=[{example!r}]"


def test_a_scope_with_white_space_is_refused() -> None:
    message = refused(lambda: okta("a.okta.com", scopes=["one", " two"]))
    assert message == "scopes must be words without white space; it has white space around it"


@pytest.mark.parametrize("scopes", [None, 5, b"one", {"one": 1}, [""], ["one two"], [None]])
def test_scopes_that_are_none_are_refused(scopes: Any) -> None:
    assert refused(lambda: okta("a.okta.com", scopes=scopes)).startswith("scopes must be ")


def test_oktas_org_authorization_server_wants_a_key() -> None:
    provider = okta_org("my-org.okta.com", scopes=["okta.users.read"])
    assert provider.token_url == "https://my-org.okta.com/oauth2/v1/token"
    assert provider.issuer == "https://my-org.okta.com"
    assert provider.scopes == ("okta.users.read",)
    assert provider.client_auth is None
    assert provider.client_auth_methods == ("private_key_jwt",)


# -- Cognite


def test_cognite_has_one_url_and_no_scope() -> None:
    provider = cognite()
    assert provider.token_url == "https://auth.cognite.com/oauth2/token"
    assert provider.issuer == "https://auth.cognite.com"
    assert provider.scopes == ()
    assert provider.audience is None
    assert provider.params == {}


def test_cognite_with_entra_is_entra_with_the_scope_of_the_cluster() -> None:
    expected = entra(GUID, scopes=["https://westeurope-1.cognitedata.com/.default"])
    provider = cognite_entra(GUID, "westeurope-1")
    assert provider.scopes == expected.scopes
    assert provider.token_url == expected.token_url
    assert provider.issuer == expected.issuer
    assert provider.issuers == expected.issuers
    assert cognite_entra(GUID, "WestEurope-1") == provider


@pytest.mark.parametrize(
    "cluster",
    [
        "",
        "https://westeurope-1.cognitedata.com",
        "westeurope-1.cognitedata.com",
        "westeurope-1/",
        " westeurope-1",
        "westeurope-1\n",
        "-1",
        "we\N{LATIN SMALL LETTER LONG S}teurope-1",
        None,
    ],
)
def test_a_cluster_that_is_none_is_refused(cluster: Any) -> None:
    message = refused(lambda: cognite_entra(GUID, cluster))
    assert message.startswith("cluster must be the name alone, as in 'westeurope-1'")


# -- Keycloak


@pytest.mark.parametrize(
    ("base_url", "base"),
    [
        ("https://sso.example.com", "https://sso.example.com"),
        ("https://sso.example.com/", "https://sso.example.com"),
        ("https://sso.example.com/auth/", "https://sso.example.com/auth"),
        ("https://sso.example.com:8443/some/path", "https://sso.example.com:8443/some/path"),
        ("http://keycloak:8080", "http://keycloak:8080"),
        ("HTTP://keycloak", "HTTP://keycloak"),
        ("http://127.0.0.1:8080/auth", "http://127.0.0.1:8080/auth"),
    ],
)
def test_keycloak(base_url: str, base: str) -> None:
    provider = keycloak(base_url, "my-realm")
    assert provider.token_url == f"{base}/realms/my-realm/protocol/openid-connect/token"
    assert provider.issuer == f"{base}/realms/my-realm"
    assert provider.scopes == ()
    assert provider.audience is None


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        None,
        " https://sso.example.com",
        "https://sso.example.com\n",
        "https://sso.example.com/realms",
        "https://sso.example.com/auth/realms/my-realm",
        "https://sso.example.com/admin/master/console/#/my-realm",
        "https://sso.example.com/auth/admin",
        "https://sso.example.com?x=y",
    ],
)
def test_what_does_not_come_before_realms_is_refused(base_url: Any) -> None:
    message = refused(lambda: keycloak(base_url, "my-realm"))
    assert message.startswith("base_url must be the URL before /realms, as in '")


@pytest.mark.parametrize(
    "base_url",
    ["sso.example.com", "ftp://sso.example.com", "https://", "https://a b", "https://me:pw@host"],
)
def test_a_base_url_that_is_none_is_refused(base_url: str) -> None:
    message = refused(lambda: keycloak(base_url, "my-realm"))
    assert message.startswith("base_url ")
    assert "pw" not in message


def test_a_path_that_only_begins_like_realms_is_fine() -> None:
    assert keycloak("https://sso.example.com/realmsofold", "r").token_url.startswith(
        "https://sso.example.com/realmsofold/realms/r/"
    )


def test_the_name_of_a_realm_is_encoded() -> None:
    assert keycloak("https://sso.example.com", "größe&co").issuer == (
        "https://sso.example.com/realms/gr%C3%B6%C3%9Fe%26co"
    )


@pytest.mark.parametrize(
    "realm", ["", "a/b", "a b", " r", "r\n", "a?b", "a#b", "a%20b", "a\\b", None]
)
def test_a_realm_that_is_none_is_refused(realm: Any) -> None:
    message = refused(lambda: keycloak("https://sso.example.com", realm))
    assert message.startswith("realm must be the name of the realm alone")


# -- Cognito


def test_cognito_by_domain() -> None:
    provider = cognito("auth.example.com")
    assert provider.token_url == "https://auth.example.com/oauth2/token"
    assert provider.issuer is None
    assert provider.scopes == ()


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "my-company.auth.eu-west-1.amazoncognito.com"),
        ("ap-southeast-2", "my-company.auth.ap-southeast-2.amazoncognito.com"),
        ("us-gov-west-1", "my-company.auth-fips.us-gov-west-1.amazoncognito.com"),
    ],
)
def test_cognito_by_prefix_and_region(region: str, host: str) -> None:
    provider = cognito(prefix="My-Company", region=region)
    assert provider.token_url == f"https://{host}/oauth2/token"


def test_the_issuer_of_cognito_is_on_another_host() -> None:
    provider = cognito("auth.example.com", user_pool_id="eu-west-1_AbCdEf123")
    assert provider.issuer == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123"
    assert provider.token_url == "https://auth.example.com/oauth2/token"


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"prefix": "p"},
        {"region": "eu-west-1"},
        {"domain": "auth.example.com", "prefix": "p"},
        {"domain": "auth.example.com", "region": "eu-west-1"},
        {"domain": "auth.example.com", "prefix": "p", "region": "eu-west-1"},
        {"user_pool_id": "eu-west-1_AbCdEf123"},
    ],
)
def test_cognito_wants_one_way_to_its_domain(values: Any) -> None:
    assert refused(lambda: cognito(**values)).startswith("give domain, as in ")


@pytest.mark.parametrize("prefix", ["", "my-company.auth", "https://my-company", "p ", 5])
def test_a_prefix_that_is_none_is_refused(prefix: Any) -> None:
    message = refused(lambda: cognito(prefix=prefix, region="eu-west-1"))
    assert message.startswith("prefix must be what Cognito's domain begins with")


@pytest.mark.parametrize(
    "region", ["", "Ireland", "eu-west", "EU-WEST-1", "cn-north-1", " eu-west-1"]
)
def test_a_region_that_is_none_is_refused(region: str) -> None:
    message = refused(lambda: cognito(prefix="p", region=region))
    assert message.startswith("region must be an AWS region outside China")


@pytest.mark.parametrize("pool", ["", "AbCdEf123", "eu-west-1", "eu-west-1_", "cn-north-1_Ab", 5])
def test_a_user_pool_that_is_none_is_refused(pool: Any) -> None:
    message = refused(lambda: cognito("auth.example.com", user_pool_id=pool))
    assert message.startswith("user_pool_id must be the id of a user pool outside China")


# -- refusals


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (" a.okta.com", "; it has white space around it"),
        ("a.okta.com\n", "; it has white space around it"),
        ("", "; it is empty"),
        (" \t", "; it is empty"),
        (None, "; it is of type NoneType"),
        ("okta", "without -admin"),
    ],
)
def test_a_refusal_says_what_is_easily_overlooked(value: Any, fault: str) -> None:
    assert refused(lambda: okta(value, scopes="s")).endswith(fault)


@pytest.mark.parametrize(
    "call",
    [
        lambda: entra(SECRET, resource="r"),
        lambda: entra(GUID, resource=f"{SECRET} "),
        lambda: entra(GUID, scopes=[SECRET]),
        lambda: entra(GUID, scopes=[f"{SECRET} "]),
        lambda: entra(GUID, resource="r", cloud=SECRET),  # type: ignore[arg-type]
        lambda: entra_v1(GUID, "r", SECRET),  # type: ignore[arg-type]
        lambda: auth0(SECRET, "aud"),
        lambda: auth0("a.auth0.com", f"{SECRET} "),
        lambda: auth0("a.auth0.com", "aud", f"{SECRET} "),
        lambda: okta(SECRET, scopes="s"),
        lambda: okta("a.okta.com", scopes=[f"{SECRET} "]),
        lambda: okta("a.okta.com", scopes="s", authorization_server=SECRET),
        lambda: cognite_entra(GUID, SECRET),
        lambda: keycloak(SECRET, "r"),
        lambda: keycloak(f"https://me:{SECRET}@host", "r"),
        lambda: keycloak("https://sso.example.com", SECRET),
        lambda: cognito(SECRET),
        lambda: cognito(prefix=SECRET, region="eu-west-1"),
        lambda: cognito(prefix="p", region=SECRET),
        lambda: cognito("auth.example.com", user_pool_id=SECRET),
    ],
)
def test_a_refusal_does_not_show_the_value(call: Callable[[], object]) -> None:
    assert SECRET[:4] not in refused(call)


# -- a provider of one's own


def test_a_provider_of_ones_own_needs_a_name_and_a_url() -> None:
    provider = Provider("mine", "https://idp.example.com/token")
    assert provider == Provider(
        name="mine",
        token_url="https://idp.example.com/token",
        issuer=None,
        issuers=(),
        scopes=(),
        audience=None,
        client_auth=None,
        client_auth_methods=(),
        params={},
        default_lifetime=None,
        docs_url=None,
    )


def test_the_fields_are_in_the_order_of_the_design() -> None:
    provider = Provider("mine", "https://a.example.com/t", "https://a.example.com", ("s",), "aud")
    assert provider.scopes == ("s",)
    assert provider.audience == "aud"


def test_the_sequences_may_be_lists_or_text() -> None:
    provider = Provider(
        "mine",
        "https://idp.example.com/token",
        issuers=["https://a.example.com", "https://b.example.com"],  # type: ignore[arg-type]
        scopes="read write",  # type: ignore[arg-type]
        client_auth_methods="client_secret_basic",  # type: ignore[arg-type]
    )
    assert provider.issuers == ("https://a.example.com", "https://b.example.com")
    assert provider.scopes == ("read", "write")
    assert provider.client_auth_methods == ("client_secret_basic",)
    assert hash(provider) == hash(copy.copy(provider))


@pytest.mark.parametrize("setting", ["issuers", "scopes", "client_auth_methods"])
@pytest.mark.parametrize("value", [5, None, b"bytes", {"a": 1}, [1], ["a b"]])
def test_a_sequence_that_is_none_is_refused(setting: str, value: Any) -> None:
    values: dict[str, Any] = {setting: value}
    message = refused(lambda: Provider("mine", "https://idp.example.com/token", **values))
    assert message.startswith(f"{setting} must be ")


def test_params_are_no_part_of_the_hash() -> None:
    one = Provider("mine", "https://idp.example.com/token", params={"a": "1"})
    two = Provider("mine", "https://idp.example.com/token", params={"a": "2"})
    assert hash(one) == hash(two)
    assert one != two


def test_providers_do_not_share_their_params() -> None:
    assert Provider("a", "https://a").params is not Provider("b", "https://b").params


def test_client_auth_may_be_a_value() -> None:
    basic = ClientSecretBasic("raw")
    assert dataclasses.replace(cognite(), client_auth=basic).client_auth == basic


def test_the_host_of_a_user_pools_issuer_is_not_its_domain() -> None:
    message = refused(lambda: cognito("cognito-idp.eu-west-1.amazonaws.com"))
    assert message.endswith("and not the host of the issuer")
