"""Reading an access token that is a JWT: the claims that tell why an API refuses it.

No signature is verified, nor shown: whoever holds a token may read it, and only the API judges it.
Claims that are not listed here may tell of people, and are left out.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

_LONGEST = 65_536  # characters; tokens with hundreds of groups have 20,000

HEADER = ("alg", "typ", "kid")
CLAIMS = (
    *("iss", "aud", "scp", "scope", "roles", "exp", "iat", "nbf"),
    *("appid", "azp", "client_id", "cid", "sub", "oid", "tid", "ver"),
)
IDS = ("appid", "azp", "client_id", "cid", "sub", "oid", "tid")
"""Of those, the ids of clients, users and tenants."""


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Header and claims of a JWT (RFC 7519), those that are listed; None where it is none."""
    encoded = token.split(".")
    if len(encoded) != 3 or len(token) > _LONGEST:
        return None
    header, claims = (_object(part) for part in encoded[:2])
    if header is None or claims is None:
        return None
    return _listed(header, HEADER), _listed(claims, CLAIMS)


def _object(part: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _listed(fields: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: fields[name] for name in names if fields.get(name) is not None}


def words(claims: Mapping[str, Any], *names: str) -> list[str]:
    """The texts in those claims, each of which is a text, a text with spaces, or a list."""
    found: list[str] = []
    for name in names:
        value = claims.get(name)
        if isinstance(value, str):
            found += value.split()
        elif isinstance(value, list):
            found += [one for one in value if isinstance(one, str)]
    return found


def moment(claims: Mapping[str, Any], name: str) -> float | None:
    """A time in a claim (RFC 7519 §2, NumericDate), in seconds since the epoch."""
    value = claims.get(name)
    usable = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if usable and 0 < value < 1e11 else None  # type: ignore[operator, arg-type]
