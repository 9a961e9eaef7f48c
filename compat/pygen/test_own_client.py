"""Our credentials in the place of Pygen's own class, in Pygen's own client.

Both stand in Pygen's branch `experiment-v2` alone, and in no release.
"""

from __future__ import annotations

from typing import Any

import pytest

from compat.cognite_sdk.data_fusion import PROJECT, DataFusion
from compat.cognite_sdk.internet import Internet
from compat.cognite_sdk.page import asked_by_both_sides
from pygen_auth import (
    AsyncOAuth2ClientCredentials,
    Credentials,
    OAuth2ClientCredentials,
    TokenCredentials,
)
from pygen_auth.testing import Answer, AuthorizationServer
from tests.support import HandClock, in_threads

WHY = (
    "no release of Pygen has a class of its own; pip install "
    "git+https://github.com/cognitedata/pygen@e50d94ecb has one"
)
theirs = pytest.importorskip("cognite.pygen._python.instance_api.auth", reason=WHY)
config = pytest.importorskip("cognite.pygen._python.instance_api.config", reason=WHY)
pygen = pytest.importorskip("cognite.pygen._client", reason=WHY)

SECRET = "the-secret-of-the-client"
SCOPES = ["https://westeurope-1.cognitedata.com/.default", "openid"]
AUDIENCE = "https://westeurope-1.cognitedata.com"
CALLERS = 32


@pytest.fixture
def credentials(authority: AuthorizationServer, clock: HandClock) -> OAuth2ClientCredentials:
    made = OAuth2ClientCredentials(authority.token_url, "the-client", SECRET)
    made._begin(clock.clock)
    return made


def client_of(credentials: object, data_fusion: DataFusion) -> Any:
    settings = {"cdf_url": data_fusion.url, "project": PROJECT, "credentials": credentials}
    return pygen.PygenClient(config.PygenClientConfig(**settings))


def test_three_lifetimes_take_three_tokens(
    credentials: OAuth2ClientCredentials,
    authority: AuthorizationServer,
    data_fusion: DataFusion,
    clock: HandClock,
) -> None:
    with client_of(credentials, data_fusion) as client:
        for _ in range(3):
            assert [len(client.spaces.list()) for _ in range(3)] == [1, 1, 1]
            clock.advance(3600)
            authority.revoke(data_fusion.tokens[-1])
    assert authority.token_request_count == 3
    assert data_fusion.refused == 0


def test_outage_loses_no_call_while_the_held_token_is_valid(
    credentials: OAuth2ClientCredentials,
    authority: AuthorizationServer,
    data_fusion: DataFusion,
    clock: HandClock,
) -> None:
    with client_of(credentials, data_fusion) as client:
        client.spaces.list()
        clock.advance(3400)
        authority.override = Answer(503)
        results = in_threads([lambda: len(client.spaces.list())] * CALLERS)
    assert results == [1] * CALLERS
    assert authority.token_request_count == 2


@pytest.mark.parametrize("kind", ["theirs", "ours"])
def test_wrong_secret_is_in_the_text_of_the_failure_with_either_class(
    kind: str, authority: AuthorizationServer, data_fusion: DataFusion
) -> None:
    made_by = theirs.OAuth2ClientCredentials if kind == "theirs" else OAuth2ClientCredentials
    with (
        made_by(authority.token_url, "the-client", "a-wrong-secret") as credentials,
        client_of(credentials, data_fusion) as client,
        pytest.raises(Exception, match=r"Token request failed with status 401: .*invalid_client"),
    ):
        client.spaces.list()


def test_same_arguments_make_the_same_token_request_and_header(
    authority: AuthorizationServer,
) -> None:
    arguments = (authority.token_url, "the-client", SECRET, SCOPES, AUDIENCE, 60)
    ours = OAuth2ClientCredentials(*arguments)
    with theirs.OAuth2ClientCredentials(*arguments) as own:
        pairs = [own.authorization_header(), ours.authorization_header()]
    first, second = authority.token_requests
    assert (first.form, first.auth_method) == (second.form, second.auth_method)
    assert [name for name, _ in pairs] == ["Authorization"] * 2
    assert all(value.startswith("Bearer ") for _, value in pairs)


def test_both_sides_of_the_page_on_moving_ask_for_the_token_alike(
    internet: Internet, authority: AuthorizationServer
) -> None:
    before, after = asked_by_both_sides("From Pygen", internet, authority)
    assert before == after


@pytest.mark.parametrize(
    "name", ["token_url", "client_id", "client_secret", "scopes", "audience", "refresh_margin"]
)
@pytest.mark.parametrize(
    "more", [{}, {"scopes": SCOPES, "audience": AUDIENCE}], ids=["bare", "all"]
)
def test_attributes_hold_the_same(name: str, more: dict[str, Any]) -> None:
    arguments = ("https://auth.example.com/oauth2/token", "the-client", SECRET)
    with theirs.OAuth2ClientCredentials(*arguments, **more) as own:
        assert getattr(own, name) == getattr(OAuth2ClientCredentials(*arguments, **more), name)


def test_fixed_token_makes_the_same_header() -> None:
    own = theirs.TokenCredentials("a-token")
    assert own.authorization_header() == TokenCredentials("a-token").authorization_header()


@pytest.mark.parametrize(
    "ours",
    [
        OAuth2ClientCredentials("https://auth.example.com/token", "id", "secret"),
        TokenCredentials("token"),
    ],
    ids=lambda ours: type(ours).__name__,
)
def test_ours_are_credentials_to_pygen(ours: Credentials, data_fusion: DataFusion) -> None:
    assert isinstance(ours, theirs.Credentials)
    assert client_of(ours, data_fusion).config.credentials is ours


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_asynchronous_twin_fails_loudly_in_pygens_client(data_fusion: DataFusion) -> None:
    # Pygen's protocol has one method, by name: it cannot tell the twins apart.
    twin = AsyncOAuth2ClientCredentials("https://auth.example.com/token", "id", "secret")
    with (
        client_of(twin, data_fusion) as client,
        pytest.raises(Exception, match="cannot unpack non-iterable coroutine"),
    ):
        client.spaces.list()
    assert data_fusion.refused == 0
