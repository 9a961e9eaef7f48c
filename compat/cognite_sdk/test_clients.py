"""Our credentials in the real clients of the Cognite SDK and in one that Pygen generated.

Calls and token requests go over sockets. Where lifetimes pass, the clock is moved by hand and the
authorization server is told that the token is over, except in the one test that waits.
"""

from __future__ import annotations

import threading
import time
import traceback
from typing import Any

import pytest

from pygen_auth import (
    AsyncOAuth2ClientCredentials,
    AsyncTokenCredentials,
    OAuth2ClientCredentials,
    RefusedError,
    TokenCredentials,
    UnreachableError,
)
from pygen_auth.testing import Answer, AuthorizationServer
from tests.support import HandClock

from .clients import WAYS, WHY, Client, SyncClient, settings
from .data_fusion import DataFusion

sdk = pytest.importorskip("cognite.client", reason=WHY)

SECRET = "the-secret-of-the-client"
ARGUMENTS = ("https://auth.example.com/oauth2/token", "the-client", SECRET)
CALLERS = 32
LIFETIME = 3600

# The oldest SDK wonders about every base_url that is not Cognite's.
pytestmark = pytest.mark.filterwarnings("ignore:Given base URL may be invalid:UserWarning")

every_way = pytest.mark.parametrize("way", WAYS)


def credentials_of(
    authority: AuthorizationServer, clock: HandClock | None = None, secret: str = SECRET
) -> OAuth2ClientCredentials:
    credentials = OAuth2ClientCredentials(authority.token_url, "the-client", secret)
    if clock is not None:
        credentials._begin(clock.clock)
    return credentials


def end(tokens: list[str], authority: AuthorizationServer) -> None:
    """Have the authorization server honour none of these any more."""
    for token in set(tokens):
        authority.revoke(token)


@every_way
def test_three_lifetimes_take_three_tokens_and_no_call_is_refused(
    way: str, authority: AuthorizationServer, data_fusion: DataFusion, clock: HandClock
) -> None:
    client = WAYS[way](credentials_of(authority, clock), data_fusion)
    for _ in range(3):
        assert [client.call() for _ in range(3)] == [1, 1, 1]
        clock.advance(LIFETIME)
        end(data_fusion.tokens, authority)
    assert authority.token_request_count == 3
    assert len(set(data_fusion.tokens)) == 3
    assert data_fusion.refused == 0


@every_way
def test_callers_at_once_share_one_token(
    way: str, authority: AuthorizationServer, data_fusion: DataFusion
) -> None:
    client = WAYS[way](credentials_of(authority), data_fusion)
    assert client.calls(CALLERS) == [1] * CALLERS
    assert authority.token_request_count == 1


@every_way
@pytest.mark.parametrize(
    "outage",
    [Answer(503), Answer(reset="before"), Answer(body=b"<html>")],
    ids=["503", "reset", "HTML"],
)
def test_outage_loses_no_call_while_the_held_token_is_valid(
    way: str,
    outage: Answer,
    authority: AuthorizationServer,
    data_fusion: DataFusion,
    clock: HandClock,
) -> None:
    client = WAYS[way](credentials_of(authority, clock), data_fusion)
    assert client.call() == 1
    clock.advance(LIFETIME - 200)  # inside the margin
    authority.override = outage
    assert client.calls(CALLERS) == [1] * CALLERS
    assert authority.token_request_count == 2
    authority.override = None
    clock.advance(60)
    assert client.call() == 1
    assert len(set(data_fusion.tokens)) == 2
    assert data_fusion.refused == 0


@every_way
def test_outage_without_a_token_reaches_the_caller_as_our_error(
    way: str, authority: AuthorizationServer, data_fusion: DataFusion, clock: HandClock
) -> None:
    authority.override = Answer(reset="before")
    client = WAYS[way](credentials_of(authority, clock), data_fusion)
    with pytest.raises(UnreachableError) as caught:
        client.call()
    assert type(caught.value) is UnreachableError
    assert caught.value.retryable
    authority.override = None
    clock.advance(60)
    assert client.call() == 1


