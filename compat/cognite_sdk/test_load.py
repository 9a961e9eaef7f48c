"""The configurations that the SDK's `load` takes: ours asks for the token in the same way."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from pygen_auth import ConfigurationError, Credentials, OAuth2ClientCredentials, TokenCredentials
from pygen_auth.testing import AuthorizationServer

from .clients import WAYS, WHY, release
from .data_fusion import DataFusion

sdk = pytest.importorskip("cognite.client", reason=WHY)

SECRET = "p@ss:w/ord +%&="
SCOPE = "https://westeurope-1.cognitedata.com/.default"

# The oldest SDK has Authlib on httpx, which warns of its own future.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Given base URL may be invalid:UserWarning",
    "ignore:.*:authlib.deprecate.AuthlibDeprecationWarning",
)

SAME: dict[str, dict[str, Any]] = {
    "no scopes": {"scopes": None},
    "empty scopes": {"scopes": []},
    "one scope": {"scopes": [SCOPE]},
    "two scopes": {"scopes": ["IDENTITY", "user_impersonation"]},
    "scopes as text": {"scopes": "IDENTITY user_impersonation"},
    "audience": {"scopes": [SCOPE], "audience": "https://westeurope-1.cognitedata.com"},
    "empty audience": {"scopes": None, "audience": None},
    "leeway": {"scopes": [SCOPE], "token_expiry_leeway_seconds": 60},
    "leeway as text": {"scopes": [SCOPE], "token_expiry_leeway_seconds": "60"},
    "time-out": {"scopes": [SCOPE], "timeout": 10},
}

FURTHER = {"resource": "https://westeurope-1.cognitedata.com", "organization": "org_1"}
"""Form fields that no client knows by name."""


@pytest.fixture
def inner(authority: AuthorizationServer) -> dict[str, Any]:
    """What every configuration of client credentials holds."""
    authority.add_client("the client", SECRET)
    return {
        "token_url": authority.token_url,
        "client_id": "the client",
        "client_secret": SECRET,
    }


def ask(credentials: Any) -> None:
    """Have the SDK's credentials ask for a token."""
    credentials.authorization_header()
    release(credentials)


def asked_by_both(
    authority: AuthorizationServer, theirs: dict[str, Any] | str, ours: dict[str, Any] | str
) -> list[tuple[Any, ...]]:
    """The token request of the SDK's class and of ours: what of them a server looks at."""
    ask(sdk.credentials.CredentialProvider.load(theirs))
    Credentials.load(ours).authorization_header()
    return [
        (
            request.form,
            request.auth_method,
            request.headers.get("authorization"),
            request.headers["accept"],
            request.headers["content-type"].partition(";")[0],
        )
        for request in authority.token_requests
    ]


@pytest.mark.parametrize("case", SAME)
def test_same_mapping_makes_the_same_token_request(
    case: str, authority: AuthorizationServer, inner: dict[str, Any]
) -> None:
    config = {"client_credentials": {**inner, **SAME[case]}}
    theirs, ours = asked_by_both(authority, config, config)
    assert theirs == ours
    assert theirs[0]["client_secret"] == [SECRET]


def test_secret_outside_ascii_makes_the_same_token_request(
    authority: AuthorizationServer, inner: dict[str, Any]
) -> None:
    secret = SECRET + "é€"
    authority.add_client("the client", secret)
    config = {"client_credentials": {**inner, "client_secret": secret, "scopes": None}}
    Credentials.load(config).authorization_header()
    try:
        ask(sdk.credentials.CredentialProvider.load(config))
    except UnicodeEncodeError:
        pytest.skip("this Cognite SDK sends no secret outside ASCII; ours was sent")
    ours, theirs = authority.token_requests
    assert theirs.form == ours.form


@pytest.mark.parametrize("dump", [json.dumps, yaml.safe_dump], ids=["JSON", "YAML"])
def test_same_text_makes_the_same_token_request(
    dump: Any, authority: AuthorizationServer, inner: dict[str, Any]
) -> None:
    text = dump({"client_credentials": {**inner, "scopes": [SCOPE]}})
    theirs, ours = asked_by_both(authority, text, text)
    assert theirs == ours


def test_inner_mapping_alone_makes_the_same_token_request(
    authority: AuthorizationServer, inner: dict[str, Any]
) -> None:
    config = {**inner, "scopes": [SCOPE]}
    ask(sdk.credentials.OAuthClientCredentials.load(config))
    OAuth2ClientCredentials.load(config).authorization_header()
    theirs, ours = authority.token_requests
    assert theirs.form == ours.form


def test_further_fields_make_the_same_token_request_once_they_are_params(
    authority: AuthorizationServer, inner: dict[str, Any]
) -> None:
    shared = {**inner, "scopes": [SCOPE]}
    theirs, ours = asked_by_both(
        authority,
        {"client_credentials": {**shared, **FURTHER}},
        {"client_credentials": {**shared, "params": FURTHER}},
    )
    assert theirs == ours


def test_further_fields_elsewhere_are_refused_by_name_and_the_error_says_where_they_go(
    inner: dict[str, Any],
) -> None:
    with pytest.raises(ConfigurationError, match="unknown keys: resource, organization") as caught:
        Credentials.load({"client_credentials": {**inner, **FURTHER}})
    assert "params" in str(caught.value.hint)


def test_leeway_becomes_the_refresh_margin(inner: dict[str, Any]) -> None:
    config = {"client_credentials": {**inner, "scopes": None, "token_expiry_leeway_seconds": 60}}
    theirs = sdk.credentials.CredentialProvider.load(config)
    ours = OAuth2ClientCredentials.load(config)
    assert theirs.token_expiry_leeway_seconds == ours.refresh_margin == 60


@pytest.mark.parametrize(
    "config",
    [{"token": "a-token"}, {"token": {"token": "a-token"}}, {"token": lambda: "a-token"}],
    ids=["text", "mapping", "callable"],
)
def test_same_token_makes_the_same_header(config: dict[str, Any]) -> None:
    theirs = sdk.credentials.CredentialProvider.load(config)
    ours = Credentials.load(config)
    assert isinstance(ours, TokenCredentials)
    assert theirs.authorization_header() == ours.authorization_header()


@pytest.mark.parametrize("way", WAYS)
def test_loaded_credentials_serve_every_client(
    way: str, inner: dict[str, Any], data_fusion: DataFusion
) -> None:
    credentials = Credentials.load({"client_credentials": {**inner, "scopes": [SCOPE]}})
    assert WAYS[way](credentials, data_fusion).call() == 1


@pytest.mark.parametrize("kind", ["client_certificate", "device_code", "interactive"])
def test_other_kinds_are_refused_by_name(kind: str) -> None:
    with pytest.raises(ConfigurationError, match=f"config holds {kind}"):
        Credentials.load({kind: {"client_id": "the client"}})
