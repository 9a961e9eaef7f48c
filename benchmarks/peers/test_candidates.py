"""Every candidate gives a header from the loopback server, asks for one token alone, and for the
next one within the margin that is written beside it.

Runs in the environment of `make bench-peers` alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from ._candidates import ASYNC_PEERS, PEERS
from ._clock import moved_clock, real_sleep, settle
from ._environment import trust
from ._server import Server, token_server
from ._token_peers import AzureIdentity

LIFETIME = 3600
EARLIER = {AzureIdentity.name: 60}
"""Seconds ahead of its margin at which a candidate may already want the next token."""

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


@pytest.mark.parametrize("name", PEERS)
def test_the_next_token_is_wanted_within_the_margin_and_not_before(
    server: Server, name: str
) -> None:
    """Outages and slow refreshes are timed by it."""
    peer = PEERS[name](server.endpoint(f"{name} margin"))
    server.behave(lifetime=LIFETIME)
    with moved_clock(stands_still=True) as shift:
        peer.header()
        ahead = 1 + EARLIER.get(name, 0)
        shift(LIFETIME - peer.margin - ahead)
        peer.header()
        if not peer.waits:
            settle()
        assert server.count() == 1
        shift(ahead + 0.5)
        peer.header()
        end = time.perf_counter() + 30
        while server.count() == 1 and not peer.waits and time.perf_counter() < end:
            real_sleep(0.01)  # it asks in a thread
    assert server.count() == 2
