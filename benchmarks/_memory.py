"""What a thousand credentials objects hold, before and after their first token."""

from __future__ import annotations

import gc
import tracemalloc

import httpx

from pygen_auth import OAuth2ClientCredentials

from ._result import Figure, Goal, Result, judged

OBJECTS = 1000
TOKEN_LENGTHS = (0, 43, 1500)
"""Characters of the token held: none, an opaque one, a signed one (JWT) with the usual claims."""
GOAL = Goal("under", 5, "MB")


def results() -> list[Result]:
    """The goals of a program with a client for each of its customers."""
    return [
        judged(
            f"{OBJECTS} objects, " + (f"token of {length} characters" if length else "no token"),
            GOAL,
            _held(length),
        )
        for length in TOKEN_LENGTHS
    ]


def _held(token_length: int) -> Figure:
    """Megabytes that the objects keep. Answers are mocked: what a server keeps is not theirs."""
    answer = {"access_token": "t" * token_length, "token_type": "Bearer", "expires_in": 3600}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answer))
    with httpx.Client(transport=transport) as client:
        _made("first", client, token_length)  # imports, and caches that fill once
        gc.collect()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            objects = [_made(str(number), client, token_length) for number in range(OBJECTS)]
            gc.collect()
            held = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    return Figure(held / 1e6, f"{held / len(objects):,.0f} bytes each")


def _made(name: str, client: httpx.Client, token_length: int) -> OAuth2ClientCredentials:
    credentials = OAuth2ClientCredentials(
        "https://login.example.com/oauth2/token",
        f"client {name}",
        f"secret {name}",
        [f"https://{name}.example.com/.default"],
        client=client,
    )
    if token_length:
        credentials.get_headers()
    return credentials
