"""The rules about time, as tables: no clock, no network, no waiting."""

from __future__ import annotations

import copy
import pickle

import pytest

from pygen_auth import InvalidResponseError, OAuth2Error, RefusedError, Token, UnreachableError
from pygen_auth._clock import Instant
from pygen_auth._token import (
    ATTEMPTS,
    Lease,
    TokenState,
    attempt_timeout,
    pause_after,
    wait_before_retry,
)

START = Instant(wall=1_800_000_000.0, monotonic=5_000.0)
FRESH, DUE, EXPIRED = TokenState.FRESH, TokenState.DUE, TokenState.EXPIRED
DOWN = UnreachableError("Token request failed: down", retryable=True)


def at(seconds: float) -> Instant:
    return START.after(seconds)


def token(text: str = "a", lifetime: float = 3600.0, since: float = 0.0) -> Token:
    return Token.bearer(access_token=text, expires=at(since + lifetime), lifetime=lifetime)


def lease(
    text: str = "a", lifetime: float = 3600.0, margin: float = 300.0, since: float = 0.0
) -> Lease:
    return Lease().renewed(token(text, lifetime, since), margin, at(since), 0.0)


# -- fresh, due, expired


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        pytest.param(0.0, FRESH, id="just fetched"),
        pytest.param(3299.999, FRESH, id="margin minus 1 ms"),
        pytest.param(3300.0, DUE, id="margin to the second"),
        pytest.param(3599.999, DUE, id="expiry minus 1 ms"),
        pytest.param(3600.0, EXPIRED, id="expiry to the second"),
        pytest.param(1e9, EXPIRED, id="long after"),
    ],
)
def test_state_of_an_hour_long_token_with_the_default_margin(
    seconds: float, state: TokenState
) -> None:
    assert lease().state(at(seconds)) is state


@pytest.mark.parametrize(
    ("lifetime", "margin", "due"),
    [
        pytest.param(3600.0, 300.0, 3300.0, id="long life: the margin"),
        pytest.param(600.0, 300.0, 300.0, id="twice the margin: half and margin agree"),
        pytest.param(300.0, 300.0, 150.0, id="life equals margin: half"),
        pytest.param(60.0, 300.0, 30.0, id="shorter than the margin: half"),
        pytest.param(5.0, 300.0, 2.5, id="five seconds: half"),
        pytest.param(3600.0, 0.0, 3600.0, id="no margin: at expiry"),
        pytest.param(3600.0, float("inf"), 1800.0, id="endless margin: half"),
    ],
)
def test_due_is_the_margin_ahead_of_expiry_but_at_most_half_the_life(
    lifetime: float, margin: float, due: float
) -> None:
    assert token(lifetime=lifetime).due(margin) == at(due)


@pytest.mark.parametrize(
    ("wall", "monotonic", "state"),
    [
        pytest.param(100.0, 100.0, FRESH, id="both run"),
        pytest.param(-7200.0, 100.0, FRESH, id="wall set back, token young"),
        pytest.param(-7200.0, 3600.0, EXPIRED, id="wall set back, token old"),
        pytest.param(7200.0, 100.0, EXPIRED, id="wall set forward"),
        pytest.param(3400.0, 0.0, DUE, id="suspended into the margin, steady clock stood still"),
        pytest.param(4000.0, 0.0, EXPIRED, id="suspended past expiry, steady clock stood still"),
        pytest.param(3700.0, 0.0, EXPIRED, id="suspend, then a step back of five minutes"),
        pytest.param(0.0, 4000.0, EXPIRED, id="suspend, then a step back to the start"),
        pytest.param(4000.0, 100.0, EXPIRED, id="daylight saving by a naive admin"),
    ],
)
def test_either_clock_ends_a_token(wall: float, monotonic: float, state: TokenState) -> None:
    moment = Instant(START.wall + wall, START.monotonic + monotonic)
    assert lease().state(moment) is state


def test_wall_set_forward_before_the_fetch_and_back_after_it_ends_by_the_other_clock() -> None:
    fetched = Instant(START.wall + 86_400, START.monotonic)
    held = Lease().renewed(
        Token.bearer("a", expires=fetched.after(3600), lifetime=3600.0), 300, fetched, 0.0
    )
    assert held.state(Instant(START.wall + 3599, START.monotonic + 3599)) is DUE
    assert held.state(Instant(START.wall + 3600, START.monotonic + 3600)) is EXPIRED


def test_no_token_is_expired() -> None:
    assert Lease().state(START) is EXPIRED
    assert Lease().held(START) is None


