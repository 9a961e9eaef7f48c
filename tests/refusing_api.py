"""Many calls through `BearerAuth` to an API that refuses every token; prints the token requests.

A call goes out each millisecond, by a clock that is moved by hand.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import httpx

from pygen_auth import OAuth2ClientCredentials
from pygen_auth.auth import BearerAuth

from .support import SECRET, Endpoint, HandClock


def token_requests(calls: int) -> int:
    endpoint, clock = Endpoint(), HandClock()
    credentials: Any = OAuth2ClientCredentials("https://a.example.com/token", "c", SECRET)
    credentials._begin(clock.clock)
    credentials._send = endpoint.send
    auth = BearerAuth(credentials)
    request = httpx.Request("GET", "https://api.example.com/")
    refusal = httpx.Response(401, request=request)
    for _ in range(calls):
        flow = auth.sync_auth_flow(request)
        next(flow)
        with contextlib.suppress(StopIteration):
            flow.send(refusal)
            flow.send(refusal)
        clock.advance(0.001)
    return endpoint.count


if __name__ == "__main__":
    print(token_requests(int(sys.argv[1])))
