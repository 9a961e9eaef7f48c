"""The simulation of a fleet: a worker does what real credentials do, a fleet what the docs say."""

from __future__ import annotations

import contextlib
import functools
import json
import random
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.fleet._figures import figures
from benchmarks.fleet._fleet import Day, Kind, Plan, made, simulate
from benchmarks.fleet._page import PAGE, written
from benchmarks.fleet._plot import Panel, svg
from benchmarks.fleet._provider import SECONDS_TO_ANSWER, Limit, Outage, Provider
from benchmarks.fleet._time import START, Timeline
from benchmarks.fleet._workers import (
    CALL_SECONDS,
    CountedStore,
    Ledger,
    Shift,
    every,
    with_credentials,
)
from pygen_auth import OAuth2Error
from pygen_auth._wire import Request, Response
from pygen_auth.stores import MemoryTokenStore
from tests.support import Endpoint, HandClock, Twin, granted

ROOT = Path(__file__).parent.parent

KINDS: tuple[Kind, ...] = ("naive", "alone", "shared")
WORKERS, HOURS = 100, 2.0
OUTAGE = Outage(after=3000)
"""The tokens of an hour are due from 50 minutes on, and expire while the provider is down."""
CALLS_A_SECOND = 13
"""Of 100 workers, each with an average of its own around 10 seconds; a third more than 10."""


@functools.cache
def fleet(kind: Kind, *, outage: Outage | None = None, limit: Limit | None = None) -> Day:
    return simulate(Plan(kind, 3600, WORKERS, HOURS, outage=outage, limit=limit))


def total(day: Day) -> int:
    return sum(day.requests.values())


# -- one worker, simulated and real


class Moments(Endpoint):
    """The provider of the simulation for real credentials: answers by the clock of the test."""

    def __init__(self, clock: HandClock, provider: Provider) -> None:
        super().__init__()
        self._clock = clock
        self._provider = provider
        self.moments: list[float] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        self._provider._timeline.now = self._clock.wall
        self.moments.append(round(self._clock.wall - START, 3))
        status = self._provider.status()
        self._clock.advance(SECONDS_TO_ANSWER)
        if status == 200:
            return granted(f"tok-{self.count}", self._provider.lifetime)
        return Response(status, {"retry-after": "30"} if status == 429 else {}, b"")


def real_moments(
    twin: Twin, lifetime: int, hours: float, outage: Outage, *, shared: bool
) -> list[float]:
    clock = HandClock(wall=START, monotonic=START)
    endpoint = Moments(clock, Provider(Timeline(), lifetime, outage, None))
    store = None
    if shared:
        store = MemoryTokenStore()
        store._clock = clock.clock
    random.seed(1)
    credentials = twin.scripted(endpoint, clock, store=store)
    while clock.wall < START + 3600 * hours:
        with contextlib.suppress(OAuth2Error):
            twin.call(credentials, "get_headers")
        clock.advance(every(7)(clock.wall + CALL_SECONDS) - clock.wall)
    return endpoint.moments


def simulated_moments(lifetime: int, hours: float, outage: Outage, *, shared: bool) -> list[float]:
    timeline, ledger = Timeline(), Ledger()
    provider = Provider(timeline, lifetime, outage, None)
    moments: list[float] = []

    async def send(request: Request) -> Response:
        moments.append(round(timeline.now - START, 3))
        return await provider.send(request)

    random.seed(1)
    credentials = made(timeline, provider, CountedStore(timeline, ledger) if shared else None)
    credentials._send = send  # type: ignore[assignment]
    shift = Shift(0.0, START + 3600 * hours, every(7))
    timeline.add(with_credentials(credentials, timeline, ledger, shift))
    timeline.run()
    return moments


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])
@pytest.mark.parametrize(("lifetime", "hours"), [(3600, 3.0), (300, 1.0)], ids=["hour", "minutes"])
def test_simulated_worker_asks_when_real_credentials_do(
    twin: Twin, lifetime: int, hours: float, shared: bool
) -> None:
    outage = Outage(after=lifetime * 0.8)
    real = real_moments(twin, lifetime, hours, outage, shared=shared)
    simulated = simulated_moments(lifetime, hours, outage, shared=shared)
    assert simulated == real
    assert len(real) > 10  # the outage makes for some


# -- a fleet


