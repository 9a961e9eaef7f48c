"""What a fault is, and what must come of it: frozen values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from pygen_auth import InvalidResponseError, OAuth2Error, RefusedError, UnreachableError

from .exchange import Play, grants


class Moment(Enum):
    """When in the life of a token the fault meets a call."""

    FIRST = "first token"
    MARGIN = "inside the margin"
    EXPIRED = "after expiry"


Then = Literal["retried", "final", "at once"]
"""What follows an error where no token is held: three attempts, one since more cannot help, or one
since the server wants to be left alone for longer than the call may take."""

HELD = "held token"


@dataclass(frozen=True)
class Outcome:
    """What a call without a usable token gets."""

    error: type[OAuth2Error] | None = None
    """None where it gets the token of the answer."""
    then: Then = "final"
    says: str = ""
    """A part of the message."""
    cause: bool | None = False
    """Whether a foreign error is behind it; None where chance decides it."""

    def label(self, moment: Moment) -> str:
        """As the page shows it."""
        if self.error is None:
            return "token"
        return HELD if moment is Moment.MARGIN else f"{self.error.__name__}, {self.then}"

    def attempts(self, moment: Moment) -> int:
        return 3 if self.then == "retried" and moment is not Moment.MARGIN else 1


TOKEN = Outcome()


def unreachable(says: str = "no answer from", *, cause: bool | None = True) -> Outcome:
    return Outcome(UnreachableError, "retried", says, cause)


def refused(says: str, then: Then = "final") -> Outcome:
    return Outcome(RefusedError, then, says)


def invalid(says: str, then: Then = "final") -> Outcome:
    return Outcome(InvalidResponseError, then, f"Invalid token response from server: {says}")


Only = Literal["plain", "TLS"]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, and what must come of it.

    Exactly one of the ways below differs from a server that is well.
    """

    section: str
    kind: str
    variant: str
    outcome: Outcome
    answer: Play = grants
    """What the server does once it has the request."""
    greeting: Play | None = None
    """What it does with a new connection, of which it reads nothing, TLS or not."""
    certificate: str = "good"
    """Of which name in `world.World`."""
    lookup: Literal["", "unknown", "stalled"] = ""
    """What becomes of the server's name; "" where there is none to look up."""
    listens: bool = True
    """Whether anybody listens on the port."""
    proxied: bool = False
    """Whether the server is a proxy on the way, named by the environment."""
    over_tls: Outcome | None = None
    """Where it differs from `outcome`."""
    only: Only | None = None
    """Where it exists, if not everywhere."""
    why: str = ""
    """Why it exists nowhere else."""
    timeout: float = 30.0
    """Seconds for a call. Small for a server that never answers, large where nothing waits."""
    gives: Callable[[str], str] = str
    """The right token, of the one that stands in for `exchange.TOKEN`."""
    heavy: bool = False
    """Whether its answer is large, so that the memory it takes is measured."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.variant}" if self.variant else self.kind

    def outcome_over(self, tls: bool) -> Outcome:
        return self.over_tls if tls and self.over_tls else self.outcome

    @property
    def transports(self) -> tuple[bool, ...]:
        """Plain and TLS, as `tls`."""
        return {None: (False, True), "plain": (False,), "TLS": (True,)}[self.only]


HANGS = 1.0
"""Seconds for a call that nobody answers."""
