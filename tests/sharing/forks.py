"""Calls in a child of a fork: with what the parent holds, or as a user with fewer rights."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable

PATIENCE = 60.0  # seconds; a child that hangs is killed after them
NOBODY = 65534


def in_child(call: Callable[[], None]) -> None:
    """Make the call in a forked child; what it raises is an error here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads: it is meant
        child = os.fork()
    if child == 0:
        code = 1
        try:
            call()
            code = 0
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(code)
    end = time.monotonic() + PATIENCE
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert os.waitstatus_to_exitcode(status) == 0, "failed in the child, see its traceback"
            return
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError("the child hangs")
        time.sleep(0.005)


def as_ordinary_user(call: Callable[[], None]) -> None:
    """The same, by a user for whom permissions count: root may write anywhere."""

    def without_rights() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        call()

    in_child(without_rights)
