"""Prints, as JSON, what `authlib.integrations.httpx_client` does. Run for `test_httpx_client`.

In a process of its own, since the import loads an HTTP library and warns.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import authlib.oauth2  # noqa: F401  # what we import; it does not count

BEFORE = len(sys.modules)

from authlib.integrations import httpx_client  # noqa: E402

NEW_MODULES = len(sys.modules) - BEFORE
CLIENT = httpx_client.OAuth2Client
LIBRARY = next(kind for kind in CLIENT.__mro__ if kind.__module__ in ("httpx", "httpx2"))
http = sys.modules[LIBRARY.__module__]
URL = "https://auth.example.com/oauth2/token"
TOKEN = {"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600}


def client(answer: Callable[[Any], Any], **more: Any) -> Any:
    transport = http.MockTransport(answer)
    return CLIENT("the-client", "the-secret", transport=transport, **more)


def outcome(answer: Callable[[Any], Any]) -> Any:
    """The token, or the classes of the error."""
    try:
        return dict(client(answer).fetch_token(URL, grant_type="client_credentials"))
    except Exception as error:
        return [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]


def out_of_reach(request: Any) -> Any:
    raise http.ConnectError("no route to host")


def refreshed_fields() -> list[list[str]]:
    """The names of the form fields of the first token request, and of the automatic refresh."""
    seen = []

    def answer(request: Any) -> Any:
        if str(request.url) == URL:
            seen.append(sorted(parse_qs(request.content.decode())))
        return http.Response(200, json=TOKEN | {"expires_in": 1})

    known = {"token_endpoint": URL, "grant_type": "client_credentials"}
    asking = client(answer, **known, scope="read")
    asking.fetch_token(audience="https://api.example.com")
    asking.get("https://api.example.com/items")
    return seen


json.dump(
    {
        "library": http.__name__,
        "new_modules": NEW_MODULES,
        "refreshed_fields": refreshed_fields(),
        "refused": outcome(lambda _: http.Response(400, json={"error": "invalid_client"})),
        "unavailable": outcome(lambda _: http.Response(503)),
        "out_of_reach": outcome(out_of_reach),
        "no_json": outcome(lambda _: http.Response(200, text="<html>")),
        "lifetime": outcome(lambda _: http.Response(200, json=TOKEN | {"expires_in": "soon"})),
        "no_token": outcome(lambda _: http.Response(401, json={"message": "no"})),
    },
    sys.stdout,
)