def test_margin_takes_effect_at_once() -> None:
    held = lease()
    assert held.with_margin(1500.0).state(at(2100)) is DUE
    assert held.with_margin(0.0).state(at(3599)) is FRESH
    assert Lease().with_margin(5.0) == Lease()


def test_token_names_its_wall_clock_expiry() -> None:
    assert token().expires_at == START.wall + 3600


def test_fingerprint_tells_tokens_apart_and_is_short() -> None:
    assert token("a").fingerprint == "ca978112"  # first digits of SHA-256 of "a"
    assert token("a").fingerprint != token("b").fingerprint


def test_repr_of_token_and_lease_shows_no_token() -> None:
    held = lease("secret-token").invalidated(token("secret-token"), START, 0.0)
    for shown in (token("secret-token"), lease("secret-token"), held):
        assert "secret-token" not in repr(shown)


def test_token_is_a_value() -> None:
    one = token("a")
    twins = [token("a"), copy.copy(one), pickle.loads(pickle.dumps(one))]
    assert twins == [one] * 3
    assert {hash(twin) for twin in twins} == {hash(one)}
    assert one != token("b")


def test_token_tells_its_text_and_the_header() -> None:
    assert (token("a").access_token, token("a").authorization) == ("a", "Bearer a")


def test_token_and_lease_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        token().access_token = "other"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        lease().token = None  # type: ignore[misc]


# -- pauses after a failure


@pytest.mark.parametrize(
    ("failures", "least", "most"),
    [(1, 0.5, 1), (2, 1, 2), (3, 2, 4), (5, 8, 16), (6, 15, 30), (7, 15, 30), (5000, 15, 30)],
)
def test_pause_doubles_from_one_second_to_thirty(failures: int, least: float, most: float) -> None:
    assert pause_after(failures, 0.0) == least
    assert pause_after(failures, 1.0) == most


def test_failure_while_due_keeps_the_token_in_use() -> None:
    failed = lease().failed(DOWN, at(3400), timeout=30, chance=1.0)
    assert failed.held(at(3400.5)) is not None
    assert failed.held(at(3401)) is None, "the pause is over: somebody tries again"
    assert failed.usable(at(3401))


def test_failure_without_a_token_stands_until_the_pause_is_over() -> None:
    failed = Lease().failed(DOWN, START, timeout=30, chance=1.0)
    standing = failed.standing_failure(at(0.4))
    assert isinstance(standing, UnreachableError)
    assert str(standing).startswith("Token request failed: down; ")
    assert "0.4 s ago" in str(standing)
    assert "goes out in 0.6 s" in str(standing)
    assert standing.retry_after == pytest.approx(0.6)
    assert failed.standing_failure(at(1.0)) is None


def test_failure_of_somebody_else_is_shared_even_after_its_pause() -> None:
    seen = Lease()
    failed = seen.failed(DOWN, at(1), timeout=30, chance=1.0)
    assert isinstance(failed.failure_since(seen, at(100)), UnreachableError)
    assert failed.failure_since(failed, at(100)) is None, "seen before"
    assert lease().failed(DOWN, at(3400), 30, 1.0).failure_since(seen, at(3400)) is None, "a token"
    assert Lease().failure_since(failed, at(100)) is None, "forgotten since"


def test_success_forgets_failures() -> None:
    failed = Lease().failed(DOWN, START, 30, 1.0).failed(DOWN, at(1), 30, 1.0)
    renewed = failed.renewed(token("b", since=5), 300, at(5), 0.0)
    assert (renewed.failure, renewed.failures, renewed.standing_failure(at(6))) == (None, 0, None)


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        pytest.param(None, 1.0, id="none"),
        pytest.param(0.2, 1.0, id="shorter than our own"),
        pytest.param(60.0, 60.0, id="longer"),
        pytest.param(86_400.0, 300.0, id="a day: five minutes"),
    ],
)
def test_retry_after_counts_when_longer_up_to_five_minutes(
    asked: float | None, pause: float
) -> None:
    error = RefusedError("no", status=429, retryable=True, retry_after=asked)
    assert Lease().failed(error, START, 30, 1.0).pause == at(pause)


def test_error_carries_the_servers_own_figure() -> None:
    error = RefusedError("no", status=429, retryable=True, retry_after=86_400.0)
    failed = Lease().failed(error, START, 30, 1.0)
    assert failed.failure is not None
    assert failed.failure.retry_after == 86_400.0
    standing = failed.standing_failure(at(100))
    assert standing is not None
    assert standing.retry_after == pytest.approx(86_300.0)


def test_error_without_a_figure_carries_the_pause() -> None:
    failed = Lease().failed(DOWN, START, 30, 0.5)
    assert failed.failure is not None
    assert failed.failure.retry_after == pytest.approx(0.75)


