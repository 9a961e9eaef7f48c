"""A token as others wrote it down: the only place that judges the time of somebody else's clock.

Hosts differ by up to a minute. So three times are written down: how many seconds the token has
left, when that was, and when it expires. The reader takes the least that any of them says.

Rule 1: a token never has more left than when it was written down.
Rule 2: of that goes the time since, and no more is left than until the expiry, both by the
reader's wall clock.
Rule 3: of what is left, `DOUBT` is taken off, since the reader's clock may be that much behind; of
a token that lives less than ten minutes, a tenth of its life, so that it stays of use.
Rule 4: what was written down more than `DOUBT` in the future is not believed at all. The two
clocks differ by more than hosts do, and nobody knows how long ago it was.

With clocks that differ by a minute at most, no token of ten minutes or more is used after its
expiry. A wall clock that was set back by more than the time since cannot be noticed.
"""

from __future__ import annotations

import json
import math
from enum import Enum
from typing import Any

from ._checks import LONGEST
from ._clock import Instant
from ._token import Token

DOUBT = 60.0
"""Seconds by which the clocks of two hosts may differ. Hosts without NTP drift a second a day."""
SHARE_OF_DOUBT = 0.1
"""Of a token's life, at most: a token of a minute can still be shared for most of it."""


class Miss(Enum):
    """Why there is no token in a value from a store, as a log may say it."""

    LARGE = "it is larger than anything that this library writes"
    FORMAT = "it has another format"
    FOREIGN = "it was changed, or sealed with another secret or for another key"
    CONTENT = "what was sealed is no token"
    FUTURE = "it comes from the future; the clocks of the hosts differ by more than a minute"
    EXPIRED = "the token in it has expired, or is about to"


def as_json(token: Token, now: Instant) -> bytes:
    """The token, and what is left of it by the writer's clocks."""
    fields = {
        "access_token": token.access_token,
        "scope": token.scope,
        "lifetime": token.lifetime,
        "lifetime_assumed": token.lifetime_assumed,
        "left": min(token.expires.until(now), token.lifetime),  # rounding adds a microsecond
        "written": now.wall,
        "expires": token.expires.wall,
    }
    return json.dumps(fields, separators=(",", ":")).encode()


def from_json(content: bytes, now: Instant) -> Token | Miss:
    """The token, with deadlines by the clocks of the reader, for whom it is `now`."""
    try:
        fields: Any = json.loads(content)
    except (ValueError, RecursionError):
        return Miss.CONTENT
    if not _is_token(fields):
        return Miss.CONTENT
    if fields["written"] - now.wall > DOUBT:
        return Miss.FUTURE
    left = _left(fields, now)
    if left <= 0:
        return Miss.EXPIRED
    return Token.bearer(
        access_token=fields["access_token"],
        expires=now.after(left),
        lifetime=float(fields["lifetime"]),
        scope=fields["scope"],
        lifetime_assumed=fields["lifetime_assumed"],
    )


def _left(fields: dict[str, Any], now: Instant) -> float:
    """Seconds that the token may still be used: rules 1 to 3."""
    since = max(0.0, now.wall - fields["written"])
    least = min(fields["left"] - since, fields["lifetime"], fields["expires"] - now.wall)
    return float(least - min(DOUBT, SHARE_OF_DOUBT * fields["lifetime"]))


def _is_token(fields: Any) -> bool:
    """Whether all of it is there and of the right kind: an older or newer release may differ."""
    if not isinstance(fields, dict):
        return False
    text, scope = fields.get("access_token"), fields.get("scope", 0)  # None is one
    return (
        isinstance(text, str)
        and bool(text)
        and all("!" <= character <= "~" for character in text)
        and isinstance(scope, (str, type(None)))
        and isinstance(fields.get("lifetime_assumed"), bool)
        and all(_is_number(fields.get(name)) for name in ("lifetime", "left", "written", "expires"))
        and 0 < fields["lifetime"] <= LONGEST
    )


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return -1e15 < value < 1e15 and not math.isnan(value)
