"""`BearerAuth` on a client: what a request costs beside the same with a fixed header."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from pygen_auth import OAuth2ClientCredentials
from pygen_auth.auth import BearerAuth

from ._result import Figure, Goal, Result, best_run

API = "https://api.example.com/items"
ROUNDS, REQUESTS = 300, 20
"""Rounds with each client, in turns, and the requests in each: 1.5 ms. Many short ones: what counts
is the shortest, which nothing interrupted."""
GOAL = Goal("under", 3, "µs")


def results() -> list[Result]:
    """The goals of a program that makes many small requests."""
    credentials = _credentials()
    return [
        best_run("BearerAuth on httpx.Client", GOAL, lambda: _overhead(credentials)),
        best_run(
            "BearerAuth on httpx.AsyncClient",
            GOAL,
            lambda: asyncio.run(_overhead_in_loop(credentials)),
        ),
    ]


def _credentials() -> OAuth2ClientCredentials:
    """With a fresh token, which lives an hour."""
    answer = {"access_token": "t" * 43, "token_type": "Bearer", "expires_in": 3600}
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=answer)))
    credentials = OAuth2ClientCredentials(
        "https://login.example.com/oauth2/token", "benchmark", "secret", client=client
    )
    credentials.get_headers()
    return credentials


def _overhead(credentials: OAuth2ClientCredentials) -> Figure:
    with (
        httpx.Client(**mocked(), headers=credentials.get_headers()) as fixed,
        httpx.Client(**mocked(), auth=BearerAuth(credentials)) as ours,
    ):
        rounds = [(_seconds(fixed), _seconds(ours)) for _ in range(ROUNDS)]
    return difference(rounds)


async def _overhead_in_loop(credentials: OAuth2ClientCredentials) -> Figure:
    async with (
        httpx.AsyncClient(**mocked(), headers=credentials.get_headers()) as fixed,
        httpx.AsyncClient(**mocked(), auth=BearerAuth(credentials)) as ours,
    ):
        rounds = [(await _awaited(fixed.get), await _awaited(ours.get)) for _ in range(ROUNDS)]
    return difference(rounds)


def mocked() -> dict[str, Any]:
    """The transport of a client that sends nothing: what is left is the client's own work."""
    return {"transport": httpx.MockTransport(lambda _: httpx.Response(200))}


def _seconds(client: httpx.Client) -> float:
    began = time.perf_counter()
    for _ in range(REQUESTS):
        client.get(API)
    return (time.perf_counter() - began) / REQUESTS


async def _awaited(get: Callable[[str], Awaitable[object]]) -> float:
    began = time.perf_counter()
    for _ in range(REQUESTS):
        await get(API)
    return (time.perf_counter() - began) / REQUESTS


def difference(rounds: list[tuple[float, float]]) -> Figure:
    """Of the shortest rounds, in µs. A round is never faster than the work in it."""
    fixed, ours = (1e6 * min(seconds) for seconds in zip(*rounds, strict=True))
    return Figure(ours - fixed, f"{ours:.1f} µs a request, {fixed:.1f} µs with a fixed header")
