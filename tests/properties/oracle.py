"""What an onlooker knows of credentials: the clocks, the requests, and what callers were given.

It has no lease. It knows the rules as docs/design.md has them, by what can be seen from outside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hypothesis import strategies as st

from pygen_auth import OAuth2Error, Token, UnreachableError
from pygen_auth._clock import PAST, Instant
from pygen_auth._wire import Response

from ..support import UNAVAILABLE, WRONG_SECRET, answer, granted

TIMEOUT = 30.0
SHORTEST_PAUSE = 0.499  # seconds: 1, times the smallest random factor
LONGEST_PAUSE = 30.0
MOST_SERVER_PAUSE = 300.0
SAME_TOKEN_PAUSE = 10.0
QUIET = 30.0  # seconds after which a token that followed a refused one counts as good

moments = st.sampled_from([
    *("due", "due", "late", "expired", "expired"),
    *(0.001, 0.2, 0.6, 1.0, 4.0, 14.0, 31.0, 299.0),
])  # fmt: skip
"""Seconds, or what the held token is then."""
margins = st.sampled_from([0.0, 1.0, 60.0, 300.0, 5000.0])
lifetimes = st.sampled_from([0.4, 1, 5, 60, 3600, 3600, 3600, 86400])


@dataclass(frozen=True)
class Outcome:
    """What comes of one token request."""

    response: Response | OAuth2Error
    access_token: str | None = None
    asked: float = 0.0
    """Seconds of a Retry-After."""


def _granted(name: str, lifetime: float) -> Outcome:
    return Outcome(granted(name, expires_in=lifetime), name)


def _busy(status: int, seconds: int) -> Outcome:
    return Outcome(answer(status, {"retry-after": str(seconds)}), asked=seconds)


names = st.sampled_from(["new", "new", "new", "a", "b"])
outcomes = st.one_of(
    st.builds(_granted, names, lifetimes),
    st.builds(_granted, names, lifetimes),
    st.sampled_from([
        Outcome(UNAVAILABLE),
        Outcome(UnreachableError("Token request failed: lost", retryable=True)),
        Outcome(WRONG_SECRET),
        Outcome(answer(400, error="invalid_scope")),
        Outcome(Response(200, {}, b"<html>")),
        Outcome(granted("dead", expires_in=0)),
    ]),
    st.builds(_busy, st.sampled_from([429, 503]), st.sampled_from([1, 7, 100, 86400])),
)  # fmt: skip


def reached(moment: Instant, now: Instant) -> bool:
    """By either clock; not by `Instant.reached`, which is under test."""
    return now.wall >= moment.wall or now.monotonic >= moment.monotonic


class Oracle:
    """The onlooker. Time is moved by hand.

    It claims only what it can be sure of. After a token that was refused comes once more, it
    claims nothing about pauses until it has seen another one (`unsure`).
    """

    def __init__(self) -> None:
        self.now = Instant(1_800_000_000.0, 5_000.0)
        self.margin = 300.0
        self.serial = 0
        self.in_flight = 0
        self.given_out: list[Token] = []
        self.held: Token | None = None
        """The last one that came, until it is refused or dropped."""
        self.no_request_before: Instant | None = None
        self.asks_from: Instant = PAST
        """From here on a call asks for sure, if the held token is due or there is none."""
        self.refused: set[str] = set()
        self.awaiting_after_refusal = False
        self.came_after_refusal: Instant | None = None
        self.unsure = False

    # -- time

    def seconds_until(self, moment: str | float) -> float:
        if not isinstance(moment, str):
            return moment
        if self.held is None:
            return 3600.0
        left = self.held.expires.until(self.now)
        early = min(self.margin, self.held.lifetime / 2)
        until = {"due": left - early, "late": left - early / 20, "expired": left}
        return max(0.001, until[moment])

    def advance(self, moment: str | float) -> None:
        seconds = self.seconds_until(moment)
        self.now = self.now.after(seconds)

    def set_wall_clock(self, sign: int, moment: str | float) -> None:
        by = sign * self.seconds_until(moment)
        self.now = self.now._replace(wall=self.now.wall + by)
        self.unsure = self.unsure or self.awaiting_after_refusal

    def dead(self, token: Token) -> bool:
        """By either clock."""
        return reached(token.expires, self.now)

    def usable(self) -> bool:
        return self.held is not None and not self.dead(self.held)

    def fresh(self) -> bool:
        if self.held is None:
            return False
        early = min(self.margin, self.held.lifetime / 2)
        return not reached(self.held.expires.after(-early), self.now)

    def named(self, outcome: Outcome) -> Outcome:
        """Numbered, where it brings a new token."""
        if outcome.access_token != "new":
            return outcome
        assert isinstance(outcome.response, Response)
        self.serial += 1
        body = outcome.response.body.replace(b'"new"', b'"new-%d"' % self.serial)
        return Outcome(Response(200, {}, body), f"new-{self.serial}")

    # -- requests

    def must_ask(self) -> bool:
        """Whether a call that comes now has to send a request."""
        return not self.unsure and not self.fresh() and reached(self.asks_from, self.now)

    def request_begins(self, *, retry: bool) -> None:
        self.in_flight += 1
        assert self.in_flight == 1, "one token request at a time"
        if not retry:
            assert not self.fresh(), "no request while the token is fresh"
            pause = self.no_request_before
            assert pause is None or reached(pause, self.now), "no request within a pause"

    def request_ends(self) -> None:
        self.in_flight -= 1

    def token_came(self, token: Token) -> None:
        same = self.held is not None and self.held.access_token == token.access_token
        self.no_request_before = None
        self.asks_from = (
            self.now.after(SAME_TOKEN_PAUSE).or_earlier(token.expires) if same else PAST
        )
        self.unsure = token.access_token in self.refused
        self.held = None if self.unsure else token
        self.came_after_refusal = self.now if self.awaiting_after_refusal else None
        self.awaiting_after_refusal = False

    def refresh_failed(self, asked: float) -> None:
        """The last attempt of a call did."""
        pause = self.now.after(max(SHORTEST_PAUSE, min(asked, MOST_SERVER_PAUSE)))
        self.asks_from = self.now.after(max(LONGEST_PAUSE, min(asked, MOST_SERVER_PAUSE)))
        if self.unsure:
            return
        if self.usable():
            assert self.held is not None
            last_chance = self.held.expires.after(-TIMEOUT)
            if asked <= LONGEST_PAUSE and not reached(last_chance, self.now):
                pause = pause.or_earlier(last_chance)
            pause = pause.or_earlier(self.held.expires)
            self.asks_from = self.asks_from.or_earlier(self.held.expires)
        self.no_request_before = pause

    # -- callers

    def given(self, token: Token) -> None:
        assert not self.dead(token), "nothing dead is handed out"
        self.given_out.append(token)

    def raised(self, error: BaseException) -> None:
        assert isinstance(error, OAuth2Error)
        assert not self.usable(), f"a usable token is held, and a caller got {error!r}"
        assert error.retry_after is None or 0 <= error.retry_after < math.inf

    # -- what is done to the credentials

    def refuse(self, token: Token) -> None:
        """An API refused a token. A newer one stays."""
        if not self.usable() or self.held is None or self.held.access_token != token.access_token:
            return
        self.refused.add(token.access_token)
        came = self.came_after_refusal
        again = came is not None and not reached(came.after(QUIET), self.now)
        # Refused again: it is handed out, and no other one fetched, for a pause.
        pause = self.now.after(SHORTEST_PAUSE).or_earlier(self.held.expires)
        self.no_request_before = pause if again else None
        self.asks_from = self.now.after(LONGEST_PAUSE).or_earlier(self.held.expires)
        self.held, self.came_after_refusal, self.awaiting_after_refusal = None, None, True

    def close(self) -> None:
        if self.usable():
            self.no_request_before, self.asks_from = None, PAST
        self.held, self.came_after_refusal = None, None
