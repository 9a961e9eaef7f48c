"""The clock that is moved by hand: who sleeps on it, and for how long.

Runs in the environment of `make bench-peers` alone.
"""

from __future__ import annotations

import threading
import time

from ._clock import moved_clock, real_sleep, settle


def test_caller_who_sleeps_moves_the_clock() -> None:
    began = time.perf_counter()
    with moved_clock(stands_still=True) as shift:
        before = time.time()
        shift(3600)
        time.sleep(3600)
        assert time.time() - before == 7200
    assert time.perf_counter() - began < 60
    assert time.sleep is real_sleep


def test_thread_sleeps_until_the_caller_has_moved_the_clock() -> None:
    woken: list[float] = []

    def work() -> None:
        time.sleep(2)
        woken.append(time.time())

    with moved_clock(stands_still=True) as shift:
        before = time.time()
        thread = threading.Thread(target=work)
        thread.start()
        settle()
        shift(1.5)
        settle()
        assert not woken
        shift(0.5)
        thread.join()
        assert woken == [before + 2]


def test_thread_that_sleeps_is_woken_at_the_end() -> None:
    with moved_clock(stands_still=True):
        thread = threading.Thread(target=time.sleep, args=(3600,))
        thread.start()
    thread.join(60)
    assert not thread.is_alive()
