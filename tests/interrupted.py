"""Ctrl-C at every moment of a call, in a process of its own.

`python -m tests.interrupted sync due` does so for the synchronous twin and a token that is due.
CPython looks for signals after calls, at the head of functions and where loops go back. A call is
made once for each such moment in the code of this library and of what it locks with. There SIGINT
is raised, and then the credentials must give a token.
"""

from __future__ import annotations

import asyncio
import dis
import signal
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from pygen_auth import UnreachableError

from .support import Endpoint, HandClock, Twin, granted

FILES = ("/pygen_auth/", "/contextlib.py")
LOOKS_FOR_SIGNALS = ("CALL", "RESUME", "JUMP_BACKWARD", "JUMP_ABSOLUTE")


def handler(code: CodeType, offset: int) -> int | None:
    """Which handler catches what the instruction there raises; before Python 3.11 that is dynamic.

    CPython: Objects/exception_handling_notes.txt.
    """
    read = iter(getattr(code, "co_exceptiontable", b""))

    def number() -> int:
        byte = next(read)
        value = byte & 63
        while byte & 64:
            byte = next(read)
            value = value << 6 | byte & 63
        return value

    try:
        while True:
            start, length, target, _ = number(), number(), number(), number()
            if start <= offset // 2 < start + length:
                return target
    except StopIteration:
        return None


class Interruption:
    """Raises SIGINT at one of the moments; says whether there was one of that number."""

    def __init__(self, moment: int) -> None:
        self.left = moment
        self.looked: dict[int, int | None] = {}
        """By frame: where the last instruction stood, if CPython looks for signals behind it."""

    def __enter__(self) -> Interruption:
        # Python 3.12 traces opcodes if some frame already wants that when tracing begins.
        sys._getframe().f_trace_opcodes = True
        sys.settrace(self.called)
        return self

    def __exit__(self, *exc_info: object) -> None:
        sys.settrace(None)

    def called(self, frame: Any, event: str, arg: object) -> Any:
        if not any(name in frame.f_code.co_filename for name in FILES):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self.stepped

    def stepped(self, frame: Any, event: str, arg: object) -> Any:
        if event == "opcode" and self.left:
            code, here = frame.f_code, frame.f_lasti
            looked = self.looked.get(id(frame))
            # What is raised behind an instruction counts as raised by it, and here by the next.
            if looked is not None and handler(code, looked) == handler(code, here):
                self.left -= 1
                if not self.left:
                    signal.raise_signal(signal.SIGINT)
            looks = dis.opname[code.co_code[here]].startswith(LOOKS_FOR_SIGNALS)
            self.looked[id(frame)] = here if looks else None
        elif event == "return":
            self.looked.pop(id(frame), None)
        return self.stepped


def check(twin: Twin, due: bool, moment: int, run: Callable[[Any], Any]) -> tuple[bool, bool]:
    """Interrupt a call at that moment; whether there was one, and calls that were lost by it."""
    clock, endpoint = HandClock(), Endpoint(granted("held"))
    credentials = twin.scripted(endpoint, clock, timeout=0.05)
    if due:
        run(credentials)
        clock.advance(3300)
    kept = None  # as an interactive session keeps the last traceback
    try:
        with Interruption(moment):
            run(credentials)
    except KeyboardInterrupt as interrupt:
        kept = interrupt
    failure = ""
    try:
        run(credentials)
    except UnreachableError as error:  # the lock is in nobody's hands; see `_acquire`
        failure = str(error)
    assert not failure or "another thread's request took over" in failure, (moment, failure)
    run(credentials)
    assert credentials._glance.lease is credentials._lease, (moment, "a glance at another token")
    return kept is not None, bool(failure)


def main(name: str, state: str) -> None:
    twin = Twin(name)
    loop = asyncio.new_event_loop()

    def run(credentials: Any) -> Any:
        if not twin.asynchronous:
            return credentials.token()
        return loop.run_until_complete(credentials.token())

    moments = lost = 0
    interrupted = True
    while interrupted:
        moments += 1
        interrupted, calls = check(twin, state == "due", moments, run)
        lost += calls
    loop.close()
    print(f"{moments - 1} moments, {lost} calls lost")


if __name__ == "__main__":
    main(*sys.argv[1:])