def test_pause_begun_while_a_token_was_held_ends_at_its_expiry() -> None:
    error = RefusedError("no", status=429, retryable=True, retry_after=200.0)
    failed = lease().failed(error, at(3500), timeout=30, chance=1.0)
    assert failed.pause == at(3600)
    assert failed.standing_failure(at(3600)) is None


def test_next_try_while_due_is_no_later_than_the_timeout_ahead_of_expiry() -> None:
    held = lease()
    for _ in range(9):
        held = held.failed(DOWN, at(3545), timeout=30, chance=1.0)
    assert held.pause == at(3570)


def test_next_try_while_due_is_later_if_the_server_asked_so() -> None:
    error = RefusedError("no", status=429, retryable=True, retry_after=50.0)
    assert lease().failed(error, at(3545), timeout=30, chance=1.0).pause == at(3595)


def test_last_seconds_before_expiry_keep_the_ordinary_pause() -> None:
    assert lease().failed(DOWN, at(3580), timeout=30, chance=1.0).pause == at(3581)


def test_dropped_token_is_gone_and_the_next_call_asks_at_once() -> None:
    failed = lease().failed(DOWN, at(3400), timeout=30, chance=1.0).dropped(at(3400))
    assert failed.state(at(3400)) is EXPIRED
    assert failed.standing_failure(at(3400)) is None


def test_pause_without_a_token_survives_being_dropped() -> None:
    failed = Lease().failed(DOWN, START, timeout=30, chance=1.0)
    assert failed.dropped(at(0)) is failed


def test_pause_begun_after_the_expiry_survives_being_dropped() -> None:
    failed = lease().failed(DOWN, at(3600), timeout=30, chance=1.0).dropped(at(3600))
    assert failed.token is None
    assert failed.standing_failure(at(3600.9)) is not None


# -- retries within one call


@pytest.mark.parametrize(
    ("error", "attempt", "left", "wait"),
    [
        pytest.param(DOWN, 1, 30.0, 1.0, id="first: up to a second"),
        pytest.param(DOWN, 2, 30.0, 2.0, id="second: up to two"),
        pytest.param(DOWN, ATTEMPTS, 30.0, None, id="third was the last"),
        pytest.param(RefusedError("no"), 1, 30.0, None, id="permanent"),
        pytest.param(
            InvalidResponseError("dead", retryable=True), 1, 30.0, 1.0, id="dead token, retryable"
        ),
        pytest.param(
            OAuth2Error("", retryable=True, retry_after=9), 1, 30.0, 9.0, id="asked, fits"
        ),
        pytest.param(OAuth2Error("", retryable=True, retry_after=30), 1, 30.0, None, id="too long"),
        pytest.param(DOWN, 1, 1.0, 0.5, id="little left: half of it"),
        pytest.param(DOWN, 1, 0.0, None, id="nothing left"),
        pytest.param(DOWN, 1, -1.0, None, id="late already"),
    ],
)
def test_longest_wait_before_a_retry(
    error: OAuth2Error, attempt: int, left: float, wait: float | None
) -> None:
    assert wait_before_retry(error, attempt, left, chance=1.0) == wait


def test_wait_before_a_retry_has_full_jitter() -> None:
    assert wait_before_retry(DOWN, 1, 30.0, chance=0.0) == 0.0


def test_one_attempt_gets_half_of_what_is_left() -> None:
    assert attempt_timeout(30.0) == 15.0


# -- the same token again


def test_same_token_again_rests_for_ten_seconds() -> None:
    again = lease().renewed(token("a", lifetime=180, since=3420), 300, at(3420), 0.0)
    assert again.due == at(3510)
    shorter = again.renewed(token("a", lifetime=12, since=3588), 300, at(3588), 0.0)
    assert shorter.due == at(3594)
    assert shorter.held(at(3597.9)) is not None
    assert shorter.held(at(3598)) is None


def test_same_token_again_rests_no_longer_than_it_lives() -> None:
    again = lease().renewed(token("a", lifetime=4, since=3596), 300, at(3596), 0.0)
    assert again.held(at(3599.9)) is not None
    assert again.state(at(3600)) is EXPIRED


def test_five_second_tokens_are_refreshed_every_two_and_a_half() -> None:
    held = lease("a", lifetime=5)
    renewed = held.renewed(token("b", lifetime=5, since=2.5), 300, at(2.5), 0.0)
    assert renewed.held(at(4.9)) is not None
    assert renewed.held(at(5.0)) is None


# -- refused by a resource server


def test_refused_token_is_dropped_at_once() -> None:
    refused = lease().invalidated(token("a"), at(10), 1.0)
    assert refused.state(at(10)) is EXPIRED
    assert refused.standing_failure(at(10)) is None


