"""What the tests of a diagnosis share: a server that is well, tokens that can be read, one step."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from pygen_auth import diagnose
from pygen_auth.diagnosis import Check
from pygen_auth.testing import Answer, AuthorizationServer

CLIENT = "0a1b2c3d-1111-2222-3333-444455556666"
SECRET = "Zq8-very-s3cret-värde"
SIGNATURE = "c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4"


def jwt(**claims: Any) -> str:
    """A JWT with these claims, and a signature that nobody could verify."""
    parts = ({"alg": "RS256", "typ": "JWT", "kid": "key-1"}, claims)
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts)
    return ".".join([*(part.decode().rstrip("=") for part in encoded), SIGNATURE])


def issues(server: AuthorizationServer, token: str, **fields: Any) -> None:
    """Have the server hand out this token."""
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, **fields}
    body = {name: value for name, value in answer.items() if value is not None}
    server.override = Answer(body=body)


def claims(**more: Any) -> dict[str, Any]:
    """Those of a token that is well."""
    now = int(time.time())
    return {"iss": "https://idp.example.com", "iat": now, "exp": now + 3600, **more}


def step(name: str, credentials: Any, **settings: Any) -> Check:
    """The check of that name in a diagnosis of these credentials."""
    return diagnose(credentials, **settings).check(name)


def outcomes(credentials: Any, **settings: Any) -> Mapping[str, str]:
    return {check.name: check.outcome for check in diagnose(credentials, **settings).checks}
