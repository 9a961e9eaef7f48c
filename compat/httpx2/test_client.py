"""A caller's httpx2 client serves as `client=`, like one of httpx.

httpx2's errors are no subclasses of httpx's, and the Cognite SDK brings it.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
from collections.abc import Callable
from typing import Any

import pytest

from pygen_auth import InvalidResponseError, OAuth2Error, RefusedError, UnreachableError
from pygen_auth.testing import Answer, AuthorizationServer
from tests.support import HandClock, Twin

httpx2: Any = pytest.importorskip("httpx2", reason="needs httpx2, which Python 3.11 and newer have")


def client_of(twin: Twin, form: str) -> Any:
    kind = httpx2.AsyncClient if twin.asynchronous else httpx2.Client
    return kind if form == "callable" else kind()


@pytest.fixture(params=["callable", "object"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def made(twin: Twin, url: str, client: Any, **settings: Any) -> Any:
    """Credentials that send for real, and wait between attempts by a clock moved by hand."""
    credentials = twin.make(url, "the-client", "the-secret", client=client, **settings)
    credentials._begin(HandClock().clock)
    return credentials


def call(twin: Twin, form: str, url: str, **settings: Any) -> Any:
    """A token through such a client, in the one event loop that an object belongs to."""
    client = client_of(twin, form)
    credentials = made(twin, url, client, **settings)
    if not twin.asynchronous:
        try:
            return credentials.token()
        finally:
            if form == "object":
                assert not client.is_closed
                client.close()

    async def asked() -> Any:
        try:
            return await credentials.token()
        finally:
            if form == "object":
                assert not client.is_closed
                await client.aclose()

    return asyncio.run(asked())


@pytest.fixture
def known(server: AuthorizationServer) -> AuthorizationServer:
    server.add_client("the-client", "the-secret")
    return server


def test_it_fetches_a_token_and_stays_open(
    twin: Twin, form: str, known: AuthorizationServer
) -> None:
    assert call(twin, form, known.token_url).lifetime == 3600
    assert "httpx2" in known.token_requests[-1].headers["user-agent"]


def test_a_synchronous_one_serves_both_twins(twin: Twin, known: AuthorizationServer) -> None:
    with httpx2.Client() as client:
        token = twin.call(made(twin, known.token_url, client), "token")
        assert token.lifetime == 3600
        assert not client.is_closed


def test_no_answer_is_mapped(twin: Twin, form: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: refused
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/token"
        with pytest.raises(UnreachableError) as caught:
            call(twin, form, url)
    assert isinstance(caught.value.__cause__, httpx2.ConnectError)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401, body={"error": "invalid_client"}), RefusedError),
        (Answer(307, {"Location": "/oauth2/token"}), RefusedError),
        (Answer(200, body="<html>"), InvalidResponseError),
        (Answer(reset="before"), UnreachableError),
    ],
    ids=["refusal", "redirect", "no JSON", "reset"],
)
def test_failures_are_those_of_every_client(
    twin: Twin, form: str, known: AuthorizationServer, answer: Answer, kind: type[OAuth2Error]
) -> None:
    known.override = answer
    with pytest.raises(OAuth2Error) as caught:
        call(twin, form, known.token_url)
    assert type(caught.value) is kind


def test_answer_that_drips_is_left(twin: Twin, form: str, known: AuthorizationServer) -> None:
    known.override = Answer(200, body="{}", drip="body")
    with pytest.raises(UnreachableError):
        call(twin, form, known.token_url, timeout=0.5)


def test_cookies_of_the_answer_do_not_stay(twin: Twin, known: AuthorizationServer) -> None:
    body = {"access_token": "a-token", "token_type": "Bearer", "expires_in": 60}
    known.script(Answer(200, {"Set-Cookie": "session=1"}, body))
    with httpx2.Client(cookies={"mine": "1"}) as client:
        twin.call(made(twin, known.token_url, client), "token")
        assert dict(client.cookies) == {"mine": "1"}


def test_a_callable_is_pickled(twin: Twin, known: AuthorizationServer) -> None:
    credentials = made(twin, known.token_url, client_of(twin, "callable"))
    sent = pickle.loads(pickle.dumps(credentials))
    assert twin.call(sent, "token").lifetime == 3600


def test_discovery_goes_through_it(twin: Twin, known: AuthorizationServer) -> None:
    kind = client_of(twin, "callable")
    found: Callable[..., Any] = twin.kind.discover
    credentials = found(known.issuer, "the-client", "the-secret", client=kind)
    if twin.asynchronous:
        credentials = asyncio.run(credentials)
    assert credentials.token_url == known.token_url