@every_way
def test_wrong_secret_reaches_the_caller_as_our_error(
    way: str, authority: AuthorizationServer, data_fusion: DataFusion
) -> None:
    client = WAYS[way](credentials_of(authority, secret="a-wrong-secret"), data_fusion)
    with pytest.raises(RefusedError) as caught:
        client.call()
    assert (caught.value.error, caught.value.retryable) == ("invalid_client", False)
    assert "a-wrong-secret" not in "".join(traceback.format_exception(caught.value))
    assert (data_fusion.tokens, data_fusion.refused) == ([], 0)


@every_way
def test_all_callers_at_once_see_the_wrong_secret(
    way: str, authority: AuthorizationServer, data_fusion: DataFusion
) -> None:
    client = WAYS[way](credentials_of(authority, secret="a-wrong-secret"), data_fusion)
    results = client.calls(CALLERS)
    assert {type(result) for result in results} == {RefusedError}
    assert authority.token_request_count == 1


def test_wrong_secret_comes_out_of_a_call_that_the_sdk_cuts_into_several(
    authority: AuthorizationServer, data_fusion: DataFusion
) -> None:
    client = SyncClient(credentials_of(authority, secret="a-wrong-secret"), data_fusion)
    assets = pytest.importorskip("cognite.client.data_classes")
    with pytest.raises(RefusedError):
        client.client.assets.create([assets.AssetWrite(name=str(i)) for i in range(2500)])


@every_way
def test_token_that_the_api_refuses_is_replaced_once_it_is_invalidated(
    way: str, authority: AuthorizationServer, data_fusion: DataFusion
) -> None:
    credentials = credentials_of(authority)
    client = WAYS[way](credentials, data_fusion)
    client.call()
    authority.revoke(credentials.token().access_token)
    with pytest.raises(sdk.exceptions.CogniteProjectAccessError):
        client.call()
    credentials.invalidate(credentials.token())
    assert client.call() == 1


@every_way
def test_fixed_token(way: str, authority: AuthorizationServer, data_fusion: DataFusion) -> None:
    token = credentials_of(authority).token().access_token
    client = WAYS[way](TokenCredentials(token), data_fusion)
    assert client.calls(CALLERS) == [1] * CALLERS
    assert set(data_fusion.tokens) == {token}


@every_way
def test_callable_token_is_asked_for_at_each_call(
    way: str, authority: AuthorizationServer, data_fusion: DataFusion
) -> None:
    tokens = [credentials_of(authority).token().access_token for _ in range(2)]
    current = iter(tokens)
    held = [next(current)]
    client = WAYS[way](TokenCredentials(lambda: held[0]), data_fusion)
    client.call()
    held[0] = next(current)
    client.call()
    assert data_fusion.tokens == tokens


@pytest.mark.parametrize(
    "made",
    [OAuth2ClientCredentials(*ARGUMENTS), TokenCredentials("token")],
    ids=lambda made: type(made).__name__,
)
def test_synchronous_kinds_are_credential_providers(made: object) -> None:
    assert isinstance(made, sdk.credentials.CredentialProvider)


@pytest.mark.parametrize(
    "made",
    [AsyncOAuth2ClientCredentials(*ARGUMENTS), AsyncTokenCredentials("token")],
    ids=lambda made: type(made).__name__,
)
def test_asynchronous_kinds_are_no_credential_providers(made: object) -> None:
    assert not isinstance(made, sdk.credentials.CredentialProvider)


def test_loading_a_configuration_refuses_the_asynchronous_twin(data_fusion: DataFusion) -> None:
    twin = AsyncOAuth2ClientCredentials(*ARGUMENTS)
    with pytest.raises(TypeError, match="AsyncOAuth2ClientCredentials"):
        sdk.ClientConfig.load(settings(twin, data_fusion))


def test_clients_of_all_kinds_share_one_object_over_three_real_lifetimes(
    authority: AuthorizationServer, data_fusion: DataFusion
) -> None:
    authority.lifetime = 2
    credentials = credentials_of(authority)
    clients = [way(credentials, data_fusion) for way in WAYS.values()]
    until = time.monotonic() + 3 * authority.lifetime
    outcomes: list[Any] = []

    def keep_calling(client: Client) -> None:
        while time.monotonic() < until:
            outcomes.extend(client.calls(2))
            time.sleep(0.05)

    threads = [threading.Thread(target=keep_calling, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(outcomes) == {1}
    assert data_fusion.refused == 0
    # At half of each life a new one; a busy machine is late, never early.
    assert 4 <= authority.token_request_count <= 7
    assert len(set(data_fusion.tokens)) == authority.token_request_count