def test_with_a_store_a_fleet_asks_as_often_as_one_worker() -> None:
    day = fleet("shared")
    assert total(day) == 3  # in two hours: the first, and two that take over in time
    assert max(day.requests.values()) == 1


def test_without_a_store_each_worker_asks() -> None:
    assert total(fleet("alone")) == 3 * WORKERS


def test_each_worker_takes_a_token_by_one_look_into_the_store() -> None:
    operations = fleet("shared").ledger.operations
    assert operations["save"] == operations["unlock"] == 3
    assert 3 * WORKERS <= operations["load"] <= 3 * WORKERS + 2 * operations["lock"]


@pytest.mark.parametrize("outage", [None, OUTAGE], ids=["well", "outage"])
@pytest.mark.parametrize("kind", ["alone", "shared"])
def test_no_expired_token_is_in_use(kind: Kind, outage: Outage | None) -> None:
    assert fleet(kind, outage=outage).ledger.expired_in_use == 0


def test_fleet_asks_for_no_more_than_it_needs_while_the_provider_is_well() -> None:
    assert set(fleet("alone").statuses) == set(fleet("shared").statuses) == {200}


# -- a provider that is down, or that slows callers down


def in_outage(kind: Kind, begin: int = 0, end: int = 600) -> list[int]:
    """Requests in each second, from `begin` on, seconds from when the provider went down."""
    day = fleet(kind, outage=OUTAGE)
    assert day.down_at is not None
    return [day.requests[int(day.down_at) + second] for second in range(begin, end)]


def test_workers_with_a_store_ask_one_by_one_while_the_token_lives() -> None:
    lives = 200  # of the margin of 300 seconds, less a minute of doubt, and a little
    assert max(in_outage("shared", end=lives)) <= 1 / SECONDS_TO_ANSWER


def test_naive_cache_asks_in_an_outage_at_each_call() -> None:
    assert sum(in_outage("naive", 120)) / 480 > CALLS_A_SECOND / 1.5


def test_pauses_spare_a_provider_that_is_down() -> None:
    naive, alone, shared = (sum(in_outage(kind)) for kind in ("naive", "alone", "shared"))
    assert shared < 0.8 * alone < 0.8 * 0.8 * naive


@pytest.mark.parametrize(("kind", "times"), [("naive", 9.0), ("alone", 1.5), ("shared", 1.5)])
def test_busy_workers_ask_hardly_more_in_an_outage(kind: Kind, times: float) -> None:
    busy = simulate(Plan(kind, 3600, WORKERS, 1.2, 1.0, outage=OUTAGE)).statuses[503]
    if kind == "naive":
        assert busy > times * sum(in_outage(kind))
    else:
        assert busy < times * sum(in_outage(kind))


def test_in_an_outage_no_second_sees_an_attempt_of_each_worker() -> None:
    assert max(in_outage("alone")) < WORKERS / 2
    assert max(in_outage("shared")) < WORKERS / 2


def test_all_have_a_token_soon_after_an_outage() -> None:
    day = fleet("shared", outage=OUTAGE)
    assert day.down_at is not None
    after = day.ledger.restored - day.down_at - OUTAGE.seconds
    assert 0 < after < 30 + 15 * 7  # the longest pause, and the rarest calls


def test_workers_wait_as_long_as_a_limited_provider_wants() -> None:
    limit = Limit(per_second=1, retry_after=30)
    naive, alone, shared = (fleet(kind, limit=limit).statuses[429] for kind in KINDS)
    assert naive > 1.5 * alone > 0
    assert shared == 0


# -- results and docs


def test_same_plan_gives_the_same_figures() -> None:
    plan = Plan("shared", 3600, 20, 1.0)
    assert figures(simulate(plan)) == figures(simulate(plan))


def test_page_has_the_tables_of_the_results() -> None:
    results = json.loads((ROOT / "benchmarks/fleet/results.json").read_text("utf-8"))
    page = PAGE.read_text("utf-8")
    assert page == written(page, results), "make fleet writes them"


def test_plot_is_a_drawing_that_needs_nothing_else() -> None:
    day = fleet("shared", outage=OUTAGE)
    drawn = svg([Panel("An outage", [day], -300, 1200, 10, 300, "min", 60)])
    committed = (ROOT / "docs/assets/fleet.svg").read_text("utf-8")
    for text in (drawn, committed):
        assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
        assert text.count("http") == 1
    assert len(committed) < 20_000
