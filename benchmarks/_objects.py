"""Ten thousand credentials objects, as in a service with a client for each of its customers."""

from __future__ import annotations

import gc
import time
import tracemalloc
from pathlib import Path
from typing import Any

import httpx

from pygen_auth import OAuth2ClientCredentials

from ._cold_process import cold_environment, output
from ._result import Figure, Goal, Result, best_run, judged

OBJECTS = 10_000
WITH_TOKEN = 1000
"""Of those that get a token, which takes each of them a while."""
TOKEN_LENGTHS = (0, 43, 1500)
"""Characters of the token held: none, an opaque one, a signed one (JWT) with the usual claims."""
LARGEST = Goal("under", 2000, "bytes")
"""An object, beside the text of the token that it holds."""
SLOWEST = Goal("under", 20, "µs")
ROUNDS, BUILT = 30, 1000
"""Rounds, and the objects in each. They take about 14 ms, in which other work is sure to come in
between where the machine has some; so what counts is time of a processor."""

_RESIDENT = f"""
from benchmarks._objects import built, resident

built(0)
before = resident()
held = [built(number) for number in range({OBJECTS})]
print(resident() - before)
"""


def results() -> list[Result]:
    """The goals of a program with many customers."""
    return [
        *(judged(_name(length), LARGEST, _held(length)) for length in TOKEN_LENGTHS),
        judged("an object, no token, resident", LARGEST, _resident()),
        best_run("an object, to build", SLOWEST, _time),
    ]


def built(number: int, **keywords: Any) -> OAuth2ClientCredentials:
    """Credentials of one customer, who shares nothing with others: his own URL, id and secret."""
    customer = f"{number:08x}-6d5b-4b44-9a61-5c4c1f7b1f11"
    return OAuth2ClientCredentials(
        f"https://login.microsoftonline.com/{customer}/oauth2/v2.0/token",
        customer,
        f"secret of {customer}",
        scopes=["https://api.cognitedata.com/.default"],
        **keywords,
    )


def resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096


def _name(token_length: int) -> str:
    if not token_length:
        return "an object, no token"
    return f"an object, beside the {token_length} characters of its token"


def _held(token_length: int) -> Figure:
    """Bytes that Python gave out for each. Answers are mocked: what a server keeps is not theirs.

    Each object holds its settings, URL, id and secret included, which are 230 of these bytes.
    """
    answer = {"access_token": "t" * token_length, "token_type": "Bearer", "expires_in": 3600}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answer))
    with httpx.Client(transport=transport) as client:
        _with_token(0, client, token_length)  # imports, and caches that fill once
        gc.collect()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            count = WITH_TOKEN if token_length else OBJECTS
            objects = [_with_token(number, client, token_length) for number in range(count)]
            gc.collect()
            each = (tracemalloc.get_traced_memory()[0] - before) / len(objects)
        finally:
            tracemalloc.stop()
    return Figure(each - token_length, f"of {count:,}, {each:,.0f} bytes with the token")


def _with_token(number: int, client: httpx.Client, token_length: int) -> OAuth2ClientCredentials:
    if not token_length:
        return built(number)
    credentials = built(number, client=client)
    credentials.get_headers()
    return credentials


def _resident() -> Figure:
    """Bytes by which a process grows for each, by what the system says."""
    with cold_environment() as environment:
        grown = int(output(_RESIDENT, environment))
    return Figure(grown / OBJECTS, f"{grown / 1e6:.1f} MB for {OBJECTS:,}")


def _time() -> Figure:
    """Microseconds of a processor for each, its settings checked; nothing of it waits."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        objects = [built(number) for number in range(BUILT)]
        rounds.append((time.process_time() - began) / len(objects))
        del objects
    return Figure(1e6 * min(rounds), f"{1e6 * max(rounds):.1f} µs in the slowest round")
