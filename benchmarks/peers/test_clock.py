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
    slept: list[float] = []

    def work() -> None:
        began = time.time()
        time.sleep(2)
        slept.append(time.time() - began)

    with moved_clock(stands_still=True) as shift:
        thread = threading.Thread(target=work)
        thread.start()
        for _ in range(3):
            shift(0.5)
            settle()
        assert not slept
        while thread.is_alive():  # on a busy machine it may have begun to sleep just now
            shift(0.5)
            settle()
    assert slept[0] >= 2


def test_thread_that_sleeps_is_woken_at_the_end() -> None:
    with moved_clock(stands_still=True):
        thread = threading.Thread(target=time.sleep, args=(3600,))
        thread.start()
    thread.join(60)
    assert not thread.is_alive()
