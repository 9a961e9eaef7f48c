"""A fresh token at a glance: when one clock is enough, and when both are read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .support import Endpoint, HandClock, Twin


def counting(clock: HandClock) -> list[float]:
    """The readings of the steady clock from now on."""
    readings: list[float] = []

    def monotonic() -> float:
        readings.append(clock.monotonic)
        return clock.monotonic

    clock._clock = replace(clock.clock, monotonic=monotonic)
    return readings


def test_fresh_token_is_handed_out_at_a_glance_at_one_clock(twin: Twin, clock: HandClock) -> None:
    readings = counting(clock)
    credentials = twin.scripted(Endpoint(), clock)
    twin.token(credentials)
    twin.call(credentials, "get_headers")
    readings.clear()
    clock.advance(0.9)
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-1"}
    assert readings == []
    clock.advance(0.1)
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-1"}
    assert readings != [], "both are read once a second"


@pytest.mark.parametrize("wall", [-7200.0, -1.0, 1.0], ids=["back", "a second back", "forward"])
def test_wall_clock_that_jumps_has_both_clocks_read(
    twin: Twin, clock: HandClock, wall: float
) -> None:
    readings = counting(clock)
    credentials = twin.scripted(Endpoint(), clock)
    twin.token(credentials)
    twin.call(credentials, "get_headers")
    readings.clear()
    clock.wall += wall
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-1"}
    assert readings != []


@pytest.mark.parametrize(
    ("wall", "monotonic"),
    [(3600.0, 0.0), (-3600.0, 3600.0), (1.0, 3600.0)],
    ids=["wall", "steady, wall set back", "steady, wall set back to a second later"],
)
def test_header_is_renewed_as_soon_as_either_clock_is_there(
    twin: Twin, clock: HandClock, wall: float, monotonic: float
) -> None:
    credentials = twin.scripted(Endpoint(), clock)
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-1"}
    twin.call(credentials, "get_headers")
    clock.wall += wall
    clock.monotonic += monotonic
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-2"}


def test_glance_ends_where_the_token_is_due(twin: Twin, clock: HandClock) -> None:
    credentials = twin.scripted(Endpoint(), clock)
    twin.token(credentials)
    clock.advance(3299.5)
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-1"}
    clock.advance(0.5)
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-2"}


def test_look_at_a_lease_that_was_replaced_puts_nothing_at_hand(
    twin: Twin, clock: HandClock
) -> None:
    credentials = twin.scripted(Endpoint(), clock)
    token = twin.call(credentials, "token")
    seen = credentials._lease
    twin.call(credentials, "invalidate", token)
    assert credentials._held(seen, clock.now()) == token
    assert twin.call(credentials, "get_headers") == {"Authorization": "Bearer tok-2"}
