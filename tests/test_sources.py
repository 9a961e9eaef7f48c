"""Settings from the environment and from configuration: every row, every name, no secret shown."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from pygen_auth import ConfigurationError, OAuth2ClientCredentials
from pygen_auth._sources import (
    ClientCredentialsSettings,
    TokenSettings,
    from_config,
    from_environment,
)
from pygen_auth.client_auth import ClientSecretBasic, ClientSecretPost, TLSClientCertificate

SECRET = "Zq8-very-secret"
TOKEN = "tok-very-secret"
TENANT = "11111111-2222-4333-8444-555555555555"
ENTRA_URL = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
TOKEN_URL = "https://idp.example.com/oauth/token"

CLIENT = {"IDP_CLIENT_ID": "app", "IDP_CLIENT_SECRET": SECRET}
CDF = {"CDF_CLUSTER": "westeurope-1", "CDF_PROJECT": "my-project"}
ENTRA = {**CLIENT, **CDF, "IDP_TENANT_ID": TENANT}
SCOPE = "https://westeurope-1.cognitedata.com/.default"
HOST = "https://westeurope-1.cognitedata.com"

Environ = Mapping[str, str]


def keywords(environ: Environ) -> dict[str, Any]:
    settings = from_environment(environ)
    assert isinstance(settings, ClientCredentialsSettings)
    return dict(settings.keywords)


def without(environ: Environ, *names: str) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in names}


def refusal(of: Callable[[Any], object], given: object) -> str:
    """The message, once it is sure that nothing in the chain of exceptions holds a secret."""
    with pytest.raises(ConfigurationError) as caught:
        of(given)
    chain: list[BaseException | None] = [caught.value]
    for error in chain:
        if error is not None:
            assert "very-secret" not in f"{error} {error!r} {error.args} {vars(error)}"
            chain += [error.__cause__, error.__context__]
    return str(caught.value)


def missing(message: str) -> set[str]:
    """The missing variables of a message, each with its alternatives."""
    found = re.search(r"not set: (.*?)\. Assumed", message)
    return set(found[1].split("; ")) if found else set()


# -- the environment: what each provider of the toolkit means


ROWS = {
    "Entra by tenant": (
        {"IDP_TENANT_ID": TENANT},
        {"token_url": ENTRA_URL, "scopes": [SCOPE], "audience": HOST},
    ),
    "Entra by tenant's domain": (
        {"IDP_TENANT_ID": "contoso.onmicrosoft.com"},
        {
            "token_url": "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token",
            "scopes": [SCOPE],
            "audience": HOST,
        },
    ),
    "Entra by URL": (
        {"IDP_TOKEN_URL": TOKEN_URL},
        {"token_url": TOKEN_URL, "scopes": [SCOPE], "audience": HOST},
    ),
    "Entra by URL rather than by tenant": (
        {"IDP_TOKEN_URL": TOKEN_URL, "IDP_TENANT_ID": TENANT},
        {"token_url": TOKEN_URL, "scopes": [SCOPE], "audience": HOST},
    ),
    "Entra by name": (
        {"PROVIDER": "entra_id", "LOGIN_FLOW": "client_credentials", "IDP_TENANT_ID": TENANT},
        {"token_url": ENTRA_URL, "scopes": [SCOPE], "audience": HOST},
    ),
    "Entra with scopes and audience": (
        {"IDP_TENANT_ID": TENANT, "IDP_SCOPES": "api://x/.default", "IDP_AUDIENCE": "api://x"},
        {"token_url": ENTRA_URL, "scopes": ["api://x/.default"], "audience": "api://x"},
    ),
    "Auth0": (
        {"PROVIDER": "auth0", "IDP_TOKEN_URL": TOKEN_URL},
        {
            "token_url": TOKEN_URL,
            "scopes": ["IDENTITY", "user_impersonation"],
            "audience": "https://my-project.fusion.cognite.com/my-project",
        },
    ),
    "Auth0 with scopes and audience": (
        {
            "PROVIDER": "auth0",
            "IDP_TOKEN_URL": TOKEN_URL,
            "IDP_SCOPES": "IDENTITY",
            "IDP_AUDIENCE": "https://api.example.com/",
        },
        {
            "token_url": TOKEN_URL,
            "scopes": ["IDENTITY"],
            "audience": "https://api.example.com/",
        },
    ),
    "Cognite": ({"PROVIDER": "cdf"}, {"token_url": "https://auth.cognite.com/oauth2/token"}),
    "Cognite reads nothing else": (
        {
            "PROVIDER": "cdf",
            "IDP_TOKEN_URL": TOKEN_URL,
            "IDP_SCOPES": "a",
            "IDP_AUDIENCE": "b",
            "IDP_TENANT_ID": "c",
        },
        {"token_url": "https://auth.cognite.com/oauth2/token"},
    ),
    "other": (
        {"PROVIDER": "other", "IDP_TOKEN_URL": TOKEN_URL, "IDP_AUDIENCE": "https://a.example"},
        {"token_url": TOKEN_URL, "scopes": [SCOPE], "audience": "https://a.example"},
    ),
    "other with scopes": (
        {
            "PROVIDER": "other",
            "IDP_TOKEN_URL": TOKEN_URL,
            "IDP_AUDIENCE": "https://a.example",
            "IDP_SCOPES": "read,write",
        },
        {"token_url": TOKEN_URL, "scopes": ["read", "write"], "audience": "https://a.example"},
    ),
}


@pytest.mark.parametrize(("environ", "expected"), ROWS.values(), ids=ROWS)
def test_each_provider_means_what_the_toolkit_says(
    environ: Environ, expected: dict[str, Any]
) -> None:
    given = {**CLIENT, **CDF, **environ}
    assert keywords(given) == {"client_id": "app", "client_secret": SECRET, **expected}


@pytest.mark.parametrize(("environ", "expected"), ROWS.values(), ids=ROWS)
def test_settings_from_the_environment_make_credentials(
    environ: Environ, expected: dict[str, Any]
) -> None:
    credentials = OAuth2ClientCredentials(**keywords({**CLIENT, **CDF, **environ}))
    assert credentials.token_url == expected["token_url"]
    assert credentials.scopes == expected.get("scopes", [])
    assert credentials.audience == expected.get("audience")


def test_entra_needs_no_cluster_where_the_scopes_are_given() -> None:
    environ = {**CLIENT, "IDP_TENANT_ID": TENANT, "IDP_SCOPES": "api://x/.default"}
    assert keywords(environ) == {
        "token_url": ENTRA_URL,
        "client_id": "app",
        "client_secret": SECRET,
        "scopes": ["api://x/.default"],
    }


@pytest.mark.parametrize(
    "environ",
    [
        {"PROVIDER": "cdf"},
        {"PROVIDER": "auth0", "IDP_TOKEN_URL": TOKEN_URL, "IDP_AUDIENCE": "a"},
        {
            "PROVIDER": "other",
            "IDP_TOKEN_URL": TOKEN_URL,
            "IDP_AUDIENCE": "a",
            "IDP_SCOPES": "b",
        },
    ],
    ids=["cdf", "auth0", "other"],
)
def test_cluster_and_project_are_not_needed_where_nothing_is_made_of_them(environ: Environ) -> None:
    assert keywords({**CLIENT, **environ})["client_id"] == "app"


@pytest.mark.parametrize("text", ["a,b", "a b", "a, b", "a,b,", "a,,b", "a\tb", "a , b ,"])
def test_scopes_have_commas_or_spaces_between_them(text: str) -> None:
    assert keywords({**ENTRA, "IDP_SCOPES": text})["scopes"] == ["a", "b"]


def test_scopes_that_name_none_are_refused() -> None:
    assert "IDP_SCOPES names no scope" in refusal(from_environment, {**ENTRA, "IDP_SCOPES": ","})


@pytest.mark.parametrize("provider", ["CDF", "Cdf"])
def test_provider_may_be_written_in_capitals(provider: str) -> None:
    assert keywords({**CLIENT, "PROVIDER": provider})["token_url"].startswith("https://auth.cog")


def test_url_and_limits_of_the_api_are_not_read() -> None:
    environ = {**ENTRA, "CDF_URL": "https://elsewhere.example", "CDF_CLIENT_TIMEOUT": "x"}
    assert keywords(environ)["scopes"] == [SCOPE]


# -- the environment: a token


@pytest.mark.parametrize(
    "environ",
    [
        {"CDF_TOKEN": TOKEN},
        {"CDF_TOKEN": TOKEN, "LOGIN_FLOW": "token"},
        {"CDF_TOKEN": TOKEN, "LOGIN_FLOW": "TOKEN", **ENTRA},
        {"CDF_TOKEN": TOKEN, "LOGIN_FLOW": " ", **CDF},
        {"CDF_TOKEN": TOKEN, "IDP_CLIENT_ID": "", "IDP_CLIENT_SECRET": " "},
    ],
)
def test_token_is_taken_where_it_is_asked_for_or_alone(environ: Environ) -> None:
    assert from_environment(environ) == TokenSettings(TOKEN)


@pytest.mark.parametrize(
    "environ", [{**ENTRA}, {**ENTRA, "LOGIN_FLOW": "Client_Credentials"}], ids=["unset", "set"]
)
def test_client_credentials_win_over_a_token(environ: Environ) -> None:
    assert keywords({**environ, "CDF_TOKEN": TOKEN})["client_secret"] == SECRET


@pytest.mark.parametrize("name", ["IDP_CLIENT_ID", "IDP_CLIENT_SECRET", "COGNITE_CLIENT_ID"])
def test_half_a_client_beside_a_token_is_refused_with_advice(name: str) -> None:
    message = refusal(from_environment, {name: SECRET, "CDF_TOKEN": TOKEN, **CDF})
    assert "IDP_CLIENT_" in message
    assert "LOGIN_FLOW=token" in message


def test_flow_that_is_named_is_not_changed_by_a_token() -> None:
    environ = {**CDF, "LOGIN_FLOW": "client_credentials", "CDF_TOKEN": TOKEN}
    assert "IDP_CLIENT_ID" in missing(refusal(from_environment, environ))


@pytest.mark.parametrize("token", [None, "", "  "])
def test_token_flow_needs_the_token(token: str | None) -> None:
    environ = {"LOGIN_FLOW": "token", **({} if token is None else {"CDF_TOKEN": token})}
    message = refusal(from_environment, {**ENTRA, **environ})
    assert missing(message) == {"CDF_TOKEN"}
    assert "LOGIN_FLOW=token" in message


# -- the environment: what is missing, and what cannot be right


OTHER = {**CLIENT, **CDF, "PROVIDER": "other", "IDP_TOKEN_URL": TOKEN_URL, "IDP_AUDIENCE": "a"}
AUTH0 = {**CLIENT, **CDF, "PROVIDER": "auth0", "IDP_TOKEN_URL": TOKEN_URL}

LACKS = [
    (ENTRA, "IDP_CLIENT_ID", "IDP_CLIENT_ID"),
    (ENTRA, "IDP_CLIENT_SECRET", "IDP_CLIENT_SECRET"),
    (ENTRA, "IDP_TENANT_ID", "IDP_TENANT_ID or IDP_TOKEN_URL"),
    (ENTRA, "CDF_CLUSTER", "CDF_CLUSTER or IDP_SCOPES"),
    (AUTH0, "IDP_CLIENT_ID", "IDP_CLIENT_ID"),
    (AUTH0, "IDP_CLIENT_SECRET", "IDP_CLIENT_SECRET"),
    (AUTH0, "IDP_TOKEN_URL", "IDP_TOKEN_URL"),
    (AUTH0, "CDF_PROJECT", "CDF_PROJECT or IDP_AUDIENCE"),
    ({**CLIENT, "PROVIDER": "cdf"}, "IDP_CLIENT_ID", "IDP_CLIENT_ID"),
    ({**CLIENT, "PROVIDER": "cdf"}, "IDP_CLIENT_SECRET", "IDP_CLIENT_SECRET"),
    (OTHER, "IDP_CLIENT_ID", "IDP_CLIENT_ID"),
    (OTHER, "IDP_CLIENT_SECRET", "IDP_CLIENT_SECRET"),
    (OTHER, "IDP_TOKEN_URL", "IDP_TOKEN_URL"),
    (OTHER, "IDP_AUDIENCE", "IDP_AUDIENCE"),
    (OTHER, "CDF_CLUSTER", "CDF_CLUSTER or IDP_SCOPES"),
]


@pytest.mark.parametrize("blank", [None, "", " \t\n"], ids=["unset", "empty", "blank"])
@pytest.mark.parametrize(("environ", "name", "named"), LACKS)
def test_what_is_missing_is_named_with_its_alternatives(
    environ: Environ, name: str, named: str, blank: str | None
) -> None:
    lacking = without(environ, name) if blank is None else {**environ, name: blank}
    assert missing(refusal(from_environment, lacking)) == {named}


EMPTY = {
    "entra_id": {
        "IDP_TENANT_ID or IDP_TOKEN_URL",
        "IDP_CLIENT_ID",
        "IDP_CLIENT_SECRET",
        "CDF_CLUSTER or IDP_SCOPES",
    },
    "auth0": {
        "IDP_TOKEN_URL",
        "IDP_CLIENT_ID",
        "IDP_CLIENT_SECRET",
        "CDF_PROJECT or IDP_AUDIENCE",
    },
    "cdf": {"IDP_CLIENT_ID", "IDP_CLIENT_SECRET"},
    "other": {
        "IDP_TOKEN_URL",
        "IDP_CLIENT_ID",
        "IDP_CLIENT_SECRET",
        "CDF_CLUSTER or IDP_SCOPES",
        "IDP_AUDIENCE",
    },
}


@pytest.mark.parametrize("provider", EMPTY)
def test_all_that_is_missing_is_named_at_once(provider: str) -> None:
    assert missing(refusal(from_environment, {"PROVIDER": provider})) == EMPTY[provider]


@pytest.mark.parametrize("provider", EMPTY)
def test_error_says_what_was_assumed_and_how_to_change_it(provider: str) -> None:
    message = refusal(from_environment, {"PROVIDER": provider})
    assert f"PROVIDER={provider} and LOGIN_FLOW=client_credentials" in message
    assert "set PROVIDER to one of entra_id, auth0, cdf, other" in message


def test_an_empty_environment_is_taken_for_the_toolkits_default() -> None:
    message = refusal(from_environment, {})
    assert missing(message) == EMPTY["entra_id"]
    assert "PROVIDER=entra_id and LOGIN_FLOW=client_credentials" in message


@pytest.mark.parametrize("environ", [ENTRA, AUTH0, OTHER])
def test_discovery_url_is_no_token_url_and_the_error_says_what_to_do(environ: Environ) -> None:
    lacking = without(environ, "IDP_TOKEN_URL", "IDP_TENANT_ID")
    message = refusal(from_environment, {**lacking, "IDP_DISCOVERY_URL": "https://idp.example.com"})
    assert "set IDP_TOKEN_URL" in message
    assert "OAuth2ClientCredentials.discover(...)" in message


def test_discovery_url_is_not_mentioned_where_the_token_url_is_there() -> None:
    environ = {**without(AUTH0, "IDP_CLIENT_ID"), "IDP_DISCOVERY_URL": "https://idp.example.com"}
    assert "IDP_DISCOVERY_URL" not in refusal(from_environment, environ)


def test_discovery_url_is_not_mentioned_where_it_is_not_set() -> None:
    message = refusal(from_environment, without(AUTH0, "IDP_TOKEN_URL"))
    assert "IDP_DISCOVERY_URL" not in message


@pytest.mark.parametrize("flow", ["device_code", "interactive", "Device_Code", "password", SECRET])
def test_other_login_flows_are_refused_with_those_supported(flow: str) -> None:
    message = refusal(from_environment, {**ENTRA, "LOGIN_FLOW": flow})
    assert "LOGIN_FLOW must be client_credentials or token" in message
    assert "device_code and interactive" in message


@pytest.mark.parametrize("provider", ["okta", "entra", "aws", SECRET])
def test_unknown_provider_is_refused_with_those_known(provider: str) -> None:
    message = refusal(from_environment, {**ENTRA, "PROVIDER": provider})
    assert message == "PROVIDER must be one of entra_id, auth0, cdf, other"


READ = [
    *((ENTRA, name) for name in ENTRA if name != "CDF_PROJECT"),
    (AUTH0, "CDF_PROJECT"),
    (AUTH0, "IDP_TOKEN_URL"),
    ({**ENTRA, "IDP_SCOPES": "a"}, "IDP_SCOPES"),
    (OTHER, "IDP_AUDIENCE"),
    (OTHER, "PROVIDER"),
    ({**ENTRA, "LOGIN_FLOW": "token"}, "LOGIN_FLOW"),
    ({"CDF_TOKEN": TOKEN}, "CDF_TOKEN"),
]


@pytest.mark.parametrize("shape", [" {}", "{} ", "{}\n", "\t{}", "{}\u00a0"])
@pytest.mark.parametrize(("environ", "name"), READ)
def test_white_space_pasted_along_is_refused_by_the_variables_name(
    environ: Environ, name: str, shape: str
) -> None:
    message = refusal(from_environment, {**environ, name: shape.format(environ[name])})
    assert message.startswith(f"{name} has white space around its value")


def test_a_token_that_is_not_used_is_not_looked_at() -> None:
    assert keywords({**ENTRA, "CDF_TOKEN": f"{TOKEN}\n"})["client_id"] == "app"


@pytest.mark.parametrize("value", [3, b"app", ["app"], False])
def test_a_value_that_is_no_text_is_refused_by_the_variables_name(value: Any) -> None:
    message = refusal(from_environment, {**ENTRA, "IDP_CLIENT_ID": value})
    assert message == "IDP_CLIENT_ID must be text"


def test_none_counts_as_not_set() -> None:
    environ: Any = {**ENTRA, "IDP_AUDIENCE": None}
    assert keywords(environ)["audience"] == HOST


@pytest.mark.parametrize("environ", [None, "IDP_CLIENT_ID=app", ["IDP_CLIENT_ID"]])
def test_an_environment_is_a_mapping(environ: object) -> None:
    assert "environ must be a mapping" in refusal(from_environment, environ)


WRONG = [
    (ENTRA, "CDF_CLUSTER", "https://westeurope-1.cognitedata.com"),
    (ENTRA, "CDF_CLUSTER", "westeurope-1.cognitedata.com"),
    (ENTRA, "CDF_CLUSTER", SECRET + "/"),
    (OTHER, "CDF_CLUSTER", "a/b"),
    (AUTH0, "CDF_PROJECT", "https://my-project.fusion.cognite.com"),
    (AUTH0, "CDF_PROJECT", "my project"),
    (ENTRA, "IDP_TENANT_ID", "common"),
    (ENTRA, "IDP_TENANT_ID", ENTRA_URL),
    (ENTRA, "IDP_TENANT_ID", SECRET),
    (ENTRA, "IDP_TOKEN_URL", "idp.example.com/oauth/token"),
    (AUTH0, "IDP_TOKEN_URL", "http://idp.example.com/oauth/token"),
    (AUTH0, "IDP_TOKEN_URL", f"https://app:{SECRET}@idp.example.com/"),
    (AUTH0, "IDP_TOKEN_URL", SECRET),
]


@pytest.mark.parametrize(("environ", "name", "value"), WRONG)
def test_a_value_that_makes_no_url_is_refused_by_the_variables_name(
    environ: Environ, name: str, value: str
) -> None:
    assert refusal(from_environment, {**environ, name: value}).startswith(name)


# -- the environment: the extractors' names


EXTRACTOR = {
    "COGNITE_BASE_URL": HOST,
    "COGNITE_PROJECT": "my-project",
    "COGNITE_CLIENT_ID": "extractor",
    "COGNITE_CLIENT_SECRET": SECRET,
    "COGNITE_TOKEN_URL": TOKEN_URL,
    "COGNITE_TOKEN_SCOPES": "read write",
}


def test_extractors_names_mean_what_extractors_take_them_for() -> None:
    assert keywords(EXTRACTOR) == {
        "token_url": TOKEN_URL,
        "client_id": "extractor",
        "client_secret": SECRET,
        "scopes": ["read", "write"],
    }


def test_extractors_audience_is_sent_where_it_is_named() -> None:
    assert keywords({**EXTRACTOR, "COGNITE_AUDIENCE": "https://a.example"})["audience"] == (
        "https://a.example"
    )


def test_extractors_tenant_gives_the_token_url() -> None:
    environ = {**without(EXTRACTOR, "COGNITE_TOKEN_URL"), "COGNITE_TENANT_ID": TENANT}
    assert keywords(environ)["token_url"] == ENTRA_URL


def test_extractors_project_gives_the_audience_of_auth0() -> None:
    audience = keywords({**EXTRACTOR, "PROVIDER": "auth0"})["audience"]
    assert audience == "https://my-project.fusion.cognite.com/my-project"


@pytest.mark.parametrize(
    "url",
    [
        HOST,
        f"{HOST}/",
        f"{HOST}:443",
        "http://westeurope-1.cognitedata.com",
        "https://my-project.plink.westeurope-1.cognitedata.com",
    ],
)
def test_cluster_is_read_from_the_extractors_base_url(url: str) -> None:
    environ = {**without(EXTRACTOR, "COGNITE_TOKEN_SCOPES"), "COGNITE_BASE_URL": url}
    assert keywords(environ)["scopes"] == [SCOPE]


@pytest.mark.parametrize(
    "url",
    [
        "https://cdf.example.com",
        "westeurope-1",
        "https://cognitedata.com",
        "https://westeurope-1.cognitedata.com.example.com",
        "https://westeurope-1.cognitedata.com/api/v1",
        SECRET,
    ],
)
def test_base_url_without_a_cluster_is_refused_where_the_cluster_is_needed(url: str) -> None:
    environ = {**without(EXTRACTOR, "COGNITE_TOKEN_SCOPES"), "COGNITE_BASE_URL": url}
    message = refusal(from_environment, environ)
    assert message.startswith("COGNITE_BASE_URL must be a URL such as")
    assert "CDF_CLUSTER" in message


def test_base_url_without_a_cluster_will_do_where_none_is_needed() -> None:
    environ = {**EXTRACTOR, "COGNITE_BASE_URL": "https://cdf.example.com"}
    assert keywords(environ)["scopes"] == ["read", "write"]


def test_names_of_the_toolkit_win_over_those_of_the_extractors() -> None:
    environ = {**EXTRACTOR, **ENTRA, "IDP_SCOPES": "mine", "IDP_AUDIENCE": "my-audience"}
    assert keywords({**environ, "COGNITE_AUDIENCE": "x", "COGNITE_TENANT_ID": "y"}) == {
        "token_url": ENTRA_URL,
        "client_id": "app",
        "client_secret": SECRET,
        "scopes": ["mine"],
        "audience": "my-audience",
    }


def test_cluster_of_the_toolkit_wins_over_the_base_url() -> None:
    environ = {**without(EXTRACTOR, "COGNITE_TOKEN_SCOPES"), "CDF_CLUSTER": "greenfield"}
    assert keywords(environ)["scopes"] == ["https://greenfield.cognitedata.com/.default"]


def test_blank_name_of_the_toolkit_leaves_room_for_the_extractors() -> None:
    assert keywords({**EXTRACTOR, "IDP_CLIENT_ID": " "})["client_id"] == "extractor"


def test_extractors_names_are_named_as_missing_to_those_who_use_them() -> None:
    message = refusal(from_environment, {"COGNITE_PROJECT": "my-project"})
    assert missing(message) == {
        "IDP_TENANT_ID or IDP_TOKEN_URL or COGNITE_TENANT_ID or COGNITE_TOKEN_URL",
        "IDP_CLIENT_ID or COGNITE_CLIENT_ID",
        "IDP_CLIENT_SECRET or COGNITE_CLIENT_SECRET",
        "CDF_CLUSTER or IDP_SCOPES or COGNITE_BASE_URL or COGNITE_TOKEN_SCOPES",
    }


@pytest.mark.parametrize("name", EXTRACTOR.keys() - {"COGNITE_BASE_URL", "COGNITE_PROJECT"})
def test_white_space_in_an_extractors_variable_is_refused_by_its_name(name: str) -> None:
    message = refusal(from_environment, {**EXTRACTOR, name: f"{EXTRACTOR[name]} "})
    assert message.startswith(f"{name} has white space")


@pytest.mark.parametrize(
    ("name", "value"),
    [("COGNITE_TOKEN_URL", "idp.example.com"), ("COGNITE_TENANT_ID", "organizations")],
)
def test_wrong_value_of_an_extractors_variable_is_refused_by_its_name(
    name: str, value: str
) -> None:
    environ = {**without(EXTRACTOR, "COGNITE_TOKEN_URL"), name: value}
    assert refusal(from_environment, environ).startswith(name)


# -- configuration: the shapes


INNER = {
    "token_url": TOKEN_URL,
    "client_id": "app",
    "client_secret": SECRET,
    "scopes": ["read", "write"],
}


def loaded(config: Any) -> dict[str, Any]:
    settings = from_config(config)
    assert isinstance(settings, ClientCredentialsSettings)
    return dict(settings.keywords)


YAML = f"""
client_credentials:
  token_url: {TOKEN_URL}
  client_id: app
  client_secret: "{SECRET}"
  scopes:
    - read
    - write
