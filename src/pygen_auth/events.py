"""What happens to a token, as values for `on_event=`: to count, to measure, to alert.

    OAuth2ClientCredentials(token_url, client_id, client_secret, on_event=print)

No event holds a secret or a token. The calls that get a fresh token make no event: there are
millions of them, and the token is what it was.
"""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Callable
from dataclasses import dataclass

from ._errors import ConfigurationError, OAuth2Error

__all__ = [
    "Event",
    "HeldTokenUsed",
    "OnEvent",
    "SharedTokenTaken",
    "TokenInvalidated",
    "TokenObtained",
    "TokenRequestFailed",
    "Waited",
]

_log = logging.getLogger("pygen_auth")

_told: contextvars.ContextVar[_Telling | None] = contextvars.ContextVar(
    "pygen_auth telling", default=None
)


class _Telling:
    """A listener that is being told, and until when it is; its context may outlive it."""

    __slots__ = ("over",)

    def __init__(self) -> None:
        self.over = False


@dataclass(frozen=True, slots=True)
class Event:
    """What all events have: whose token it is."""

    token_url: str
    """The token endpoint, without a query."""
    client_id: str
    """The client identifier (RFC 6749 §2.2)."""


@dataclass(frozen=True, slots=True)
class TokenObtained(Event):
    """A token request brought a token."""

    fingerprint: str
    """Eight hexadecimal digits that name the token in logs; see `Token.fingerprint`."""
    lifetime: float
    """Seconds it lives, from the request on."""
    seconds: float
    """From the request to the token."""
    attempt: int
    """Which token request of its call brought it, from 1 on."""
    request_id: str | None
    """What the request carried as `client-request-id`."""


@dataclass(frozen=True, slots=True)
class SharedTokenTaken(Event):
    """A token that another process had obtained was taken from the store."""

    fingerprint: str
    """Of the token; see `TokenObtained`."""
    seconds_left: float
    """For which it is used, at most."""


@dataclass(frozen=True, slots=True)
class TokenRequestFailed(Event):
    """A token request failed. It may be repeated within its call, and a token may be held."""

    error: OAuth2Error
    """Why; with its `request_id` and whether it is `retryable`."""
    attempt: int
    """Which token request of its call it was, from 1 on."""


@dataclass(frozen=True, slots=True)
class HeldTokenUsed(Event):
    """A call got a token that is due: its refresh failed, or another caller is refreshing."""

    fingerprint: str
    """Of the token; see `TokenObtained`."""
    seconds_left: float
    """Until it expires."""


@dataclass(frozen=True, slots=True)
class Waited(Event):
    """A call waited for the token request of another one, in this process or beside it."""

    seconds: float
    """How long."""


@dataclass(frozen=True, slots=True)
class TokenInvalidated(Event):
    """The held token was dropped, since a resource server refused it."""

    fingerprint: str
    """Of the token; see `TokenObtained`."""


OnEvent = Callable[[Event], object]
"""What is called with each event, in the thread or task where it happens. What it gives back is
not used."""


def check_listener(on_event: object) -> OnEvent:
    """A plain callable."""
    if not callable(on_event):
        raise ConfigurationError("on_event must be a callable that takes an event")
    import inspect

    if any(map(inspect.iscoroutinefunction, (on_event, type(on_event).__call__))):
        raise ConfigurationError("on_event must be a plain callable; this one is asynchronous")
    return on_event


def tell(on_event: OnEvent, event: Event) -> None:
    """Call the listener. What it raises is logged and goes no further: a token is there or not,
    whether it was counted or not. Of calls that a listener makes itself, nothing is told: one who
    asks for a due token would hear of that, and ask again.
    """
    outer = _told.get()
    if outer is not None and not outer.over:
        return
    telling = _Telling()
    _told.set(telling)
    try:
        on_event(event)
    except Exception:
        _log.exception("on_event failed with %s", type(event).__name__)
    finally:
        telling.over = True
