"""The first header of a new object where another one has put the token into a store."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from pygen_auth import OAuth2ClientCredentials
from pygen_auth.stores import FileTokenStore, TokenStore

from ._result import Figure, Goal, Result, best_run
from ._server import separate_server

ROUNDS = 100
GOAL = Goal("under", 1, "×")
NO_STORE = "a token request"


def results() -> list[Result]:
    """The goal of a store: less work than to ask the server, be it on this very machine."""
    with tempfile.TemporaryDirectory() as directory:
        store = FileTokenStore(Path(directory, "tokens"))
        return [
            best_run("a token from a file / a token request", GOAL, lambda: _ratio(store)),
        ]


def _ratio(store: TokenStore) -> Figure:
    with separate_server() as server:
        server.ask("add_client", "benchmark", "secret")
        seconds = first_headers(server.token_url, {NO_STORE: None, "file": store}, ROUNDS)
    asked, found = (min(seconds[name]) for name in (NO_STORE, "file"))
    return Figure(found / asked, f"{1e3 * found:.2f} ms / {1e3 * asked:.2f} ms")


def first_headers(
    token_url: str, stores: Mapping[str, TokenStore | None], rounds: int
) -> dict[str, list[float]]:
    """Seconds of each first header, of objects in turns; the first of each, which fills, is none.

    All of them in one process, so that nothing is imported any more.
    """
    found: dict[str, list[float]] = {name: [] for name in stores}
    for number in range(rounds + 1):
        for name, store in stores.items():
            credentials = OAuth2ClientCredentials(token_url, "benchmark", "secret", store=store)
            began = time.perf_counter()
            credentials.get_headers()
            if number:
                found[name].append(time.perf_counter() - began)
    return found
