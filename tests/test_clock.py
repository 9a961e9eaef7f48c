"""The pair of clocks, and deadlines on both."""

from __future__ import annotations

import asyncio
import math
import runpy
import time

import pytest

from pygen_auth import _clock
from pygen_auth._clock import PAST, SYSTEM_CLOCK, Clock, Instant

START = Instant(wall=1_000.0, monotonic=50.0)


def test_after_moves_both_clocks() -> None:
    assert START.after(2.5) == Instant(1_002.5, 52.5)


def test_after_a_negative_time_is_before() -> None:
    assert START.after(-2.5) == Instant(997.5, 47.5)


@pytest.mark.parametrize(
    ("now", "reached"),
    [
        pytest.param(Instant(999.999, 49.999), False, id="neither is there"),
        pytest.param(Instant(1_000.0, 0.0), True, id="wall to the second"),
        pytest.param(Instant(0.0, 50.0), True, id="monotonic to the second"),
        pytest.param(Instant(1_001.0, 0.0), True, id="wall alone is past"),
        pytest.param(Instant(0.0, 51.0), True, id="monotonic alone is past"),
        pytest.param(Instant(1_001.0, 51.0), True, id="both are past"),
    ],
)
def test_a_moment_is_reached_as_soon_as_either_clock_is_there(now: Instant, reached: bool) -> None:
    assert START.reached(now) is reached


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        pytest.param(Instant(990.0, 40.0), 10.0, id="both agree"),
        pytest.param(Instant(993.0, 40.0), 7.0, id="wall is nearer"),
        pytest.param(Instant(990.0, 47.0), 3.0, id="monotonic is nearer"),
        pytest.param(Instant(1_000.0, 50.0), 0.0, id="now"),
        pytest.param(Instant(1_009.0, 40.0), 0.0, id="wall is past"),
        pytest.param(Instant(990.0, 59.0), 0.0, id="monotonic is past"),
    ],
)
def test_until_goes_by_the_nearer_clock_and_is_never_negative(now: Instant, seconds: float) -> None:
    assert START.until(now) == seconds


def test_or_later_takes_the_later_on_each_clock() -> None:
    assert START.or_later(Instant(999.0, 60.0)) == Instant(1_000.0, 60.0)


def test_or_earlier_takes_the_earlier_on_each_clock() -> None:
    assert START.or_earlier(Instant(999.0, 60.0)) == Instant(999.0, 50.0)


@pytest.mark.parametrize("now", [START, Instant(0.0, 0.0), Instant(-1e18, -1e18)])
def test_the_past_has_always_been_reached(now: Instant) -> None:
    assert PAST.reached(now)
    assert PAST.until(now) == 0.0
    assert PAST.after(1e9) == PAST
    assert PAST.or_later(now) == now


def test_a_clock_reads_both_of_its_clocks() -> None:
    assert Clock(lambda: 7.0, lambda: 8.0).now() == Instant(wall=7.0, monotonic=8.0)


def test_the_wall_clock_is_that_of_the_system() -> None:
    assert SYSTEM_CLOCK.wall is time.time
    before = time.time()
    assert before <= SYSTEM_CLOCK.now().wall <= time.time()


def test_the_monotonic_clock_goes_on() -> None:
    first = SYSTEM_CLOCK.now().monotonic
    SYSTEM_CLOCK.sleep(0.01)
    passed = SYSTEM_CLOCK.now().monotonic - first
    assert 0.009 <= passed < 5.0


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="the system has no such clock")
def test_the_monotonic_clock_counts_while_the_machine_sleeps() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    read = SYSTEM_CLOCK.monotonic()
    assert before <= read <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_the_monotonic_clock_is_pythons_where_the_system_has_no_better_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert runpy.run_path(_clock.__file__)["SYSTEM_CLOCK"].monotonic is time.monotonic


def test_waiting_in_a_thread_is_sleep() -> None:
    assert SYSTEM_CLOCK.sleep is time.sleep


def test_waiting_in_an_event_loop_lets_the_loop_go_on() -> None:
    async def main() -> tuple[list[str], float]:
        order: list[str] = []
        start = time.monotonic()

        async def other() -> None:
            order.append("other")

        task = asyncio.ensure_future(other())
        await SYSTEM_CLOCK.sleep_in_loop(0.02)
        order.append("slept")
        await task
        return order, time.monotonic() - start

    order, took = asyncio.run(main())
    assert order == ["other", "slept"]
    assert 0.019 <= took < 5.0


def test_instants_compare_by_value() -> None:
    assert Instant(1.0, 2.0) == Instant(1.0, 2.0)
    assert Instant(1.0, 2.0) != Instant(1.0, math.nextafter(2.0, 3.0))
