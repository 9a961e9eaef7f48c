"""Scenario 9: what a request costs with credentials as `auth=`, beside one with a fixed header."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from typing import Any

import httpx
import requests

from benchmarks._bearer_auth import API, GOAL, mocked
from benchmarks._result import Figure, Result, judged
from pygen_auth import OAuth2ClientCredentials
from pygen_auth.auth import BearerAuth

from ._bench import Bench, Row, Rows, Scenario, markdown
from ._header_peers import HttpxAuth, RequestsOAuth2Client
from ._server import Server

ROUNDS, REQUESTS = 200, 20

FIXED = "a fixed header"
OWN = "BearerAuth of pygen-auth"


def measure(bench: Bench) -> Rows:
    """Microseconds of a request, and of what it adds to a fixed header; of the shortest rounds."""
    rows: Rows = {}
    for client, run in (("httpx.Client", _httpx), ("httpx.AsyncClient", _httpx_in_loop),
                        ("requests.Session", _requests)):  # fmt: skip
        seconds = bench.run("all", run)
        fixed = min(seconds[FIXED])
        for name, rounds in seconds.items():
            least = min(rounds)
            rows[f"{client}: {name}"] = {"us": 1e6 * least, "more_us": 1e6 * (least - fixed)}
    return rows


def _httpx(server: Server) -> dict[str, list[float]]:
    own, peer = _credentials(server), _httpx_auth(server)
    clients = {
        FIXED: httpx.Client(**mocked(), headers=own.get_headers()),
        OWN: httpx.Client(**mocked(), auth=BearerAuth(own)),
        HttpxAuth.name: httpx.Client(**mocked(), auth=peer),
    }
    return _in_turns({name: client.get for name, client in clients.items()})


def _requests(server: Server) -> dict[str, list[float]]:
    own = _credentials(server)
    sessions = {FIXED: _session(), OWN: _session(), RequestsOAuth2Client.name: _session()}
    sessions[FIXED].headers.update(own.get_headers())
    sessions[OWN].auth = BearerAuth(own)
    sessions[RequestsOAuth2Client.name].auth = _requests_oauth2client(server)
    return _in_turns({name: session.get for name, session in sessions.items()})


def _in_turns(gets: dict[str, Callable[[str], object]]) -> dict[str, list[float]]:
    for get in gets.values():
        get(API)  # the first one fetches a token
    found: dict[str, list[float]] = {name: [] for name in gets}
    gc.collect()
    for _ in range(ROUNDS):
        for name, get in gets.items():
            began = time.perf_counter()
            for _ in range(REQUESTS):
                get(API)
            found[name].append((time.perf_counter() - began) / REQUESTS)
    return found


def _httpx_in_loop(server: Server) -> dict[str, list[float]]:
    own = _credentials(server)
    own.get_headers()

    async def main() -> dict[str, list[float]]:
        clients = {
            FIXED: httpx.AsyncClient(**mocked(), headers=own.get_headers()),
            OWN: httpx.AsyncClient(**mocked(), auth=BearerAuth(own)),
        }
        found: dict[str, list[float]] = {name: [] for name in clients}
        for _ in range(ROUNDS):
            for name, client in clients.items():
                found[name].append(await _awaited(client.get))
        for client in clients.values():
            await client.aclose()
        return found

    return asyncio.run(main())


async def _awaited(get: Callable[[str], Awaitable[object]]) -> float:
    began = time.perf_counter()
    for _ in range(REQUESTS):
        await get(API)
    return (time.perf_counter() - began) / REQUESTS


def _credentials(server: Server) -> OAuth2ClientCredentials:
    server.behave()
    endpoint = server.endpoint("requests")
    return OAuth2ClientCredentials(endpoint.token_url(), endpoint.client_id, endpoint.client_secret)


def _httpx_auth(server: Server) -> Any:
    return HttpxAuth(server.endpoint("requests"))._auth


def _requests_oauth2client(server: Server) -> Any:
    return RequestsOAuth2Client(server.endpoint("requests"))._auth


class _Mocked(requests.adapters.BaseAdapter):
    """Sends nothing: what is left is the work of requests itself."""

    def send(self, request: requests.PreparedRequest, **how: object) -> requests.Response:  # type: ignore[override]
        response = requests.Response()
        response.status_code, response.request, response.url = 200, request, API
        response.raw = import_module("io").BytesIO()
        return response

    def close(self) -> None:
        """Nothing is open."""


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # else it looks into .netrc where there is no auth=, for 10 µs
    session.mount("https://", _Mocked())
    return session


def judge(rows: Rows) -> list[Result]:
    """What our own adds to a request of httpx."""
    return [
        judged(f"BearerAuth on {client}", GOAL, _figure(rows[f"{client}: {OWN}"]))
        for client in ("httpx.Client", "httpx.AsyncClient")
    ]


def _figure(row: Row) -> Figure:
    return Figure(row["more_us"], f"{row['us']:.1f} µs a request")


def table(rows: Rows) -> Iterator[str]:
    """In the order of the clients."""
    yield from markdown(
        ("mocked, so that nothing is sent", "µs a request", "beside a fixed header"),
        ((name, f"{row['us']:.1f}", f"{row['more_us']:+.1f}") for name, row in rows.items()),
    )


SCENARIO = Scenario("request", measure, judge, table)
