"""Each fault once at each moment; the twin and the transport take turns. `make faults` plays all.

`docs/reliability.md` has the outcomes.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from .catalog import FAULTS
from .fault import Fault, Moment
from .memory import LIMIT, taken
from .runner import Cell, in_parallel, play, play_once
from .world import MARK, World, world

HEAVY = [fault for fault in FAULTS if fault.heavy]


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world() as made:
        yield made


def turns(fault: Fault, turn: int) -> list[tuple[str, bool]]:
    """Twins and transports in which the fault exists, beginning with the one whose turn it is."""
    ways = [(twin, tls) for twin in ("sync", "async") for tls in fault.transports]
    return [*ways[turn % len(ways) :], *ways[: turn % len(ways)]]


@pytest.mark.parametrize(
    ("turn", "fault"), list(enumerate(FAULTS)), ids=[str(fault) for fault in FAULTS]
)
def test_call_gets_the_right_token_or_the_right_error(here: World, turn: int, fault: Fault) -> None:
    twin, tls = turns(fault, turn)[0]
    failures: list[str] = []
    in_parallel(
        [Cell(fault, twin, tls, moment) for moment in Moment],
        lambda cell: play(cell, here),
        lambda cell, error: failures.append(f"{cell}: {error!r}"),
    )
    assert failures == []


def one_of_each_class() -> Iterator[Fault]:
    """Of the faults that may pass, one for each section and kind of error."""
    seen = set()
    for fault in FAULTS:
        key = fault.kind, fault.outcome.error
        if fault.outcome.then == "retried" and key not in seen:
            seen.add(key)
            yield fault


@pytest.mark.parametrize("fault", list(one_of_each_class()), ids=str)
@pytest.mark.parametrize("twin", ["sync", "async"])
def test_fault_that_passes_within_the_call_is_not_noticed(
    here: World, fault: Fault, twin: str
) -> None:
    play_once(Cell(fault, twin, fault.transports[-1], Moment.FIRST), here)


@pytest.mark.parametrize(
    ("turn", "fault"), list(enumerate(HEAVY)), ids=[str(fault) for fault in HEAVY]
)
def test_large_answer_takes_less_than_eight_megabytes(here: World, turn: int, fault: Fault) -> None:
    twin, tls = turns(fault, turn)[0]
    assert taken(fault, tls, twin, here) < LIMIT


# -- what would notice something does so


def test_other_host_would_record_what_reaches_it() -> None:
    with world() as apart:
        parts = urlsplit(apart.elsewhere.url(tls=False))
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
            connection.sendall(b"a secret")
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
        assert apart.elsewhere.arrivals == [b"a secret"]


def test_log_would_be_seen_to_show_a_secret() -> None:
    with world() as apart:
        logging.getLogger("somebody.elses").debug("the secret is %s", MARK)
        assert len(apart.leaks.lines) == 1
