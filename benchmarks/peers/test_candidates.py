"""Every candidate gives a header from the loopback server, and asks for one token alone.

Runs in the environment of `make bench-peers` alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from ._candidates import ASYNC_PEERS, PEERS
from ._environment import trust
from ._server import Server, token_server

# What the libraries leave open is theirs.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with token_server() as running:
        trust(running)
        yield running


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("name", PEERS)
def test_two_headers_cost_one_token_request(server: Server, name: str, tls: bool) -> None:
    peer = PEERS[name](server.endpoint(f"{name} {tls}"), tls=tls)
    server.behave()
    headers = {peer.header() for _ in range(2)}
    assert server.count() == 1
    (header,) = headers
    assert header.startswith("Bearer ")


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("name", ASYNC_PEERS)
def test_two_headers_cost_one_token_request_in_a_loop(server: Server, name: str, tls: bool) -> None:
    async def two_headers() -> set[str]:
        peer = ASYNC_PEERS[name](server.endpoint(f"{name} {tls}"), tls=tls)
        try:
            return {await peer.header() for _ in range(2)}
        finally:
            await peer.close()

    server.behave()
    (header,) = asyncio.run(two_headers())
    assert server.count() == 1
    assert header.startswith("Bearer ")
