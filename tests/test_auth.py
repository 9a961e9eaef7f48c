"""The adapters, with the real clients over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import io
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests

from pygen_auth import (
    AsyncOAuth2ClientCredentials,
    AsyncTokenCredentials,
    ConfigurationError,
    Credentials,
    OAuth2ClientCredentials,
    OAuth2Error,
    TokenCredentials,
)
from pygen_auth.auth import AsyncBearerAuth, BearerAuth
from pygen_auth.testing import Answer, AuthorizationServer

from .support import SECRET, Endpoint, HandClock, granted

httpx2: Any = None
with contextlib.suppress(ImportError):  # some runs go without
    httpx2 = importlib.import_module("httpx2")

LIBRARIES: dict[str, Any] = {"httpx": httpx, "httpx2": httpx2}
WAYS = [
    "requests",
    *(f"{name}-{kind}" for name in LIBRARIES for kind in ("sync", "async", "async-twin")),
]


class Way:
    """One client library, in one of its forms, with the adapter for it."""

    def __init__(self, name: str) -> None:
        self.library, _, form = name.partition("-")
        self.asynchronous = form.startswith("async")
        self.twin = form == "async-twin"
        if LIBRARIES.get(self.library, self) is None:
            pytest.skip("httpx2 is not installed")

    def credentials(self, *args: Any, **settings: Any) -> Any:
        kind = AsyncOAuth2ClientCredentials if self.twin else OAuth2ClientCredentials
        return kind(*args, **settings)

    def auth(self, credentials: Any, **settings: Any) -> Any:
        adapter: Any = AsyncBearerAuth if self.twin else BearerAuth
        return adapter(credentials, **settings)

    def send(self, auth: Any, url: str, method: str = "GET", **how: Any) -> Any:
        """The response to one request, redirects followed."""
        if self.library == "requests":
            if "content" in how:
                how["data"] = how.pop("content")
            return requests.request(method, url, auth=auth, timeout=10, **how)
        library = LIBRARIES[self.library]
        if not self.asynchronous:
            with library.Client(auth=auth, follow_redirects=True, trust_env=False) as client:
                return client.request(method, url, **how)

        async def sent() -> Any:
            async with library.AsyncClient(
                auth=auth, follow_redirects=True, trust_env=False
            ) as client:
                return await client.request(method, url, **how)

        return asyncio.run(sent())

    def token(self, credentials: Any) -> str:
        token = credentials.token()
        if inspect.isawaitable(token):
            token = asyncio.run(_awaited(token))
        return str(token.access_token)


async def _awaited(something: Any) -> Any:
    return await something


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return Way(request.param)


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with AuthorizationServer() as server:
        server.add_client("the-client", SECRET)
        yield server


@pytest.fixture
def credentials(way: Way, server: AuthorizationServer) -> Any:
    return way.credentials(server.token_url, "the-client", SECRET)


# -- the header


def test_each_request_gets_the_header(
    way: Way, server: AuthorizationServer, credentials: Any
) -> None:
    auth = way.auth(credentials)
    for _ in range(3):
        assert way.send(auth, server.resource_url).json()["client_id"] == "the-client"
    assert server.token_request_count == 1


def test_adapter_is_an_auth_of_each_library() -> None:
    auth = BearerAuth(TokenCredentials("abc"))
    assert isinstance(auth, httpx.Auth)
    assert isinstance(auth, requests.auth.AuthBase)
    assert httpx2 is None or isinstance(auth, httpx2.Auth)


def test_session_of_requests_takes_it(server: AuthorizationServer) -> None:
    credentials = OAuth2ClientCredentials(server.token_url, "the-client", SECRET)
    with requests.Session() as session:
        session.auth = BearerAuth(credentials)
        assert session.get(server.resource_url, timeout=10).status_code == 200
        server.revoke(credentials.token().access_token)
        assert session.get(server.resource_url, timeout=10).status_code == 200


def test_error_of_the_credentials_comes_out_of_the_request(
    way: Way, server: AuthorizationServer
) -> None:
    auth = way.auth(way.credentials(server.token_url, "the-client", "a-wrong-secret"))
    with pytest.raises(OAuth2Error, match="invalid_client"):
        way.send(auth, server.resource_url)
    assert server.resource_calls == 0


def test_repr_shows_no_token() -> None:
    assert repr(BearerAuth(TokenCredentials("abc"))) == "BearerAuth(TokenCredentials('***'))"


# -- a 401


def test_refused_token_is_dropped_and_the_request_sent_once_more(
    way: Way, server: AuthorizationServer, credentials: Any
) -> None:
    auth = way.auth(credentials)
    first = way.token(credentials)
    server.revoke(first)
    assert way.send(auth, server.resource_url, "POST", content=b"x=1").status_code == 200
    assert (server.token_request_count, server.resource_refusals) == (2, 1)
    assert way.token(credentials) != first


def test_second_401_is_handed_back(way: Way, server: AuthorizationServer, credentials: Any) -> None:
    server.documents["/api"] = Answer(401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    assert way.send(way.auth(credentials), f"{server.url}/api").status_code == 401
    assert server.requests.count(("GET", "/api")) == 2
    assert server.token_request_count == 2


def test_token_that_was_replaced_meanwhile_is_not_dropped(
    way: Way, server: AuthorizationServer, credentials: Any
) -> None:
    first = way.token(credentials)
    outcome = credentials.invalidate(first)
    if outcome is not None:
        asyncio.run(_awaited(outcome))
    second = way.token(credentials)
    outcome = credentials.invalidate(first)
    if outcome is not None:
        asyncio.run(_awaited(outcome))
    assert way.token(credentials) == second
    assert server.token_request_count == 2


def test_missing_scope_is_no_reason_for_another_token(
    way: Way, server: AuthorizationServer, credentials: Any
) -> None:
    challenge = {"WWW-Authenticate": 'Bearer realm="x", error="insufficient_scope", scope="w"'}
    server.documents["/api"] = Answer(401, challenge)
    assert way.send(way.auth(credentials), f"{server.url}/api").status_code == 401
    assert server.requests.count(("GET", "/api")) == 1
    assert server.token_request_count == 1


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_other_statuses_are_no_reason_for_another_token(
    way: Way, server: AuthorizationServer, credentials: Any, status: int
) -> None:
    server.documents["/api"] = Answer(status)
    assert way.send(way.auth(credentials), f"{server.url}/api").status_code == status
    assert server.token_request_count == 1


def test_streamed_body_is_not_sent_twice(
    way: Way, server: AuthorizationServer, credentials: Any
) -> None:
    def body() -> Iterator[bytes]:
        yield b"x=1"

    async def body_in_loop() -> Any:
        yield b"x=1"

    content: Any = body_in_loop() if way.asynchronous else body()
    if way.library == "requests":
        content = io.BytesIO(b"x=1")  # a generator is sent in chunks, which the server refuses
    server.revoke(way.token(credentials))
    how = {"content": content, "headers": {"Content-Length": "3"}}
    response = way.send(way.auth(credentials), server.resource_url, "POST", **how)
    assert response.status_code == 401
    assert (server.resource_refusals, server.token_request_count) == (1, 1)


@pytest.mark.parametrize("token", ["fixed", "changing"])
def test_token_from_elsewhere_is_asked_for_again(way: Way, token: str) -> None:
    tokens = iter(["one", "two"])
    source: Any = "one" if token == "fixed" else lambda: next(tokens)
    credentials: Any = AsyncTokenCredentials(source) if way.twin else TokenCredentials(source)
    with AuthorizationServer() as server:
        way.send(way.auth(credentials), server.resource_url)
        assert server.resource_refusals == (1 if token == "fixed" else 2)


# -- redirects and hosts


@pytest.fixture
def other() -> Iterator[AuthorizationServer]:
    with AuthorizationServer() as other:
        yield other


def test_header_does_not_travel_to_another_origin(
    way: Way, server: AuthorizationServer, other: AuthorizationServer, credentials: Any
) -> None:
    server.documents["/api"] = Answer(307, {"Location": other.resource_url})
    assert way.send(way.auth(credentials), f"{server.url}/api").status_code == 401
    assert other.resource_refusals == 1
    assert server.token_request_count == 1  # a 401 from there refuses no token


def test_header_travels_within_its_origin(
    way: Way, server: AuthorizationServer, credentials: Any
) -> None:
    server.documents["/api"] = Answer(307, {"Location": server.resource_url})
    assert way.send(way.auth(credentials), f"{server.url}/api").status_code == 200


def test_refusal_behind_a_redirect_within_the_origin_is_mended(
    way: Way, server: AuthorizationServer, credentials: Any
) -> None:
    server.documents["/api"] = Answer(307, {"Location": server.resource_url})
    server.revoke(way.token(credentials))
    assert way.send(way.auth(credentials), f"{server.url}/api").status_code == 200
    assert server.requests.count(("GET", "/api")) == 1  # what led there is not repeated


def test_only_allowed_hosts_get_the_header(
    way: Way, server: AuthorizationServer, credentials: Any
) -> None:
    allowed = way.auth(credentials, allowed_hosts=["127.0.0.1"])
    assert way.send(allowed, server.resource_url).status_code == 200
    others = way.auth(credentials, allowed_hosts=["api.example.com"])
    assert way.send(others, server.resource_url).status_code == 401
    assert server.token_request_count == 1


@pytest.mark.parametrize("hosts", ["api.example.com", ["https://api.example.com"], 5])
def test_allowed_hosts_that_are_none_are_refused(hosts: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^allowed_hosts "):
        BearerAuth(TokenCredentials("abc"), allowed_hosts=hosts)


def test_allowed_host_over_plain_http_gets_no_header() -> None:
    auth = BearerAuth(TokenCredentials("abc"), allowed_hosts=["api.example.com"])
    for scheme, expected in (("http", None), ("https", "Bearer abc")):
        flow = auth.sync_auth_flow(httpx.Request("GET", f"{scheme}://api.example.com/"))
        assert next(flow).headers.get("Authorization") == expected


# -- the wrong kind


def test_asynchronous_credentials_are_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="AsyncBearerAuth"):
        BearerAuth(AsyncTokenCredentials("abc"))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="BearerAuth"):
        AsyncBearerAuth(TokenCredentials("abc"))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["requests", "httpx-sync", "httpx2-sync"])
def test_asynchronous_credentials_in_a_synchronous_client_are_refused(name: str) -> None:
    auth = AsyncBearerAuth(AsyncTokenCredentials("abc"))
    with pytest.raises(ConfigurationError, match="need an asynchronous client"):
        Way(name).send(auth, "http://127.0.0.1:1/")


@pytest.mark.parametrize("form", ["httpx-async", "httpx2-async"])
def test_event_loop_goes_on_while_synchronous_credentials_fetch(
    form: str, server: AuthorizationServer
) -> None:
    way = Way(form)
    server.delay = 0.5
    auth = BearerAuth(OAuth2ClientCredentials(server.token_url, "the-client", SECRET))
    turns: list[float] = []

    async def main() -> Any:
        async def tick() -> None:
            while True:
                turns.append(time.monotonic())
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        async with LIBRARIES[way.library].AsyncClient(auth=auth, trust_env=False) as client:
            response = await client.get(server.resource_url)
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
        return response

    assert asyncio.run(main()).status_code == 200
    assert len(turns) > 10  # in half a second, at 10 ms; none if it had been blocked


def test_event_loop_goes_on_while_synchronous_credentials_drop_a_shared_token() -> None:
    ticked = threading.Event()

    class Shared(TokenCredentials):
        def invalidate(self, token: str) -> None:
            assert ticked.wait(30), "the loop was blocked"

    async def main() -> None:
        dropping = asyncio.ensure_future(BearerAuth(Shared("t"))._invalidate_in_loop("t"))
        await asyncio.sleep(0)
        ticked.set()
        await dropping

    asyncio.run(main())


def test_credentials_of_ones_own_work_in_an_event_loop(server: AuthorizationServer) -> None:
    threads: list[threading.Thread] = []

    class Mine(Credentials):
        def get_headers(self) -> dict[str, str]:
            threads.append(threading.current_thread())
            return {"Authorization": "Bearer mine"}

        def refresh_if_needed(self) -> None:
            pass

    assert Way("httpx-async").send(BearerAuth(Mine()), server.resource_url).status_code == 401
    assert threading.main_thread() not in threads


# -- an API that refuses every token


def test_million_calls_to_an_api_that_refuses_every_token_cost_one_request_per_pause() -> None:
    # In a process of its own: measured for coverage, it would take a minute.
    command = [sys.executable, "-m", "tests.refusing_api", "1000000"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    # 1,000 s at 1,000 calls a second: pauses of 1, 2, 4, 8, 16 s and then 15 to 30 s.
    assert 30 < int(run.stdout) < 80


def test_token_that_is_due_is_renewed_in_the_flow(clock: HandClock) -> None:
    endpoint = Endpoint(granted("tok-1"), granted("tok-2"))
    credentials: Any = OAuth2ClientCredentials("https://a.example.com/token", "c", SECRET)
    credentials._begin(clock.clock)
    credentials._send = endpoint.send
    auth = BearerAuth(credentials)
    request = httpx.Request("GET", "https://api.example.com/")
    assert next(auth.sync_auth_flow(request)).headers["Authorization"] == "Bearer tok-1"
    clock.advance(3400)
    assert next(auth.sync_auth_flow(request)).headers["Authorization"] == "Bearer tok-2"
