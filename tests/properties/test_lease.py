"""The rules of `_token.py`, in any order, with both clocks moved in any way."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pygen_auth import OAuth2Error, Token, UnreachableError
from pygen_auth._clock import Instant
from pygen_auth._token import (
    LONGEST_PAUSE,
    LONGEST_SERVER_PAUSE,
    Lease,
    TokenState,
    attempt_timeout,
    wait_before_retry,
)

from . import examples

seconds = st.sampled_from([0.0, 0.001, 0.3, 1.0, 2.5, 9.0, 29.0, 31.0, 300.0, 3300.0, 3600.0, 1e5])
lifetimes = st.sampled_from([0.001, 0.5, 1.0, 5.0, 59.0, 600.0, 3600.0, 86400.0, 3e8])
chances = st.floats(0, 1)
TIMEOUT = 30.0


class LeaseMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.lease = Lease()
        self.now = Instant(1_800_000_000.0, 5_000.0)
        self.margin = 300.0
        self.names: list[str] = []

    def can_be_asked(self) -> bool:
        """Whether a caller would send a token request now."""
        lease, now = self.lease, self.now
        return lease.held(now) is None and (
            lease.usable(now) or lease.standing_failure(now) is None
        )

    @rule(by=seconds)
    def time_goes_on(self, by: float) -> None:
        self.now = self.now.after(by)

    @rule(by=seconds, sign=st.sampled_from([-1, 1]))
    def wall_clock_is_set(self, by: float, sign: int) -> None:
        self.now = self.now._replace(wall=self.now.wall + sign * by)

    @rule(by=seconds)
    def machine_sleeps(self, by: float) -> None:
        """On a system whose steady clock counts then and whose wall clock is set late."""
        self.now = self.now._replace(monotonic=self.now.monotonic + by)

    @precondition(can_be_asked)
    @rule(data=st.data(), lifetime=lifetimes, old=st.booleans(), chance=chances)
    def token_comes(self, data: st.DataObject, lifetime: float, old: bool, chance: float) -> None:
        name = data.draw(st.sampled_from(self.names)) if old and self.names else ""
        if not name:
            name = f"t{len(self.names)}"
            self.names.append(name)
        token = Token.bearer(name, self.now.after(lifetime), lifetime)
        self.lease = self.lease.renewed(token, self.margin, self.now, chance)
        assert self.lease.usable(self.now), "a new token can be used at once"
        assert self.lease.failure is None

    @precondition(can_be_asked)
    @rule(asked=st.none() | seconds, retryable=st.booleans(), chance=chances)
    def request_fails(self, asked: float | None, retryable: bool, chance: float) -> None:
        before, now = self.lease, self.now
        error = UnreachableError("down", retryable=retryable, retry_after=asked)
        self.lease = lease = before.failed(error, now, TIMEOUT, chance)
        assert lease.token is before.token, "a failure takes no token away"
        assert lease.usable(now) == before.usable(now)
        longest = max(LONGEST_PAUSE, min(asked or 0.0, LONGEST_SERVER_PAUSE))
        assert lease.pause.until(now) <= longest * 1.001
        if lease.usable(now):
            assert lease.token is not None
            assert lease.pause.wall <= lease.token.expires.wall, "it ends at the expiry"
            assert lease.pause.monotonic <= lease.token.expires.monotonic
        else:
            assert lease.pause.until(now) >= 0.499

    @precondition(lambda self: self.names)
    @rule(data=st.data(), held=st.booleans(), chance=chances)
    def api_refuses(self, data: st.DataObject, held: bool, chance: float) -> None:
        before, now = self.lease, self.now
        name = data.draw(st.sampled_from(self.names))
        if held and before.token is not None:
            name = before.token.access_token
        self.lease = lease = before.invalidated(Token.bearer(name, now, 1.0), now, chance)
        if before.token is None or before.token.access_token != name:
            assert lease is before, "a newer one stays"
        if not before.usable(now):
            assert lease.pause == before.pause, "no refusal ends a pause begun without a token"

    @rule()
    def caller_closes(self) -> None:
        before, now = self.lease, self.now
        self.lease = lease = before.dropped(now)
        if not before.usable(now):
            assert lease.pause == before.pause, "nor does closing"
        on_probation = before.token and before.token.access_token == before.refused
        assert lease.token is None or on_probation

    @rule(margin=seconds)
    def margin_changes(self, margin: float) -> None:
        self.margin = margin
        self.lease = self.lease.with_margin(margin)

    @rule(attempt=st.integers(1, 4), left=seconds, asked=st.none() | seconds, chance=chances)
    def call_waits_before_its_next_attempt(
        self, attempt: int, left: float, asked: float | None, chance: float
    ) -> None:
        error = OAuth2Error("down", retryable=True, retry_after=asked)
        wait = wait_before_retry(error, attempt, left, chance)
        if wait is not None:
            assert 0 <= wait < left
            assert wait >= (asked or 0.0)
            assert 0 < attempt_timeout(left - wait) < left

    @invariant()
    def nothing_dead_is_handed_out(self) -> None:
        for token in (
            self.lease.held(self.now),
            self.lease.token if self.lease.usable(self.now) else None,
        ):
            assert token is None or self.now.wall < token.expires.wall
            assert token is None or self.now.monotonic < token.expires.monotonic

    @invariant()
    def state_says_what_a_caller_does(self) -> None:
        state = self.lease.state(self.now)
        assert (state is TokenState.EXPIRED) == (not self.lease.usable(self.now))
        if state is TokenState.FRESH:
            assert self.lease.held(self.now) is self.lease.token
        if self.lease.held(self.now) is not None:
            assert self.lease.usable(self.now)

    @invariant()
    def at_most_half_of_a_life_is_left_when_it_is_due(self) -> None:
        if self.lease.token is not None:
            expires, due = self.lease.token.expires, self.lease.due
            half = self.lease.token.lifetime / 2
            assert expires.wall - due.wall <= half * 1.001 + 1e-3
            assert due.wall <= expires.wall

    @invariant()
    def failure_that_stands_says_for_how_long(self) -> None:
        failure = self.lease.standing_failure(self.now)
        if failure is not None and not self.lease.usable(self.now):
            assert failure.retry_after is not None
            assert failure.retry_after >= self.lease.pause.until(self.now) > 0


LeaseMachine.TestCase.settings = examples(1, steps=30)
TestLease = LeaseMachine.TestCase