def test_newer_token_stays() -> None:
    held = lease("b")
    assert held.invalidated(token("a"), at(10), 1.0) is held
    assert Lease().invalidated(token("a"), at(10), 1.0) == Lease()


def test_refusal_ends_a_pause_begun_while_the_token_was_held() -> None:
    failed = lease().failed(DOWN, at(3400), timeout=30, chance=1.0)
    assert failed.invalidated(token("a"), at(3400.1), 1.0).standing_failure(at(3400.1)) is None


def refused_twice(text: str = "b") -> Lease:
    """`a` was refused at 10 s, `b` came at 11 s and was refused at 12 s."""
    after_first = lease("a").invalidated(token("a"), at(10), 1.0)
    held = after_first.renewed(token("b", since=11), 300, at(11), 1.0)
    return held.invalidated(token("b"), at(12), 1.0)


def test_refusal_after_the_expiry_ends_no_pause_begun_since() -> None:
    failed = lease().failed(DOWN, at(3600), timeout=30, chance=1.0)
    assert failed.invalidated(token(), at(3600.5), 0.0) is failed


def test_token_that_followed_a_refusal_and_is_refused_is_handed_out_for_a_pause() -> None:
    again = refused_twice()
    assert again.held(at(12.9)) is not None
    assert again.state(at(13)) is EXPIRED


def test_token_on_probation_stays_when_the_caller_closes() -> None:
    again = refused_twice()
    assert again.dropped(at(12)) is again


def test_refusing_it_once_more_does_not_lengthen_the_pause() -> None:
    again = refused_twice().invalidated(token("b"), at(12.5), 1.0)
    assert again.state(at(13)) is EXPIRED


def test_pause_between_refusals_doubles() -> None:
    third = refused_twice().renewed(token("c", since=13), 300, at(13), 1.0)
    assert third.held(at(14)) is not None
    refused = third.invalidated(token("c"), at(14), 1.0)
    assert refused.pause == at(16)


def test_refused_token_itself_once_more_is_handed_out_for_a_pause() -> None:
    dropped = lease("a").invalidated(token("a"), at(10), 1.0)
    again = dropped.renewed(token("a", since=10.1), 300, at(10.1), 1.0)
    assert again.held(at(11)) is not None
    assert again.state(at(11.1)) is EXPIRED
    third = again.renewed(token("a", since=11.1), 300, at(11.1), 1.0)
    assert third.pause == at(13.1)


def test_refused_token_that_is_not_refused_again_for_thirty_seconds_counts_as_good() -> None:
    dropped = lease("a").invalidated(token("a"), at(10), 1.0)
    again = dropped.renewed(token("a", since=41), 300, at(41), 1.0)
    assert again.state(at(1000)) is FRESH
    assert again.refusals == 0


def test_token_that_lived_unchallenged_for_thirty_seconds_ends_the_series() -> None:
    held = (
        lease("a")
        .invalidated(token("a"), at(10), 1.0)
        .renewed(token("b", since=11), 300, at(11), 1.0)
    )
    assert held.invalidated(token("b"), at(40.9), 1.0).usable(at(40.9)), "still in the series"
    assert not held.invalidated(token("b"), at(41), 1.0).usable(at(41)), "a new series"


def test_ordinary_refresh_within_the_series_does_not_end_it() -> None:
    held = (
        lease("a")
        .invalidated(token("a"), at(10), 1.0)
        .renewed(token("b", lifetime=5, since=11), 300, at(11), 1.0)
    )
    renewed = held.renewed(token("c", lifetime=5, since=13.5), 300, at(13.5), 1.0)
    assert renewed.invalidated(token("c"), at(14), 1.0).usable(at(14))
    later = renewed.renewed(token("d", lifetime=5, since=41), 300, at(41), 1.0)
    assert later.refusals == 0


def test_token_fetched_late_after_a_refusal_still_belongs_to_the_series() -> None:
    dropped = lease("a").invalidated(token("a"), at(10), 1.0)
    failed = dropped.failed(DOWN, at(11), 30, 1.0)
    held = failed.renewed(token("b", since=60), 300, at(60), 1.0)
    assert held.invalidated(token("b"), at(61), 1.0).usable(at(61))


def test_refused_token_on_probation_is_not_handed_out_past_its_expiry() -> None:
    held = (
        lease("a")
        .invalidated(token("a"), at(10), 1.0)
        .renewed(token("b", lifetime=2, since=11), 300, at(11), 1.0)
    )
    refused = held.invalidated(token("b", lifetime=2, since=11), at(12.5), 1.0)
    assert refused.state(at(13)) is EXPIRED
