"""Real processes that share a token, each with credentials of its own.

They are forked by multiprocessing's fork server: a small process of one thread that has imported
everything. A fork of the process of the tests would copy their threads and servers, and a process
that imports everything itself would come late to where all begin at once.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from . import member
from .member import Plan, Report

FAILED, WORKS = "the store failed", "the store works again"
_PATIENCE = 60.0  # seconds for the next step of a process, and behind its deadline

_context = multiprocessing.get_context("forkserver")
# pytest too: each process imports the main module of this one, which is pytest's program.
_context.set_forkserver_preload(["pytest", member.__name__])


class Fleet:
    """Processes that have started, and wait for the gate to open."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        opening, self._gate = _context.Pipe(duplex=False)
        self._members: list[tuple[BaseProcess, Connection]] = []
        for plan in plans:
            ours, theirs = _context.Pipe(duplex=False)
            arguments = (pickle.dumps(plan), opening, theirs)
            process = _context.Process(target=member.run, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._members.append((process, ours))
        opening.close()
        self.wait_for_step()

    def wait_for_step(self) -> list[str]:
        """What all say next: that they are ready; the first token; the next one, and so on."""
        return [str(_received(connection, _PATIENCE)) for _, connection in self._members]

    def go(self) -> Fleet:
        """Open the gate: all begin at once."""
        self._gate.close()
        return self

    def kill(self) -> None:
        """End all with SIGKILL, whatever they are doing."""
        for process, _ in self._members:
            process.kill()
            process.join()

    def reports(self) -> list[Report]:
        """What all have seen, once they are through."""
        return [_report(connection) for _, connection in self._members]

    def close(self) -> None:
        """End what is still there."""
        self.kill()
        self._gate.close()
        for process, connection in self._members:
            connection.close()
            process.close()


def _report(connection: Connection) -> Report:
    while True:
        received = _received(connection, member.DEADLINE + _PATIENCE)
        if isinstance(received, Report):
            return received


def lost(reports: Iterable[Report]) -> list[str]:
    """The errors of all calls that got no token."""
    return [error for report in reports for error in report.lost]


def logged(reports: Iterable[Report], message: str) -> list[int]:
    """How often each has logged messages that begin so."""
    return [
        sum(count for text, count in report.log.items() if text.startswith(message))
        for report in reports
    ]


def _received(connection: Connection, seconds: float) -> object:
    assert connection.poll(seconds), "a process of the fleet hangs"
    return connection.recv()


@contextlib.contextmanager
def fleet(plans: Sequence[Plan]) -> Iterator[Fleet]:
    """These processes, ended when the block is left."""
    with contextlib.closing(Fleet(plans)) as started:
        yield started
