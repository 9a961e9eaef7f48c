"""What docs/moving.md says of the SDK and of its own class, tried on both classes.

A row that fails here is no longer true, and the page wants a change.
"""

from __future__ import annotations

import asyncio
import importlib
import pickle
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pygen_auth import ConfigurationError, InvalidResponseError, OAuth2ClientCredentials
from pygen_auth.testing import Answer, AuthorizationServer
from tests.support import HandClock

from .clients import WHY, AsyncClient, SyncClient, release
from .data_fusion import DataFusion

sdk = pytest.importorskip("cognite.client", reason=WHY)

ARGUMENTS = ("the-client", "the-secret-of-the-client")
UNAVAILABLE = Answer(503)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Given base URL may be invalid:UserWarning",
    # The oldest SDK has Authlib on httpx, which warns of its own future.
    "ignore:.*:authlib.deprecate.AuthlibDeprecationWarning",
)


@pytest.fixture
def theirs(authority: AuthorizationServer) -> Iterator[Any]:
    """The SDK's own class."""
    kind = sdk.credentials.OAuthClientCredentials
    made = kind(authority.token_url, *ARGUMENTS, scopes=None)
    yield made
    release(made)


@pytest.fixture
def ours(authority: AuthorizationServer) -> OAuth2ClientCredentials:
    return OAuth2ClientCredentials(authority.token_url, *ARGUMENTS)


def requests_for_five_headers(credentials: Any, authority: AuthorizationServer) -> int:
    before = authority.token_request_count
    for _ in range(5):
        credentials.authorization_header()
    return authority.token_request_count - before


def test_token_of_20_seconds_is_fetched_each_time_by_the_sdk_and_once_here(
    theirs: Any, ours: OAuth2ClientCredentials, authority: AuthorizationServer
) -> None:
    authority.lifetime = 20
    assert requests_for_five_headers(theirs, authority) == 5
    assert requests_for_five_headers(ours, authority) == 1


def test_refresh_that_fails_raises_in_the_sdk_and_keeps_the_token_here(
    theirs: Any, ours: OAuth2ClientCredentials, authority: AuthorizationServer, clock: HandClock
) -> None:
    ours._begin(clock.clock)
    held = ours.authorization_header()
    theirs.authorization_header()
    authority.override = UNAVAILABLE
    clock.advance(3400)
    theirs.token_expiry_leeway_seconds = 3600  # as if the time had come
    with pytest.raises(Exception, match="503"):
        theirs.authorization_header()
    assert ours.authorization_header() == held


def test_wrong_secret_is_an_authentication_error_of_the_sdk(
    theirs: Any, authority: AuthorizationServer
) -> None:
    authority.add_client("the-client", "another-secret")
    with pytest.raises(sdk.exceptions.CogniteAuthError):
        theirs.authorization_header()


def test_outage_is_no_exception_of_the_sdks(theirs: Any, authority: AuthorizationServer) -> None:
    authority.override = UNAVAILABLE
    with pytest.raises(Exception, match="503") as caught:
        theirs.authorization_header()
    assert not isinstance(caught.value, sdk.exceptions.CogniteException)


def test_answer_without_a_lifetime_is_a_key_error_in_the_sdk_and_an_hour_here(
    theirs: Any, ours: OAuth2ClientCredentials, authority: AuthorizationServer
) -> None:
    authority.override = Answer(body={"access_token": "a-token", "token_type": "Bearer"})
    with pytest.raises(KeyError, match="expires_in"):
        theirs.authorization_header()
    assert ours.token().lifetime == 3600


def test_dead_token_is_handed_out_by_the_sdk_and_an_error_here(
    theirs: Any, ours: OAuth2ClientCredentials, authority: AuthorizationServer, clock: HandClock
) -> None:
    body = {"access_token": "a-token", "token_type": "Bearer", "expires_in": -10}
    authority.override = Answer(body=body)
    assert theirs.authorization_header() == ("Authorization", "Bearer a-token")
    ours._begin(clock.clock)
    with pytest.raises(InvalidResponseError):
        ours.authorization_header()


def test_any_url_is_taken_by_the_sdk_and_https_alone_here() -> None:
    url = "http://auth.example.com/oauth2/token"
    sdk.credentials.OAuthClientCredentials(url, *ARGUMENTS, scopes=None)
    with pytest.raises(ConfigurationError, match="insecure_hosts"):
        OAuth2ClientCredentials(url, *ARGUMENTS)


def test_pickle_of_the_sdks_holds_the_token_and_ours_does_not(
    theirs: Any, ours: OAuth2ClientCredentials
) -> None:
    for credentials, holds_it in ((theirs, True), (ours, False)):
        token = credentials.authorization_header()[1].removeprefix("Bearer ")
        assert (token.encode() in pickle.dumps(credentials)) is holds_it


# -- sessions: the SDK looks at the class of the credentials


def session_asked_for(credentials: Any, data_fusion: DataFusion, *arguments: Any) -> Any:
    client = SyncClient(credentials, data_fusion).client
    assert client.iam.sessions.create(*arguments).nonce == "a-nonce"
    (asked,) = data_fusion.sent[-1]["items"]
    return asked


def test_session_of_the_sdks_class_has_its_id_and_secret(
    theirs: Any, data_fusion: DataFusion
) -> None:
    asked = session_asked_for(theirs, data_fusion)
    assert asked == {"clientId": ARGUMENTS[0], "clientSecret": ARGUMENTS[1]}


def test_session_of_ours_exchanges_the_token(
    ours: OAuth2ClientCredentials, data_fusion: DataFusion
) -> None:
    assert session_asked_for(ours, data_fusion) == {"tokenExchange": True}


def test_session_of_ours_has_the_id_and_secret_that_are_named(
    ours: OAuth2ClientCredentials, data_fusion: DataFusion
) -> None:
    iam = importlib.import_module("cognite.client.data_classes")
    named = iam.ClientCredentials(ours.client_id, ours.client_secret)
    asked = session_asked_for(ours, data_fusion, named)
    assert asked == {"clientId": ARGUMENTS[0], "clientSecret": ARGUMENTS[1]}


# -- the event loop


def test_event_loop_waits_for_a_token_with_either_class(
    theirs: Any,
    ours: OAuth2ClientCredentials,
    authority: AuthorizationServer,
    data_fusion: DataFusion,
) -> None:
    authority.delay = 0.3
    for credentials in (theirs, ours):
        assert longest_stop(AsyncClient(credentials, data_fusion)) > 0.25


def test_event_loop_is_free_while_a_thread_refreshes(
    ours: OAuth2ClientCredentials,
    authority: AuthorizationServer,
    data_fusion: DataFusion,
    clock: HandClock,
) -> None:
    ours._begin(clock.clock)
    client = AsyncClient(ours, data_fusion)
    client.call()
    clock.advance(3400)
    authority.delay = 1

    async def refreshed_meanwhile() -> float:
        refresh = asyncio.create_task(asyncio.to_thread(ours.refresh_if_needed))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await client.client.assets.list(limit=1)
        took = time.monotonic() - began
        await refresh
        return took

    assert asyncio.run(refreshed_meanwhile()) < 0.7
    assert authority.token_request_count == 2


def longest_stop(client: AsyncClient) -> float:
    """Seconds for which the event loop stood still during a call."""

    async def measured() -> float:
        call = asyncio.create_task(client.client.assets.list(limit=1))
        longest = 0.0
        while not call.done():
            began = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - began)
        await call
        return longest

    return asyncio.run(measured())
