"""The short ways to credentials: from a provider, the environment, a configuration, a server."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pytest

from pygen_auth import (
    AsyncCredentials,
    AsyncOAuth2ClientCredentials,
    AsyncTokenCredentials,
    ConfigurationError,
    Credentials,
    InvalidResponseError,
    OAuth2ClientCredentials,
    RefusedError,
    TokenCredentials,
    UnreachableError,
)
from pygen_auth.client_auth import ClientSecretBasic, ClientSecretPost, PrivateKeyJWT
from pygen_auth.providers import Provider, auth0, cognite, entra, entra_v1, okta_org
from pygen_auth.testing import Answer, AuthorizationServer

from .support import SECRET, UNAVAILABLE, Endpoint, HandClock, Twin, answer

TENANT = "3aa4a235-b6e2-48d5-9195-7fcf05b459b0"
ENVIRONMENT = {
    "PROVIDER": "cdf",
    "CDF_CLUSTER": "westeurope-1",
    "CDF_PROJECT": "my-project",
    "IDP_CLIENT_ID": "the-client",
    "IDP_CLIENT_SECRET": SECRET,
}
COGNITE = "https://auth.cognite.com/oauth2/token"
CONFIG: dict[str, Any] = {"token_url": COGNITE, "client_id": "the-client", "client_secret": SECRET}
KIND = {"sync": OAuth2ClientCredentials, "async": AsyncOAuth2ClientCredentials}
ABSTRACT = {"sync": Credentials, "async": AsyncCredentials}
TOKEN_KIND = {"sync": TokenCredentials, "async": AsyncTokenCredentials}


def discovered(twin: Twin, *args: Any, **keywords: Any) -> Any:
    made = twin.kind.discover(*args, **keywords)
    return asyncio.run(_awaited(made)) if inspect.isawaitable(made) else made


async def _awaited(made: Any) -> Any:
    return await made


def refusal(make: Any, *args: Any, **keywords: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        make(*args, **keywords)
    return str(caught.value)


# -- from a provider


def test_a_provider_says_what_the_caller_does_not(twin: Twin) -> None:
    credentials = twin.kind.from_provider(
        auth0("my-tenant.eu.auth0.com", "https://api.example.com/", organization="org_1"),
        "the-client",
        SECRET,
    )
    assert type(credentials) is twin.kind
    assert credentials.token_url == "https://my-tenant.eu.auth0.com/oauth/token"
    assert credentials.client_id == "the-client"
    assert credentials.client_secret == SECRET
    assert credentials.audience == "https://api.example.com/"
    assert credentials._grant.params == (("organization", "org_1"),)
    assert credentials._grant.client_auth == ClientSecretPost()


def test_scopes_of_a_provider_are_asked_for(twin: Twin) -> None:
    provider = entra(TENANT, resource="api://my-api")
    assert twin.kind.from_provider(provider, "c", SECRET).scopes == ["api://my-api/.default"]


def test_a_provider_without_scopes_asks_for_none(twin: Twin) -> None:
    assert twin.kind.from_provider(cognite(), "c", SECRET).scopes == []


def test_a_keyword_of_the_caller_wins(twin: Twin) -> None:
    credentials = twin.kind.from_provider(
        auth0("my-tenant.eu.auth0.com", "https://api.example.com/"),
        "c",
        SECRET,
        audience="other",
        scopes=["read"],
        token_url="https://127.0.0.1/token",
        client_auth="client_secret_basic",
        refresh_margin=7,
    )
    assert credentials.audience == "other"
    assert credentials.scopes == ["read"]
    assert credentials.token_url == "https://127.0.0.1/token"
    assert credentials._grant.client_auth == ClientSecretBasic()
    assert credentials.refresh_margin == 7


def test_a_none_of_the_caller_says_nothing(twin: Twin) -> None:
    provider = auth0("my-tenant.eu.auth0.com", "https://api.example.com/")
    keywords = dict.fromkeys(["audience", "scopes", "client_auth", "params", "default_lifetime"])
    credentials = twin.kind.from_provider(provider, "c", SECRET, **keywords)
    assert credentials.audience == "https://api.example.com/"
    assert credentials._grant.client_auth == ClientSecretPost()


@pytest.mark.parametrize("params", ["a=b", [("a", "b")], 5])
def test_params_must_be_a_mapping(twin: Twin, params: Any) -> None:
    message = refusal(twin.kind.from_provider, cognite(), "c", SECRET, params=params)
    assert message.startswith("params must be a mapping")
    assert refusal(Provider, "mine", "https://a.example.com", params=params).startswith("params ")


def test_params_of_the_caller_are_added_to_those_of_the_provider(twin: Twin) -> None:
    provider = entra_v1(TENANT, "api://my-api")
    credentials = twin.kind.from_provider(provider, "c", SECRET, params={"claims": "{}"})
    assert credentials._grant.params == (("resource", "api://my-api"), ("claims", "{}"))


def test_a_param_of_the_caller_wins_over_that_of_the_provider(twin: Twin) -> None:
    provider = entra_v1(TENANT, "api://my-api")
    credentials = twin.kind.from_provider(provider, "c", SECRET, params={"resource": "other"})
    assert credentials._grant.params == (("resource", "other"),)


def test_a_lifetime_of_the_provider_is_the_default(twin: Twin) -> None:
    provider = Provider("mine", "https://a.example.com/token", default_lifetime=900.0)
    assert twin.kind.from_provider(provider, "c", SECRET)._default_lifetime == 900.0


def test_a_provider_that_takes_keys_alone_says_so_when_given_a_secret(twin: Twin) -> None:
    provider = okta_org("my-org.okta.com", scopes=["okta.users.read"])
    message = refusal(twin.kind.from_provider, provider, "c", SECRET)
    assert message == ("okta_org takes private_key_jwt only; pass client_auth=PrivateKeyJWT(key)")
    assert SECRET not in message


def test_a_provider_that_takes_keys_alone_takes_a_key(twin: Twin, key_file: Path) -> None:
    provider = okta_org("my-org.okta.com", scopes=["okta.users.read"])
    client_auth = PrivateKeyJWT(key_file, kid="k1")
    credentials = twin.kind.from_provider(provider, "c", client_auth=client_auth)
    assert credentials._grant.client_auth == client_auth


def test_a_provider_must_be_one(twin: Twin) -> None:
    assert refusal(twin.kind.from_provider, "entra", "c", SECRET).startswith("provider must be")


# -- from the environment and from a configuration


def test_the_environment_makes_client_credentials(twin: Twin) -> None:
    for kind in (twin.kind, ABSTRACT[twin.name]):
        credentials = kind.from_env(ENVIRONMENT)
        assert type(credentials) is twin.kind
        assert credentials.token_url == COGNITE


def test_the_environment_is_that_of_the_process_unless_given(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert twin.kind.from_env().token_url == COGNITE


def test_a_token_in_the_environment_makes_token_credentials(twin: Twin) -> None:
    environment = {"LOGIN_FLOW": "token", "CDF_TOKEN": "t0ken"}
    for kind in (ABSTRACT[twin.name], TOKEN_KIND[twin.name]):
        credentials = kind.from_env(environment)
        assert type(credentials) is TOKEN_KIND[twin.name]
        assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer t0ken"}


def test_client_credentials_are_not_made_of_a_token(twin: Twin) -> None:
    message = refusal(twin.kind.from_env, {"LOGIN_FLOW": "token", "CDF_TOKEN": "t0ken"})
    assert "these settings hold a token" in message
    assert "t0ken" not in message


def test_a_token_is_not_made_of_client_credentials(twin: Twin) -> None:
    message = refusal(TOKEN_KIND[twin.name].from_env, ENVIRONMENT)
    assert "these settings hold client credentials" in message
    assert SECRET not in message


@pytest.mark.parametrize("kind", [Credentials, OAuth2ClientCredentials, AsyncCredentials])
def test_a_configuration_makes_client_credentials(kind: Any) -> None:
    expected: type = OAuth2ClientCredentials
    if kind is AsyncCredentials:
        expected = AsyncOAuth2ClientCredentials
    credentials = kind.load({"client_credentials": CONFIG})
    assert credentials.token_url == COGNITE
    assert type(credentials) is expected


def test_a_configuration_with_a_token_makes_token_credentials() -> None:
    assert type(Credentials.load({"token": "t0ken"})) is TokenCredentials
    assert type(AsyncCredentials.load('{"token": "t0ken"}')) is AsyncTokenCredentials


def test_client_credentials_are_not_loaded_of_a_token() -> None:
    assert "hold a token" in refusal(OAuth2ClientCredentials.load, {"token": "t0ken"})


def test_a_subclass_makes_itself(twin: Twin) -> None:
    class Mine(twin.kind):  # type: ignore[misc,name-defined]  # one of the twins
        pass

    assert type(Mine.from_env(ENVIRONMENT)) is Mine
    assert type(ABSTRACT[twin.name].from_env(ENVIRONMENT)) is twin.kind


# -- the Cognite SDK's CredentialProvider


@runtime_checkable
class CredentialProvider(Protocol):
    """As cognite.client.credentials has it."""

    def authorization_header(self) -> tuple[str, str]: ...

    @classmethod
    def load(cls, config: dict[str, Any] | str) -> CredentialProvider: ...


def test_synchronous_credentials_are_a_credential_provider() -> None:
    assert isinstance(OAuth2ClientCredentials(**CONFIG), CredentialProvider)
    assert isinstance(TokenCredentials("t0ken"), CredentialProvider)


def test_asynchronous_credentials_are_no_credential_provider() -> None:
    for credentials in (AsyncOAuth2ClientCredentials(**CONFIG), AsyncTokenCredentials("t0ken")):
        assert not isinstance(credentials, CredentialProvider)
        assert not hasattr(credentials, "load")
        assert not hasattr(type(credentials), "load")


# -- discovery, over real sockets


def test_discovery_finds_the_token_endpoint(twin: Twin) -> None:
    with AuthorizationServer() as server:
        server.add_client("the-client", SECRET)
        credentials = discovered(twin, server.issuer, "the-client", SECRET, scopes=["read"])
        assert type(credentials) is twin.kind
        assert credentials.token_url == server.token_url
        assert credentials.scopes == ["read"]
        twin.token(credentials)


def test_discovery_over_tls_uses_the_ca_file(twin: Twin) -> None:
    with AuthorizationServer(tls=True) as server:
        server.add_client("the-client", SECRET)
        credentials = discovered(twin, server.issuer, "the-client", SECRET, verify=server.ca_file)
        twin.token(credentials)


def test_discovery_with_an_untrusted_certificate_is_an_error(twin: Twin) -> None:
    with AuthorizationServer(tls=True) as server, pytest.raises(UnreachableError) as caught:
        discovered(twin, server.issuer, "the-client", SECRET, timeout=1)
    assert "certificate" in str(caught.value)


def test_what_discovery_learns_of_client_authentication_is_used(twin: Twin) -> None:
    with AuthorizationServer() as server:
        server.add_client("the-client", SECRET, auth_methods=["client_secret_basic"])
        metadata = {
            "issuer": server.issuer,
            "token_endpoint": server.token_url,
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        server.documents["/.well-known/oauth-authorization-server"] = Answer(body=metadata)
        credentials = discovered(twin, server.issuer, "the-client", SECRET)
        assert credentials._grant.client_auth == ClientSecretBasic()
        twin.token(credentials)


def test_a_provider_is_discovered_by_its_own_rule_for_issuers(twin: Twin) -> None:
    with AuthorizationServer() as server:
        server.add_client("the-client", SECRET)
        metadata = {"issuer": server.token_url, "token_endpoint": server.token_url}
        server.documents["/.well-known/openid-configuration"] = Answer(body=metadata)
        server.documents["/.well-known/oauth-authorization-server"] = Answer(404)
        provider = Provider(
            "uaa",
            "https://uaa.example.com/oauth/token",
            issuer=server.url,
            issuers=(server.token_url,),
            scopes=("read",),
        )
        credentials = discovered(twin, provider, "the-client", SECRET)
        assert credentials.token_url == server.token_url
        assert credentials.scopes == ["read"]
        twin.token(credentials)


def test_discovery_of_a_provider_proves_the_client_as_the_provider_says(twin: Twin) -> None:
    with AuthorizationServer() as server:
        provider = Provider(
            "mine", server.token_url, server.issuer, client_auth=ClientSecretBasic("raw")
        )
        credentials = discovered(twin, provider, "the-client", SECRET)
        assert credentials._grant.client_auth == ClientSecretBasic("raw")


def test_metadata_of_another_issuer_is_refused(twin: Twin) -> None:
    with AuthorizationServer() as server:
        metadata = {"issuer": "https://evil.example.com", "token_endpoint": server.token_url}
        for path in (
            "/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server",
        ):
            server.documents[path] = Answer(body=metadata)
        with pytest.raises(InvalidResponseError, match=r"evil\.example\.com"):
            discovered(twin, server.issuer, "the-client", SECRET)
        credentials = discovered(twin, server.issuer, "the-client", SECRET, verify_issuer=False)
        assert credentials.token_url == server.token_url


def test_a_server_without_metadata_is_an_error_with_both_urls(twin: Twin) -> None:
    with AuthorizationServer() as server, pytest.raises(RefusedError) as caught:
        discovered(twin, f"{server.url}/nothing", "the-client", SECRET)
    assert f"{server.url}/nothing/.well-known/openid-configuration: status 404" in str(caught.value)
    assert "/.well-known/oauth-authorization-server/nothing: status 404" in str(caught.value)


def test_a_server_that_was_away_for_a_moment_is_asked_again(twin: Twin) -> None:
    issuer = "https://idp.example.com"
    metadata = answer(200, issuer=issuer, token_endpoint=f"{issuer}/token")
    endpoint, clock = (
        Endpoint(UNAVAILABLE, UnreachableError("away", retryable=True), metadata),
        HandClock(),
    )
    seeker = twin.scripted(endpoint, clock)
    steps = seeker._steps_to(Provider("mine", "", issuer=issuer), True)
    assert twin.call(seeker, "_carry_out", steps).token_endpoint == f"{issuer}/token"
    assert [request.method for request in endpoint.requests] == ["GET"] * 3
    assert len(clock.slept) == 1


def test_nothing_is_sent_where_a_setting_cannot_be_right(twin: Twin) -> None:
    with AuthorizationServer() as server:
        for settings in (
            {"client_id": "", "client_secret": SECRET},
            {"client_id": "c"},
            {"client_id": "c", "client_secret": SECRET, "timeout": -1},
            {"client_id": "c", "client_secret": SECRET, "token_url": server.token_url},
        ):
            with pytest.raises(ConfigurationError):
                discovered(twin, server.issuer, **settings)
        assert server.requests == []


def test_token_url_is_not_given_to_discovery(twin: Twin) -> None:
    with pytest.raises(ConfigurationError, match="token_url is what discovery finds"):
        discovered(twin, "https://a.example.com", "c", SECRET, token_url="https://b.example.com")


def test_a_provider_without_issuer_cannot_be_discovered(twin: Twin) -> None:
    provider = Provider("mine", "https://a.example.com/token")
    with pytest.raises(ConfigurationError, match="mine has no issuer to discover"):
        discovered(twin, provider, "c", SECRET)


def test_an_issuer_over_plain_http_is_refused_by_name(twin: Twin) -> None:
    with pytest.raises(ConfigurationError, match=r"^issuer .*insecure_hosts"):
        discovered(twin, "http://keycloak/realms/r", "c", SECRET)


def test_the_secret_is_not_sent_to_the_metadata(twin: Twin) -> None:
    with AuthorizationServer() as server:
        discovered(twin, server.issuer, "the-client", SECRET)
        assert server.token_requests == []


def test_the_context_of_discovery_may_be_the_callers(twin: Twin) -> None:
    with AuthorizationServer(tls=True) as server:
        context = ssl.create_default_context(cafile=server.ca_file)
        credentials = discovered(twin, server.issuer, "the-client", SECRET, verify=context)
        assert credentials.token_url == server.token_url


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import trustme

    path = tmp_path_factory.mktemp("key") / "key.pem"
    trustme.CA().issue_cert("client").private_key_pem.write_to_path(str(path))
    return path
