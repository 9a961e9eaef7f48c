"""Many processes and one token while something fails: no call is lost, and none waits for long.

What they do when nothing fails is in `test_processes.py`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks._server import SeparateServer
from pygen_auth.stores import FileTokenStore

from .conftest import NewStore, Plans
from .fleet import FAILED, WORKS, fleet, logged, lost
from .member import DEADLINE, Plan, Report, redis_store
from .redis_server import RedisServer, stopped_after

BOUND = 20.0  # seconds that a call may take; two of them are those of the store, the rest is load


def comes_true(condition: Callable[[], object]) -> bool:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def slow(server: SeparateServer, seconds: float) -> None:
    """Have the answers to the next token requests come late."""
    server.ask("__setattr__", "delay", seconds)


def short_lived(server: SeparateServer, seconds: float) -> None:
    server.ask("__setattr__", "lifetime", seconds)


# -- the holder of the lock


def test_when_the_holder_of_the_lock_is_killed_another_one_asks(
    token_server: SeparateServer, plans: Plans, new_store: NewStore
) -> None:
    store = new_store()
    # Those who wait would ask by themselves after half of the timeout: then there were 17 requests.
    timeout = 80.0
    slow(token_server, 600)
    with fleet(plans(1, store, timeout)) as holder, fleet(plans(16, store, timeout)) as others:
        holder.go()
        assert comes_true(lambda: token_server.token_request_count() == 1)
        slow(token_server, 0)
        others.go()
        time.sleep(1)  # they wait by now
        killed = time.monotonic()
        holder.kill()
        others.wait_for_step()
        took = time.monotonic() - killed
        reports = others.reports()
    print(f"a token {took:.1f} s after the holder of the lock was killed")
    assert lost(reports) == []
    assert token_server.token_request_count() == 2
    assert len({report.tokens[0] for report in reports}) == 1
    assert took < 10 + BOUND  # a lock in Redis lives that long, one in files not at all


@pytest.mark.parametrize(
    ("store", "seconds"), [("in_files", 2.0), ("in_redis", 12.0)]
)  # a lock in Redis lives for 10 s unless it is extended
def test_a_holder_whose_request_is_slow_keeps_its_lock(
    request: pytest.FixtureRequest,
    token_server: SeparateServer,
    plans: Plans,
    store: str,
    seconds: float,
) -> None:
    slow(token_server, seconds)
    members = plans(16, request.getfixturevalue(store)(), 80.0)
    with fleet(members) as started:
        reports = started.go().reports()
    assert lost(reports) == []
    assert token_server.token_request_count() == 1
    assert min(report.longest for report in reports) > seconds / 2  # all have waited for it


# -- Redis


@pytest.fixture
def redis_of_its_own(
    long: None, redis_server: RedisServer, tmp_path: Path
) -> Iterator[RedisServer]:
    """Which may be stopped. The other fixture knows whether the program is here."""
    with stopped_after(RedisServer(tmp_path)) as server:
        yield server


def pause(server: RedisServer) -> None:
    server.process.send_signal(signal.SIGSTOP)


def go_on(server: RedisServer) -> None:
    server.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(
    ("begin", "end"),
    [(RedisServer.stop, RedisServer.restart), (pause, go_on)],
    ids=["gone", "answers after 5 s"],
)
def test_redis_that_is_away_for_a_while_costs_no_call_and_is_told_once(
    token_server: SeparateServer,
    plans: Plans,
    redis_of_its_own: RedisServer,
    begin: Callable[[RedisServer], None],
    end: Callable[[RedisServer], None],
) -> None:
    short_lived(token_server, 4)  # due after 2 s at most, so all see it fail more than once
    store = redis_store(redis_of_its_own.port, "away:")
    members = plans(8, store, seconds=13, resource_url=token_server.resource_url)
    with fleet(members) as started:
        started.go().wait_for_step()
        begin(redis_of_its_own)
        time.sleep(5)
        end(redis_of_its_own)
        reports = started.reports()
    check(reports)
    assert logged(reports, FAILED) == logged(reports, WORKS) == [1] * 8


def check(reports: list[Report]) -> None:
    """No call was lost or took long, and no token was used that had expired."""
    assert lost(reports) == []
    assert [report.refused for report in reports] == [0] * len(reports)
    assert max(report.longest for report in reports) < BOUND


# -- files


def test_a_full_disk_costs_no_call(
    token_server: SeparateServer, plans: Plans, in_files: NewStore
) -> None:
    check_full_disk(token_server, plans(16, in_files(), largest_file=0))


def test_a_disk_that_is_really_full_costs_no_call(
    token_server: SeparateServer, plans: Plans, full_disk: Path
) -> None:
    check_full_disk(token_server, plans(16, FileTokenStore(full_disk / "tokens")))


def check_full_disk(token_server: SeparateServer, members: list[Plan]) -> None:
    with fleet(members) as started:
        reports = started.go().reports()
    assert lost(reports) == []
    assert token_server.token_request_count() == 16
    assert logged(reports, FAILED) == [1] * 16


@pytest.fixture
def full_disk(long: None, tmp_path: Path) -> Iterator[Path]:
    """A small file system on which no byte is free."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here, which needs root")
    try:
        with contextlib.suppress(OSError), open(tmp_path / "all of it", "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        yield tmp_path
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_directory_that_is_removed_costs_no_call(
    token_server: SeparateServer, plans: Plans, tmp_path: Path
) -> None:
    short_lived(token_server, 3)
    store = FileTokenStore(tmp_path / "tokens")
    members = plans(8, store, seconds=6, resource_url=token_server.resource_url)
    with fleet(members) as started:
        started.go().wait_for_step()
        for _ in range(20):
            time.sleep(0.2)
            shutil.rmtree(store.directory, ignore_errors=True)
        reports = started.reports()
    check(reports)


def test_corrupt_files_cost_no_call_and_are_replaced(
    token_server: SeparateServer, plans: Plans, tmp_path: Path
) -> None:
    stores = [FileTokenStore(tmp_path / f"tokens-{number}") for number in range(50)]
    members = [plans(1, store)[0] for store in stores]
    run_by_tens(members)
    for number, store in enumerate(stores):
        corrupt(store, number)
    reports = run_by_tens(members)
    again = run_by_tens(members)
    assert lost([*reports, *again]) == []
    assert token_server.token_request_count() == 100
    assert [report.tokens for report in again] == [report.tokens for report in reports]


def run_by_tens(members: list[Plan]) -> list[Report]:
    reports = []
    for first in range(0, len(members), 10):
        with fleet(members[first : first + 10]) as started:
            reports += started.go().reports()
    return reports


def corrupt(store: FileTokenStore, number: int) -> None:
    """Spoil the one value in the store, in a way that the number says."""
    (path,) = store.directory.glob("*.token")
    expires = path.stat().st_mtime
    content = path.read_bytes()
    place = number * len(content) // 50
    spoilt = (
        content[:place],
        content[:place] + b"!" + content[place + 1 :],
        content[place:],
        os.urandom(len(content)),
        content * 8000,
    )[number % 5]
    path.write_bytes(spoilt)
    os.utime(path, (expires, expires))
