"""Each metadata document of each provider, through discovery. README.md says what the data means.

Discovery sends nothing itself, so a document stands where its provider has it, and whoever asks
elsewhere gets a 404. That both twins send what they should is tested in `tests/`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pygen_auth import InvalidResponseError, OAuth2Error, RefusedError
from pygen_auth._discovery import discovery
from pygen_auth._metadata import Metadata, client_auth_for
from pygen_auth._steps import Done, next_step
from pygen_auth._wire import Request, Response
from pygen_auth.client_auth import BY_NAME, check_client_auth
from pygen_auth.providers import (
    Provider,
    auth0,
    cognite,
    cognito,
    entra,
    entra_v1,
    keycloak,
    okta,
    okta_org,
)

Entry = dict[str, Any]

DOCUMENTS: dict[str, Entry] = {
    entry["id"]: entry
    for file in sorted(Path(__file__).parent.glob("*/discovery.json"))
    for entry in json.loads(file.read_text("utf-8"))
}
OF_ITS_ISSUER = [entry for entry in DOCUMENTS.values() if entry["expect"]["issuer_matches"]]
OF_ANOTHER = [entry for entry in DOCUMENTS.values() if not entry["expect"]["issuer_matches"]]
APPENDED = "/.well-known/oauth-authorization-server"
"""At the end of a URL with a path: RFC 8414 would insert it before the path."""

TENANT = "00000000-0000-4000-8000-00000000000a"
PRESETS: dict[str, Provider] = {
    "auth0-tenant": auth0("example.eu.auth0.com", "my-api"),
    "auth0-tenant-rfc-8414": auth0("example.eu.auth0.com", "my-api"),
    "auth0-custom-domain": auth0("login.example.com", "my-api"),
    "cognite-cogidp": cognite(),
    "cognito-user-pool": cognito(
        prefix="plant", region="eu-west-1", user_pool_id="eu-west-1_SYNTHETIC"
    ),
    "entra-v1-issuer-on-sts-windows-net": entra_v1(TENANT, "api://my-api"),
    "entra-v2-china": entra(TENANT, resource="api://my-api", cloud="china"),
    "entra-v2-tenant-by-guid": entra(TENANT, resource="api://my-api"),
    "entra-v2-us-government": entra(TENANT, resource="api://my-api", cloud="us_government"),
    "keycloak-realm": keycloak("https://keycloak.example.com", "plant"),
    "keycloak-realm-below-auth": keycloak("https://keycloak.example.com/auth", "plant"),
    "okta-custom": okta("example.okta.com", scopes="my_scope"),
    "okta-custom-rfc-8414-path-inserted": okta("example.okta.com", scopes="my_scope"),
    "okta-org": okta_org("example.okta.com", scopes="okta.users.read"),
    "okta-org-rfc-8414": okta_org("example.okta.com", scopes="okta.users.read"),
}
"""The presets whose values lead to a document of ours."""


def each(entries: list[Entry]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("entry", entries, ids=[entry["id"] for entry in entries])


def discovered(
    entry: Entry, issuer: str, issuers: tuple[str, ...] = (), *, verify_issuer: bool = True
) -> Metadata:
    """What a client finds that asks for `issuer`, where the document is and nothing else."""
    steps = discovery(
        issuer,
        issuers,
        verify_issuer=verify_issuer,
        timeout=30.0,
        monotonic=lambda: 0.0,
        chance=lambda: 0.5,
    )
    document = Response(200, {}, json.dumps(entry["document"]).encode())
    outcome: Response | None = None
    while not isinstance(step := next_step(steps, outcome), Done):
        assert isinstance(step, Request)  # nothing here is worth waiting for
        outcome = document if step.url == entry["url"] else Response(404, {}, b"")
    found: Metadata = step.value
    return found


def in_place(entry: Entry) -> bool:
    """Whether the document is where RFC 8414 or OpenID Connect has it."""
    asked: str = entry["asked"].rstrip("/")
    path = asked.removeprefix("https://").partition("/")[2]
    return entry["url"] != asked + APPENDED or not path


@each([entry for entry in OF_ITS_ISSUER if in_place(entry)])
def test_the_document_is_found_by_its_issuer(entry: Entry) -> None:
    metadata = discovered(entry, entry["asked"])
    assert metadata.token_endpoint == entry["expect"]["token_endpoint"]
    assert metadata.issuer == entry["document"]["issuer"]


@each(OF_ITS_ISSUER)
def test_the_document_is_found_by_its_url(entry: Entry) -> None:
    metadata = discovered(entry, entry["url"])
    assert metadata.token_endpoint == entry["expect"]["token_endpoint"]


@each([entry for entry in OF_ITS_ISSUER if not in_place(entry)])
def test_a_document_out_of_place_needs_its_url_and_the_error_says_so(entry: Entry) -> None:
    with pytest.raises(RefusedError, match=r"give the whole \.well-known URL"):
        discovered(entry, entry["asked"])


@each(OF_ANOTHER)
@pytest.mark.parametrize("by", ["asked", "url"])
def test_a_document_of_another_issuer_is_refused(entry: Entry, by: str) -> None:
    with pytest.raises(InvalidResponseError) as caught:
        discovered(entry, entry[by])
    assert not caught.value.retryable
    assert entry["document"]["issuer"] in str(caught.value)
    assert "this server calls itself" in (caught.value.hint or "")


@each(OF_ANOTHER)
@pytest.mark.parametrize("by", ["asked", "url"])
def test_without_verification_it_is_taken(entry: Entry, by: str) -> None:
    metadata = discovered(entry, entry[by], verify_issuer=False)
    assert metadata.token_endpoint == entry["expect"]["token_endpoint"]


@each(OF_ANOTHER)
def test_it_is_taken_where_the_caller_names_the_issuer_it_has(entry: Entry) -> None:
    named = entry["document"]["issuer"]
    template = named.replace(TENANT, "{guid}")
    for issuer in (named, template):
        assert discovered(entry, entry["asked"], (issuer,)).issuer == named


@each([entry for entry in DOCUMENTS.values() if entry["expect"]["client_auth"]])
def test_a_client_with_a_secret_proves_itself_as_the_document_says(entry: Entry) -> None:
    metadata = discovered(entry, entry["url"], verify_issuer=False)
    chosen = check_client_auth(client_auth_for(metadata, None, has_secret=True))
    assert chosen == BY_NAME[entry["expect"]["client_auth"]]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_and_its_providers_document_agree(name: str) -> None:
    provider, entry = PRESETS[name], DOCUMENTS[name]
    assert provider.issuer is not None
    metadata = discovered(entry, provider.issuer, provider.issuers)
    assert metadata.token_endpoint == provider.token_url == entry["expect"]["token_endpoint"]


def test_a_tenant_of_entra_that_is_named_by_its_domain_has_a_guid_in_its_document() -> None:
    provider = entra("contoso.onmicrosoft.com", resource="api://my-api")
    entry = DOCUMENTS["entra-v2-tenant-by-domain-name"]
    assert provider.issuer == entry["asked"]
    metadata = discovered(entry, entry["asked"], provider.issuers)
    assert TENANT in metadata.token_endpoint


def test_a_preset_takes_no_document_of_another_tenant() -> None:
    provider = entra(TENANT.replace("a", "b"), resource="api://my-api")
    assert provider.issuer is not None
    entry = DOCUMENTS["entra-v2-tenant-by-guid"]
    moved = {**entry, "url": f"{provider.issuer}/.well-known/openid-configuration"}
    with pytest.raises(OAuth2Error, match="the issuer in it is"):
        discovered(moved, provider.issuer, provider.issuers)