"""

SHAPES = {
    "mapping": {"client_credentials": INNER},
    "inner mapping": INNER,
    "read-only mapping": MappingProxyType({"client_credentials": MappingProxyType(INNER)}),
    "JSON": json.dumps({"client_credentials": INNER}),
    "inner JSON": json.dumps(INNER, indent=2),
    "JSON from Windows": "\ufeff" + json.dumps(INNER),
    "YAML": YAML,
    "inner YAML": textwrap.dedent(YAML.partition(":")[2]),
    "JSON with a comment, which is YAML": json.dumps(INNER) + " # mine",
}


@pytest.mark.parametrize("config", SHAPES.values(), ids=SHAPES)
def test_client_credentials_are_read_from_each_shape(config: object) -> None:
    assert loaded(config) == INNER


def test_settings_from_configuration_make_credentials() -> None:
    credentials = OAuth2ClientCredentials(**loaded(YAML))
    assert credentials.token_url == TOKEN_URL
    assert credentials.scopes == ["read", "write"]


@pytest.mark.parametrize(
    "config",
    [
        {"token": TOKEN},
        {"token": {"token": TOKEN}},
        json.dumps({"token": TOKEN}),
        f"token: {TOKEN}",
        f"token:\n  token: {TOKEN}",
    ],
)
def test_token_is_read_from_each_shape(config: Any) -> None:
    assert from_config(config) == TokenSettings(TOKEN)


def test_token_of_a_mapping_may_be_a_callable() -> None:
    def current() -> str:
        return TOKEN

    assert from_config({"token": current}) == TokenSettings(current)


def test_mapping_is_left_as_it_is() -> None:
    config: dict[str, Any] = {"client_credentials": {**INNER, "token_expiry_leeway_seconds": 15}}
    before = json.dumps(config)
    from_config(config)
    assert json.dumps(config) == before


@pytest.mark.parametrize("token", [None, "", " ", 12345, ["a"], {"token": ""}, {"tok": TOKEN}])
def test_token_that_is_none_is_refused(token: object) -> None:
    assert "token must be text" in refusal(from_config, {"token": token})


@pytest.mark.parametrize("kind", ["interactive", "device_code", "client_certificate"])
def test_other_kinds_of_the_cognite_sdk_are_refused_with_those_supported(kind: str) -> None:
    message = refusal(from_config, {kind: {"authority_url": "x", "client_id": SECRET}})
    assert f"config holds {kind}; supported is one of client_credentials" in message
    assert ("PrivateKeyJWT" in message) == (kind == "client_certificate")


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"client_credentials": INNER, "token": TOKEN},
        {"client_credentials": INNER, "project": "my-project"},
        {"client_credentials": None},
        {"client_credentials": TOKEN},
        {"client_credentials": [TOKEN]},
        {"credentials": {"client_credentials": INNER}},
        {SECRET + " ": None},
        {1: 2},
        "{}",
    ],
)
def test_mapping_of_another_shape_is_refused(config: object) -> None:
    message = refusal(from_config, config)
    assert "supported is one of client_credentials (a mapping), token, or the keys" in message


def test_kind_with_a_slip_is_refused_with_the_one_that_is_meant() -> None:
    message = refusal(from_config, {"client_credential": INNER})
    assert "client_credential (is client_credentials meant?)" in message


@pytest.mark.parametrize(
    "config",
    [
        "config.yaml",
        "/etc/secrets/very-secret.json",
        Path("/etc/secrets/very-secret.json"),
        SECRET,
        json.dumps(SECRET),
        f"- {SECRET}",
        f"token:{SECRET}",
        "",
        b"{}",
        None,
        [("token", TOKEN)],
    ],
)
def test_what_is_no_mapping_is_refused_and_a_path_is_not_opened(config: object) -> None:
    message = refusal(from_config, config)
    assert "config must be a mapping, or JSON or YAML text" in message
    assert "Path(path).read_text()" in message


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (f"token: [{SECRET}", " (line 1, column "),
        (f"client_secret: {SECRET}\nscopes: @{SECRET}", " (line 2, column "),
        (f"token: *{SECRET}", " (line 1, column "),
        (f"token: !!python/name:{SECRET} ''", " (line 1, column "),
        (f"{{client_id: {SECRET}: {SECRET}}}", " (line 1, column "),
        (f"token: {TOKEN}\nsince: 2001-99-99", ""),
        (f"token: {TOKEN}\x00", ""),
        ("[" * 100_000 + SECRET, ""),
    ],
)
def test_text_that_cannot_be_read_is_refused_by_its_place_and_not_quoted(
    text: str, where: str
) -> None:
    message = refusal(from_config, text)
    assert f"config is text, but neither JSON nor YAML can be read from it{where}" in message
    assert bool(where) == ("line" in message)


def test_yaml_makes_no_objects() -> None:
    message = refusal(from_config, "token: !!python/name:os.getcwd ''")
    assert "neither JSON nor YAML can be read" in message


@pytest.mark.parametrize("before", ["", "\ufeff", "\n"])
def test_json_needs_no_yaml(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert loaded(before + json.dumps(INNER)) == INNER


def test_yaml_without_pyyaml_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert "pip install 'pygen-auth[yaml]'" in refusal(from_config, YAML)


# -- configuration: the keys of client credentials


EVERY_KEY = {
    **INNER,
    "audience": "https://a.example",
    "refresh_margin": 60,
    "client_auth": "client_secret_basic",
    "params": {"resource": ["a", "b"], "organization": "c"},
    "verify": "/etc/ssl/ca.pem",
    "insecure_hosts": ["keycloak"],
    "timeout": 10.5,
    "default_lifetime": 600,
}


def test_every_key_of_data_becomes_a_keyword() -> None:
    assert loaded(EVERY_KEY) == {**EVERY_KEY, "client_auth": ClientSecretBasic()}


def test_every_keyword_is_one_of_the_constructor() -> None:
    keywords = loaded({**EVERY_KEY, "verify": True})
    credentials = OAuth2ClientCredentials(**keywords)
    assert credentials.audience == "https://a.example"
    assert credentials.refresh_margin == 60


@pytest.mark.parametrize("key", EVERY_KEY.keys() - INNER.keys() | {"token_expiry_leeway_seconds"})
@pytest.mark.parametrize("blank", [None, "", " "])
def test_what_is_blank_is_not_set(key: str, blank: str | None) -> None:
    assert loaded({**INNER, key: blank}) == INNER


def test_no_scopes_are_no_keyword() -> None:
    assert "scopes" not in loaded({**INNER, "scopes": None})


@pytest.mark.parametrize("scopes", ["read write", ["read"], ("read",), {"read"}, []])
def test_scopes_are_a_text_or_a_list(scopes: object) -> None:
    assert loaded({**INNER, "scopes": scopes})["scopes"] == scopes


@pytest.mark.parametrize(
    "key", ["refresh_margin", "token_expiry_leeway_seconds", "timeout", "default_lifetime"]
)
@pytest.mark.parametrize("value", [30, 30.0, "30", "30.0", " 30 "])
def test_seconds_are_numbers_also_as_text(key: str, value: object) -> None:
    keyword = "refresh_margin" if key.startswith("token_") else key
    assert loaded({**INNER, key: value}) == {**INNER, keyword: 30}


@pytest.mark.parametrize("key", ["refresh_margin", "token_expiry_leeway_seconds"])
def test_margin_may_be_zero(key: str) -> None:
    assert loaded({**INNER, key: 0})["refresh_margin"] == 0


def test_leeway_of_the_cognite_sdk_beside_the_margin_is_refused() -> None:
    message = refusal(from_config, {**INNER, "refresh_margin": 1, "token_expiry_leeway_seconds": 1})
    assert "refresh_margin and token_expiry_leeway_seconds are the same" in message


def test_secret_of_a_mapping_may_be_a_callable() -> None:
    def current() -> str:
        return SECRET

    assert loaded({**INNER, "client_secret": current})["client_secret"] is current


def test_client_auth_may_be_a_value() -> None:
    assert loaded({**INNER, "client_auth": ClientSecretPost()})["client_auth"] == ClientSecretPost()


def test_secret_is_not_needed_where_the_client_proves_itself_otherwise() -> None:
    config = {**without_secret(), "client_auth": "tls_client_auth"}
    assert loaded(config)["client_auth"] == TLSClientCertificate()


def without_secret() -> dict[str, Any]:
    return {key: value for key, value in INNER.items() if key != "client_secret"}


@pytest.mark.parametrize("name", ["client_secret_post", "client_secret_basic", "client_secret_jwt"])
def test_secret_is_needed_where_the_client_proves_itself_with_it(name: str) -> None:
    message = refusal(from_config, {**without_secret(), "client_auth": name})
    assert "missing keys: client_secret" in message


@pytest.mark.parametrize("key", ["token_url", "client_id", "client_secret"])
@pytest.mark.parametrize("blank", [None, "", " "])
def test_missing_key_is_named(key: str, blank: str | None) -> None:
    message = refusal(from_config, {**INNER, key: blank})
    assert message == f"client_credentials: missing keys: {key}"


def test_all_missing_keys_are_named_at_once() -> None:
    message = refusal(from_config, {"client_credentials": {}})
    assert message == "client_credentials: missing keys: token_url, client_id, client_secret"


def test_unknown_keys_are_named_at_once_with_those_meant_and_what_is_missing() -> None:
    config = {
        "token-url": TOKEN_URL,
        "clientId": "app",
        "secret": SECRET,
        "scope": "a",
        "scopes": "b",
    }
    assert refusal(from_config, config) == (
        "client_credentials: unknown keys: token-url (is token_url meant?), "
        "clientId (is client_id meant?), secret (is client_secret meant?), "
        "scope (is scopes meant?); missing keys: token_url, client_id, client_secret "
        "(further form fields of the token request go into params)"
    )


@pytest.mark.parametrize("key", ["resource", "grant_type", "cookies", "follow_redirects", "token"])
def test_form_field_of_the_cognite_sdk_is_refused_with_where_it_goes(key: str) -> None:
    message = refusal(from_config, {**INNER, key: SECRET})
    assert f"unknown keys: {key}" in message
    assert "go into params" in message


@pytest.mark.parametrize(
    "text",
    [f"{{client_id: a, secret:{SECRET}}}", f"client_id: a\n? {SECRET}!\n", "{client_id: a, 7}"],
)
def test_unknown_key_that_is_no_name_is_not_shown(text: str) -> None:
    assert "unknown keys: a key that is no name;" in refusal(from_config, text)


def test_message_about_very_many_keys_stays_readable() -> None:
    config = {**INNER, **{f"k{number}": 1 for number in range(1000)}}
    message = refusal(from_config, config)
    assert "k19, …" in message
    assert len(message) < 400


WRONG_TYPES = [
    ("token_url", 5),
    ("client_id", 12345),
    ("client_secret", 12345),
    ("client_secret", True),
    ("client_secret", [SECRET]),
    ("audience", ["a"]),
    ("scopes", {"a": 1}),
    ("scopes", 5),
    ("scopes", ["a", 5]),
    ("scopes", ["a", [SECRET]]),
    ("refresh_margin", SECRET),
    ("refresh_margin", "nan"),
    ("refresh_margin", True),
    ("refresh_margin", -1),
    ("token_expiry_leeway_seconds", "-5"),
    ("token_expiry_leeway_seconds", "5 s"),
    ("timeout", [5]),
    ("timeout", "soon"),
    ("default_lifetime", {}),
    ("client_auth", "secret"),
    ("client_auth", "private_key_jwt"),
    ("client_auth", {"method": SECRET}),
    ("params", f"resource={SECRET}"),
    ("params", ["resource"]),
    ("params", {"resource": 5}),
    ("params", {"resource": ["a", 5]}),
    ("params", {5: "a"}),
    ("params", {"resource": None}),
    ("verify", False),
    ("verify", 1),
    ("verify", ["ca.pem"]),
    ("insecure_hosts", "keycloak"),
    ("insecure_hosts", [5]),
]


@pytest.mark.parametrize(("key", "value"), WRONG_TYPES)
def test_value_of_a_wrong_type_is_refused_by_its_key(key: str, value: object) -> None:
    assert re.search(rf"\b{key}\b.* must be", refusal(from_config, {**INNER, key: value}))


@pytest.mark.parametrize("text", ["0123", "1_000", "yes", "2001-01-01", "[a]"])
def test_yaml_that_is_no_text_is_refused_with_how_to_write_it(text: str) -> None:
    message = refusal(from_config, YAML.replace(f'"{SECRET}"', text))
    assert message == "client_secret must be text; in YAML, put it in quotes"


# -- the values


@pytest.mark.parametrize(
    "settings", [TokenSettings(TOKEN), ClientCredentialsSettings({"client_secret": SECRET})]
)
def test_settings_show_no_secret(settings: object) -> None:
    assert repr(settings) == f"{type(settings).__name__}()"


def test_the_extractors_authority_is_that_of_the_tenant() -> None:
    environ = {
        **without(EXTRACTOR, "COGNITE_TOKEN_URL"),
        "COGNITE_TENANT_ID": TENANT,
        "COGNITE_AUTHORITY_URL": "https://login.microsoftonline.us/",
    }
    url = f"https://login.microsoftonline.us/{TENANT}/oauth2/v2.0/token"
    assert keywords(environ)["token_url"] == url


def test_plain_http_is_sent_to_the_constructor() -> None:
    environ = {**EXTRACTOR, "COGNITE_TOKEN_URL": "http://keycloak:8080/token"}
    with pytest.raises(ConfigurationError) as caught:
        from_environment(environ)
    assert str(caught.value) == (
        "COGNITE_TOKEN_URL must be https; plain http takes the constructor, with insecure_hosts"
    )
